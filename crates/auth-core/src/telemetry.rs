//! The log: JSON on standard output, one line per request or event, written at the boundary.
//!
//! Lines of their own are its metrics: see [`metrics`].
//!
//! Only this crate's own events are ever written. The SDK, the HTTP client and the Lambda runtime log
//! bodies and headers at their finer levels, so no level that `LOG_LEVEL` can name reaches them.

mod activity;
mod metrics;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Format, Json, JsonFields};
use tracing_subscriber::fmt::{self, Layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{self, Env, bad_value};
use crate::error::Error;
use activity::Activity;

pub use activity::UpstreamMetrics;
pub use metrics::{Metric, count, count_sign_in_failure};

/// Starts the log at `LOG_LEVEL`, with metrics in `METRICS_NAMESPACE` if it is set, and hands out the
/// environment that everything else is read from.
///
/// # Errors
/// Names the variable: `LOG_LEVEL` if it is missing or no level, `METRICS_NAMESPACE` if it is no namespace.
pub fn start() -> config::Result<Env<'static>> {
    let env = Env::process();
    let level = match env.required("LOG_LEVEL")?.as_str() {
        "ERROR" => Level::ERROR,
        "WARN" => Level::WARN,
        "INFO" => Level::INFO,
        "DEBUG" => Level::DEBUG,
        _ => return Err(bad_value("LOG_LEVEL", &"ERROR, WARN, INFO or DEBUG")),
    };
    let namespace = env.optional("METRICS_NAMESPACE");
    if !namespace.as_deref().is_none_or(is_namespace) {
        return Err(bad_value(
            "METRICS_NAMESPACE",
            &"at most 255 letters, digits and the signs . - _ / # :",
        ));
    }
    let lines = lines().with_filter(Targets::new().with_target("auth_core", level));
    Registry::default().with(lines).init();
    if let Some(namespace) = namespace {
        metrics::start(namespace);
    }
    Ok(env)
}

/// The form of every line, on standard output.
pub(crate) fn lines() -> Layer<Registry, JsonFields, Format<Json>> {
    fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
}

/// What CloudWatch takes, less white space.
fn is_namespace(text: &str) -> bool {
    let good = |c: u8| c.is_ascii_alphanumeric() || b".-_/#:".contains(&c);
    text.len() <= 255 && text.bytes().all(good)
}

/// The current call: names, no data.
#[derive(Debug)]
pub struct Call<'a> {
    /// The function's name in this repository.
    pub function: &'static str,
    /// Lambda's request id.
    pub request_id: &'a str,
    /// The route, or the trigger's source.
    pub route: &'a str,
    /// When the answer was begun.
    pub started: Instant,
}

impl Call<'_> {
    /// Writes the one line of this call, and those of its metrics. A request that the API rejects is not
    /// an error in the log.
    pub fn finish(&self, outcome: Result<(), &Error>) {
        static WARM: AtomicBool = AtomicBool::new(false);
        let cold_start = !WARM.swap(true, Ordering::Relaxed);
        let duration_ms = self.started.elapsed().as_millis() as u64;
        let activity = Activity::take();
        let Self {
            function,
            request_id,
            route,
            ..
        } = self;
        macro_rules! line {
            ($level:ident, $outcome:literal $(, $error:ident)?) => {{
                tracing::$level!(
                    requestId = request_id,
                    function,
                    route,
                    outcome = $outcome,
                    $(errorType = &*$error.name, cause = $error.cause.as_deref(),)?
                    durationMs = duration_ms,
                    coldStart = cold_start,
                    upstreamAttempts = activity.attempts(),
                    upstreamRetries = activity.retries(),
                    upstreamMs = activity.latency(),
                );
                $outcome
            }};
        }
        let outcome = match outcome {
            Ok(()) => line!(info, "success"),
            Err(error) if error.is_failure() => line!(error, "failure", error),
            Err(error) => line!(info, "refusal", error),
        };
        metrics::write(function, outcome, &activity);
    }
}
