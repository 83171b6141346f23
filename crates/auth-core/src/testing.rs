//! What the unit tests share: environments, Cognito's answers as it sends them, and clients that read them.

use std::io;
use std::sync::{Arc, Mutex};

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::http::HttpResponse;
use aws_sdk_cognitoidentityprovider::config::retry::RetryPartition;
use aws_sdk_cognitoidentityprovider::config::{Builder, HttpClient};
use aws_smithy_mocks::{MockResponseInterceptor, Rule, create_mock_http_client};
use metrics::LocalRecorderGuard;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use serde::Serialize;
use serde_json::{Value, json};
use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::clients::UserPool;
use crate::config::Env;
use crate::error::Result;
use crate::request::Fields;
use crate::telemetry;
use crate::trigger::Event;

/// An environment from a table; a later entry replaces an earlier one.
pub(crate) fn env<'a>(table: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    move |name| {
        let (_, value) = table.iter().rev().find(|(key, _)| *key == name)?;
        Some((*value).to_owned())
    }
}

/// How Cognito answers, each time it is asked.
pub(crate) type Says = fn() -> HttpResponse;

/// The environment of the one-time codes' limits.
pub(crate) const LIMITS: [(&str, &str); 5] = [
    ("OTP_TABLE_NAME", "limits"),
    ("OTP_COOLDOWN_SECONDS", "30"),
    ("OTP_MAX_SENDS_PER_HOUR", "5"),
    ("OTP_MAX_SENDS_PER_DAY", "20"),
    ("OTP_MAX_WRONG_ANSWERS_PER_HOUR", "10"),
];

/// An answer of Cognito's with this status and JSON body.
pub(crate) fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), body.to_owned().into())
}

/// An exception as Cognito sends it.
pub(crate) fn exception(code: &str, message: &str) -> HttpResponse {
    answer(
        400,
        &serde_json::json!({ "__type": code, "message": message }).to_string(),
    )
}

/// An answer that breaks off: Cognito has heard the request, and nobody knows what it said.
pub(crate) fn lost_answer() -> HttpResponse {
    let mut answer = answer(200, "{}");
    let _ = answer.take_body();
    answer
}

/// A pool whose Cognito answers by `rules`. Everything else is the functions' own client, so that the
/// number of a rule's calls is the number of requests that Cognito would get. Tests in which a request
/// is repeated start with paused time, where waiting takes none.
pub(crate) fn pool<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> UserPool {
    let mocks = rules
        .into_iter()
        .fold(MockResponseInterceptor::new(), |mocks, rule| {
            mocks.with_rule(rule)
        });
    pool_with(|config| {
        config
            .http_client(create_mock_http_client())
            .interceptor(mocks)
    })
}

/// As [`pool`], over another way to reach Cognito.
pub(crate) fn pool_over(http: impl HttpClient + 'static) -> UserPool {
    pool_with(|config| config.http_client(http))
}

fn pool_with(change: impl FnOnce(Builder) -> Builder) -> UserPool {
    let env = env(&[
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "token"),
        ("USER_POOL_CLIENT_ID", "client"),
    ]);
    let pool = UserPool::signed_from_env(Env::new(&env)).unwrap();
    // Clients share one quota of repeats, which the failures of another test must not use up.
    let quota = RetryPartition::custom("this test").build();
    let config = pool.cognito.config().to_builder().retry_partition(quota);
    UserPool {
        cognito: Client::from_conf(change(config).build()),
        ..pool
    }
}

/// A request as its route reads it from this body.
pub(crate) fn parsed<T>(body: &Value, parse: impl Fn(&Fields<'_>) -> Result<T>) -> Result<T> {
    parse(&Fields::parse(body.to_string().as_bytes())?)
}

/// What a caller sees of a response.
pub(crate) fn seen(response: impl Serialize) -> Value {
    serde_json::to_value(response).unwrap()
}

/// Asserts that each field of this body is required, in the words of AWS's own check.
pub(crate) fn assert_required<T>(body: &Value, parse: impl Fn(&Fields<'_>) -> Result<T>) {
    for key in body.as_object().unwrap().keys() {
        let name = key[..1].to_uppercase() + &key[1..];
        for absent in [None, Some(Value::Null), Some(json!(""))] {
            let mut body = body.clone();
            match absent {
                None => drop(body.as_object_mut().unwrap().remove(key)),
                Some(value) => body[key] = value,
            }
            let error = parsed(&body, &parse).err().unwrap();
            assert_eq!(
                (&*error.name, &*error.message),
                (
                    "MissingRequiredParameter",
                    &*format!("Missing required key '{name}' in params")
                ),
                "{body}"
            );
        }
    }
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

/// What was logged.
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

/// What was counted.
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

/// A trigger's event as Cognito sends it, with a field that nobody knows yet.
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
