//! The log: JSON on standard output, one line per request or event, written at the boundary.
//!
//! Only this crate's own events are ever written. The SDK, the HTTP client and the Lambda runtime log
//! bodies and headers at their finer levels, so no level that `LOG_LEVEL` can name reaches them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{ConfigError, Env, bad_value};
use crate::error::{Error, Kind};

/// Starts the log at `LOG_LEVEL` and hands out the environment that everything else is read from.
///
/// # Errors
/// Names `LOG_LEVEL` where it is missing or no level.
pub fn start() -> Result<Env<'static>, ConfigError> {
    let env = Env::process();
    let level = match env.required("LOG_LEVEL")?.as_str() {
        "ERROR" => Level::ERROR,
        "WARN" => Level::WARN,
        "INFO" => Level::INFO,
        "DEBUG" => Level::DEBUG,
        _ => return Err(bad_value("LOG_LEVEL", &"ERROR, WARN, INFO or DEBUG")),
    };
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_filter(Targets::new().with_target("auth_core", level));
    tracing_subscriber::registry().with(lines).init();
    Ok(env)
}

/// What is being answered: names, no data.
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
    /// Writes the one line of this call. Refusals are the caller's affair and not errors of ours.
    pub fn finish(&self, outcome: Result<(), &Error>) {
        static WARM: AtomicBool = AtomicBool::new(false);
        let cold_start = !WARM.swap(true, Ordering::Relaxed);
        let duration_ms = self.started.elapsed().as_millis() as u64;
        let Self {
            function,
            request_id,
            route,
            ..
        } = self;
        macro_rules! line {
            ($level:ident, $outcome:literal $(, $error:ident)?) => {
                tracing::$level!(
                    requestId = request_id,
                    function,
                    route,
                    outcome = $outcome,
                    $(errorType = &*$error.name, cause = $error.cause.as_deref(),)?
                    durationMs = duration_ms,
                    coldStart = cold_start,
                )
            };
        }
        match outcome {
            Ok(()) => line!(info, "success"),
            Err(error) if matches!(error.kind, Kind::Internal | Kind::Unavailable) => {
                line!(error, "failure", error)
            }
            Err(error) => line!(info, "refusal", error),
        }
    }
}
