//! The metrics of a call: lines of CloudWatch's embedded metric format (EMF) beside the call's own, so that nothing
//! is called for them.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! Metrics of the same dimensions are in one line. Every value of a dimension makes a metric that AWS charges for:
//! there are few, and none tells who a caller is.

use std::io;
use std::sync::OnceLock;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use strum::IntoStaticStr;

use super::activity::Activity;
use crate::error::{Error, Kind};

/// What was counted since the last line; none where the functions have no metrics.
static COLLECTOR: OnceLock<&Collector> = OnceLock::new();

/// What is counted of a call, beside its outcome.
#[derive(Clone, Copy, Debug, IntoStaticStr, PartialEq, Eq)]
pub enum Metric {
    /// A user was made.
    SignUps,
    /// A user got the first tokens of a sign-in.
    SignIns,
    /// A sign-in was rejected, or the code of one, for what it says. Codes are counted in the pool's trigger, which
    /// those who call Cognito directly can't pass by.
    SignInFailures,
    /// A code or link was sent, by this API or by Cognito.
    CodesSent,
    /// A one-time code was not sent, as the user's limits forbid it.
    CodesRefused,
    /// A password reset did not end the sessions of the user.
    SignOutFailures,
}

/// Counts from now on, for metrics in this namespace.
pub(super) fn start(namespace: String) {
    // It fails only where something else counts already.
    if let Ok(collector) = Builder::new().cloudwatch_namespace(namespace).init() {
        let _ = COLLECTOR.set(collector);
    }
}

/// Counts one for the call that is being answered.
pub fn count(metric: Metric) {
    add(metric.into(), &[], 1);
}

fn add(name: &'static str, dimensions: &[(&'static str, &'static str)], count: u64) {
    describe_counter!(name, Unit::Count, "");
    counter!(name, dimensions).increment(count);
}

/// Counts a sign-in that was refused; one that failed, or met a limit of requests, tells nothing of the caller.
pub fn count_sign_in_failure(error: &Error) {
    if !error.is_failure() && error.kind != Kind::Throttled {
        count(Metric::SignInFailures);
    }
}

/// Writes what was counted of a call that ends now.
pub(super) fn write(function: &'static str, outcome: &'static str, activity: &Activity) {
    let dimensions = [("function", function), ("outcome", outcome)];
    add("Requests", &dimensions, 1);
    if let (Some(latency), Some(retries)) = (activity.latency(), activity.retries()) {
        describe_histogram!("UpstreamLatency", Unit::Milliseconds, "");
        histogram!("UpstreamLatency", &dimensions).record(latency);
        add("UpstreamRetries", &dimensions, retries);
    }
    if let Some(collector) = COLLECTOR.get() {
        // Where the log can't be written there is nothing to tell it to.
        let _ = collector.flush(io::stdout().lock());
    }
}
