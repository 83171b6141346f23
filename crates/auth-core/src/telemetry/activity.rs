//! The calls to AWS during one invocation.
//!
//! One call is answered at a time, on one thread, so it is kept per thread until the call's line takes it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use aws_sdk_cognitoidentityprovider::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_sdk_cognitoidentityprovider::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cognitoidentityprovider::error::BoxError;

/// The requests to AWS of one call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Activity {
    operations: u64,
    attempts: u64,
    waited: Duration,
    /// When the attempt that is under way was begun.
    since: Option<Instant>,
}

thread_local! {
    static ACTIVITY: Cell<Activity> = Cell::default();
}

fn change(change: impl FnOnce(&mut Activity)) {
    let mut activity = ACTIVITY.get();
    change(&mut activity);
    ACTIVITY.set(activity);
}

impl Activity {
    /// The activity of the invocation that ends now. The next one starts with zero.
    pub(super) fn take() -> Self {
        let mut activity = ACTIVITY.take();
        // An attempt that the function's deadline cut off.
        activity.end_attempt();
        activity
    }

    fn end_attempt(&mut self) {
        self.waited += self
            .since
            .take()
            .map_or(Duration::ZERO, |since| since.elapsed());
    }

    pub(super) fn attempts(&self) -> Option<u64> {
        (self.attempts > 0).then_some(self.attempts)
    }

    /// The attempts beyond the first of each request.
    pub(super) fn retries(&self) -> Option<u64> {
        self.attempts()
            .map(|attempts| attempts.saturating_sub(self.operations))
    }

    /// Milliseconds from the begin to the end of all attempts together.
    pub(super) fn latency(&self) -> Option<f64> {
        // To the microsecond: more digits are noise.
        self.attempts()
            .map(|_| self.waited.as_micros() as f64 / 1000.0)
    }
}

/// Measures the requests of an AWS client.
#[derive(Debug)]
pub struct UpstreamMetrics;

impl Intercept for UpstreamMetrics {
    fn name(&self) -> &'static str {
        "UpstreamMetrics"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        change(|activity| activity.operations += 1);
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        change(|activity| {
            activity.attempts += 1;
            activity.since = Some(Instant::now());
        });
        Ok(())
    }

    fn read_after_attempt(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        change(Activity::end_attempt);
        Ok(())
    }
}
