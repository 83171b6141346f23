//! Cognito's triggers: an event in, the same event with its response filled in out.
//!
//! The event stays the JSON it is, because Cognito refuses an answer in which a field it sent is missing,
//! and it may send fields that nobody knows yet.

use std::time::Instant;

use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::telemetry::Call;

/// An event of a Cognito trigger.
#[derive(Debug)]
pub struct Event(Value);

impl Event {
    /// An event from its JSON.
    pub fn new(event: Value) -> Self {
        Self(event)
    }

    /// Why Cognito calls, such as `PreSignUp_SignUp`.
    pub fn source(&self) -> &str {
        self.text(&["triggerSource"]).unwrap_or_default()
    }

    /// The text at this path, if there is one and it is not empty.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// The value at this path.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.0, |value, key| value.get(key))
    }

    /// A text that Cognito always sends.
    ///
    /// # Errors
    /// An internal error that names the path.
    pub fn required(&self, path: &[&str]) -> Result<&str> {
        self.text(path).ok_or_else(|| {
            Error::internal(format!("the trigger's event has no {}", path.join(".")))
        })
    }

    /// The user's attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.text(&["request", "userAttributes", name])
    }

    /// Fills in a field of the response.
    pub fn respond(&mut self, name: &str, value: impl Into<Value>) {
        let response = &mut self.0["response"];
        if !response.is_object() {
            *response = Value::Object(Map::new());
        }
        response[name] = value.into();
    }

    /// The JSON to answer with.
    pub fn into_json(self) -> Value {
        self.0
    }
}

/// A source that the function is not made for: the pool's configuration is wrong.
pub fn unknown_source() -> Error {
    Error::internal("the function is attached to a trigger that it is not made for")
}

/// Serves Cognito's calls until the process ends.
///
/// # Errors
/// Where Lambda's runtime interface fails; a refusal is told to Cognito, which tells the caller.
pub async fn serve(
    function: &'static str,
    handler: impl AsyncFn(&mut Event) -> Result<()>,
) -> std::result::Result<(), lambda_runtime::Error> {
    let handler = &handler;
    let service = service_fn(async |event: LambdaEvent<Value>| {
        answer(function, event, handler)
            .await
            .map_err(|error| Diagnostic {
                error_type: error.name.into_owned(),
                error_message: error.message.into_owned(),
            })
    });
    Runtime::new(service).run().await
}

async fn answer(
    function: &'static str,
    event: LambdaEvent<Value>,
    handler: impl AsyncFn(&mut Event) -> Result<()>,
) -> Result<Value> {
    let started = Instant::now();
    let mut payload = Event(event.payload);
    let source = payload.source().to_owned();
    let outcome = match payload.0.is_object() {
        true => handler(&mut payload).await,
        false => Err(unknown_source()),
    };
    let call = Call {
        function,
        request_id: &event.context.request_id,
        route: &source,
        started,
    };
    call.finish(outcome.as_ref().copied());
    outcome.map(|()| payload.into_json())
}
