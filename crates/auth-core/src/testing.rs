//! Shared by the unit tests: routes over a [`FakeAws`], events, and the captured log and metrics.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::HttpClient;
use fake_aws::FakeAws;
use metrics::LocalRecorderGuard;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use serde::Serialize;
use serde_json::{Value, json};
use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::ROUTES;
use crate::clients::Setup;
use crate::config::{self, Env, Mode};
use crate::error::{Error, Result};
use crate::http::AnyRoute;
use crate::request::Fields;
use crate::route::{Caller as _, Route};
use crate::telemetry;
use crate::trigger::Event;

/// Changes of [`fake_aws::ENVIRONMENT`].
pub(crate) type Changes<'a> = &'a [(&'a str, &'a str)];

/// What `read` makes of [`fake_aws::ENVIRONMENT`] with these changes.
pub(crate) fn with_env<T>(changes: Changes<'_>, read: impl FnOnce(Env<'_>) -> T) -> T {
    read(Env::new(&|name| fake_aws::variable(changes, name)))
}

/// As [`with_env`], with the AWS behind this HTTP client.
///
/// Each has a region of its own: the SDK's clients of one region share a quota of retries, which the failures of
/// another test must not use up.
pub(crate) fn with_setup<T>(
    http_client: impl HttpClient + 'static,
    changes: Changes<'_>,
    read: impl FnOnce(&Setup<'_>) -> config::Result<T>,
) -> config::Result<T> {
    static REGIONS: AtomicUsize = AtomicUsize::new(0);
    let region = format!("region-{}", REGIONS.fetch_add(1, Ordering::Relaxed));
    let changes = [&[("AWS_REGION", &*region)], changes].concat();
    with_env(&changes, |env| {
        let setup = Setup::over(env, http_client)?;
        read(&setup.with_credentials(fake_aws::credentials()))
    })
}

/// A route over this AWS. Everything else is as deployed, so that the number of calls is the number of requests that
/// AWS would get. Tests in which a request is retried start with paused time, in which waiting takes no time.
pub(crate) fn route<R: Route>(aws: &FakeAws, changes: Changes<'_>) -> R {
    with_setup(aws.http_client(), changes, R::new).unwrap()
}

/// Every mode.
pub(crate) const MODES: [Mode; 2] = [Mode::UserPassword, Mode::Passwordless];

/// The route at this place of [`ROUTES`] in this mode.
pub(crate) fn over(
    http_client: impl HttpClient + 'static,
    route: usize,
    mode: Mode,
) -> Box<dyn AnyRoute> {
    let changes = [
        ("MODE", &*format!("{mode:?}")),
        // The confirmation of a user would hide that the group is missing.
        ("ROLES", "Courier"),
        ("EMAIL_SIGN_UP_ROLES", ""),
        ("PHONE_SIGN_UP_ROLES", "Courier"),
        ("ALLOWED_PHONE_PREFIXES", ""),
    ];
    with_setup(http_client, &changes, ROUTES[route]).unwrap()
}

/// The route's answer to this body.
pub(crate) async fn run(route: &impl Route, body: &Value) -> Result<Value> {
    run_as(route, "", body).await
}

/// The route's answer to this body with this token.
pub(crate) async fn run_as<R: Route>(route: &R, token: &str, body: &Value) -> Result<Value> {
    let response = route.run(parse_as(route, token, body)?).await?;
    Ok(to_json(response))
}

/// The request that the route reads from this body.
pub(crate) fn parse<R: Route>(route: &R, body: &Value) -> Result<R::Request> {
    parse_as(route, "", body)
}

/// The request that the route reads from this body, sent with this token.
pub(crate) fn parse_as<R: Route>(route: &R, token: &str, body: &Value) -> Result<R::Request> {
    let caller = R::Caller::read(Some(token.into()))?;
    route.parse(caller, &Fields::parse(body.to_string().as_bytes())?)
}

/// Bodies of which every route takes one, whose values are in no text of ours. No route takes both tokens.
pub(crate) fn bodies() -> [Value; 2] {
    ["refreshToken", "accessToken"].map(|without| {
        let mut body = json!({
            "username": "+19175550123",
            "password": " Zebra-password ",
            "newPassword": " Zebra-new-password ",
            "confirmationCode": "Zebra-code",
            "session": "Zebra-session",
            "accessToken": access_token(),
            "refreshToken": "Zebra-refresh-token",
            "userAttributes": { "role": "Courier" },
        });
        body.as_object_mut().unwrap().remove(without);
        body
    })
}

/// An access token whose claims are in no text of ours, either.
pub(crate) fn access_token() -> String {
    fake_aws::access_token(&json!({ "sub": "Zebra", "phone_number": "+19175550123" }))
}

/// The response as the caller gets it.
pub(crate) fn to_json(response: impl Serialize) -> Value {
    serde_json::to_value(response).unwrap()
}

/// Asserts the error's name and message.
#[track_caller]
pub(crate) fn assert_error(error: &Error, name: &str, message: &str, why: &str) {
    assert_eq!((&*error.name, &*error.message), (name, message), "{why}");
}

/// This crate's log of this thread, line by line, for as long as the guard lives.
pub(crate) fn log() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let lines = telemetry::lines()
        .with_writer(move || writer.clone())
        .with_filter(Targets::new().with_target("auth_core", Level::TRACE));
    let subscriber = tracing_subscriber::registry().with(lines);
    (log, tracing::subscriber::set_default(subscriber))
}

/// The captured log.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = self.0.lock().unwrap();
        let lines = text.split(|byte| *byte == b'\n');
        lines
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What this thread counts, for as long as the guard lives.
pub(crate) fn metrics() -> (Metrics, LocalRecorderGuard<'static>) {
    let recorder = DebuggingRecorder::new();
    let metrics = Metrics(recorder.snapshotter());
    let guard = metrics::set_default_local_recorder(Box::leak(Box::new(recorder)));
    (metrics, guard)
}

/// The captured metrics.
pub(crate) struct Metrics(Snapshotter);

impl Metrics {
    /// Each metric with its dimensions, and how often it was recorded, or the sum of a counter. Then it is forgotten.
    pub(crate) fn take(&self) -> Vec<(String, u64)> {
        let metrics = self.0.snapshot().into_vec().into_iter();
        let metrics = metrics.map(|(key, _, _, value)| {
            let labels = key.key().labels().map(|label| label.value());
            let name = [key.key().name()].into_iter().chain(labels);
            let count = match value {
                DebugValue::Counter(sum) => sum,
                DebugValue::Histogram(values) => values.len() as u64,
                DebugValue::Gauge(_) => panic!("a gauge: {key:?}"),
            };
            (name.collect::<Vec<_>>().join(" "), count)
        });
        let mut metrics: Vec<_> = metrics.filter(|(_, count)| *count > 0).collect();
        metrics.sort();
        metrics
    }
}

/// A trigger's event as Cognito sends it, with an unknown field.
pub(crate) fn event(source: &str, request: Value) -> Event {
    let event = json!({
        "version": "1",
        "region": "us-east-1",
        "userPoolId": "us-east-1_pool",
        "userName": "the-username",
        "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "client" },
        "triggerSource": source,
        "request": request,
        "response": { "answerCorrect": null },
        "aFieldOfTomorrow": { "kept": true },
    });
    Event::new(event.as_object().unwrap().clone())
}
