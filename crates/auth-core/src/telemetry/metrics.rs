//! The metrics of a call: lines of CloudWatch's embedded metric format (EMF) beside the call's own, so that nothing
//! is called for them.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! Metrics of the same dimensions are in one line. Every value of a dimension makes a metric that AWS charges for:
//! there are few values, and none identifies a caller.

use std::io;
use std::sync::OnceLock;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use strum::IntoStaticStr;

use super::activity::Activity;
use crate::error::{Error, Kind};

/// The counts since the last line; `None` if the functions have no metrics.
static COLLECTOR: OnceLock<&Collector> = OnceLock::new();

/// The counts of a call, beside its outcome.
#[derive(Clone, Copy, Debug, IntoStaticStr, PartialEq, Eq)]
pub enum Metric {
    /// A user was made.
    SignUps,
    /// A user got the first tokens of a sign-in.
    SignIns,
    /// A sign-in was rejected because of its password or code. The pool's trigger counts codes, so direct calls to
    /// Cognito are counted too.
    SignInFailures,
    /// A code or link was sent, by this API or by Cognito.
    CodesSent,
    /// A one-time code was not sent, because of the user's limits.
    CodesRefused,
    /// A password reset did not end the sessions of the user.
    SignOutFailures,
}

/// Counts from now on, for metrics in this namespace.
pub(super) fn start(namespace: String) {
    // It fails only if a recorder is installed already.
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

/// Counts a rejected sign-in. A failure of AWS or a limit of requests is not the caller's attempt, and is not counted.
pub fn count_sign_in_failure(error: &Error) {
    if !error.is_failure() && error.kind != Kind::Throttled {
        count(Metric::SignInFailures);
    }
}

/// Writes the counts of the call that ends now.
pub(super) fn write(function: &'static str, outcome: &'static str, activity: &Activity) {
    let dimensions = [("function", function), ("outcome", outcome)];
    add("Requests", &dimensions, 1);
    if let (Some(latency), Some(retries)) = (activity.latency(), activity.retries()) {
        describe_histogram!("UpstreamLatency", Unit::Milliseconds, "");
        histogram!("UpstreamLatency", &dimensions).record(latency);
        add("UpstreamRetries", &dimensions, retries);
    }
    if let Some(collector) = COLLECTOR.get() {
        // If writing to the log fails, the error can't be logged.
        let _ = collector.flush(io::stdout().lock());
    }
}
