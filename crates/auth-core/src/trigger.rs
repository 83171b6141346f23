//! Cognito's triggers: an event in, the same event with its response filled in out.
//!
//! The event stays the JSON it is, because Cognito rejects an answer in which a field it sent is missing, and it may
//! send unknown fields. A trigger reads it through a [`View`] with the fields that it needs.

use std::fmt;
use std::time::Instant;

use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::deadline;
use crate::error::{Error, Result};
use crate::telemetry::Call;
use crate::trigger_error;

/// An event of a Cognito trigger.
pub struct Event(Map<String, Value>);

/// Never printed by accident: `{:?}` shows the source only, not the user nor a code.
impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Event")
            .field(&self.source())
            .finish()
    }
}

impl Event {
    /// An event from its JSON.
    pub fn new(event: Map<String, Value>) -> Self {
        Self(event)
    }

    /// Why Cognito calls, such as `PreSignUp_SignUp`.
    pub fn source(&self) -> &str {
        let source = self.0.get("triggerSource").and_then(Value::as_str);
        source.unwrap_or_default()
    }

    /// The fields that a trigger reads, with its own `R` for those of `request`.
    ///
    /// # Errors
    /// Internal if a field has another type than Cognito sends.
    pub fn view<'a, R: Deserialize<'a>>(&'a self) -> Result<View<'a, R>> {
        let text = |name| Text::new(self.0.get(name).and_then(Value::as_str).unwrap_or_default());
        let request = self.0.get("request").unwrap_or(&Value::Null);
        Ok(View {
            user_pool_id: text("userPoolId"),
            user_name: text("userName"),
            // Serde's own text would repeat the value.
            request: R::deserialize(request).map_err(|_| {
                Error::internal("the trigger's event has not the form of Cognito's")
            })?,
        })
    }

    /// Fills in a field of the response.
    pub fn respond(&mut self, name: &str, value: impl Into<Value>) {
        let response = self.0.entry("response").or_insert(Value::Null);
        if !response.is_object() {
            *response = Value::Object(Map::new());
        }
        if let Some(response) = response.as_object_mut() {
            response.insert(name.to_owned(), value.into());
        }
    }

    /// The JSON to answer with.
    pub fn into_json(self) -> Map<String, Value> {
        self.0
    }
}

/// The fields of an [`Event`] that a trigger reads.
pub struct View<'a, R> {
    /// The pool that calls.
    pub user_pool_id: Text<'a>,
    /// The user's name in the pool: the `sub`, or an invented name if the user does not exist.
    pub user_name: Text<'a>,
    /// The `request` of the event.
    pub request: R,
}

/// The user's attributes that triggers read.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct UserAttributes<'a> {
    /// The user's id.
    #[serde(borrow)]
    pub sub: Text<'a>,
    /// The e-mail address.
    #[serde(borrow)]
    pub email: Text<'a>,
    /// `true` or `false`.
    #[serde(borrow)]
    pub email_verified: Text<'a>,
    /// The phone number.
    #[serde(borrow)]
    pub phone_number: Text<'a>,
    /// `true` or `false`.
    #[serde(borrow)]
    pub phone_number_verified: Text<'a>,
    /// The role of the sign-up.
    #[serde(borrow, rename = "custom:role")]
    pub role: Text<'a>,
    /// Such as `UNCONFIRMED`.
    #[serde(borrow, rename = "cognito:user_status")]
    pub user_status: Text<'a>,
}

/// A text of an event: absent, `null` and empty are the same.
#[derive(Clone, Copy, Default)]
pub struct Text<'a>(Option<&'a str>);

impl<'a> Text<'a> {
    fn new(text: &'a str) -> Self {
        Self(Some(text).filter(|text| !text.is_empty()))
    }

    /// The text, if there is one.
    pub fn get(self) -> Option<&'a str> {
        self.0
    }

    /// A text that Cognito always sends.
    ///
    /// # Errors
    /// Internal if it is absent; the cause has `name`.
    pub fn required(self, name: &str) -> Result<&'a str> {
        self.0
            .ok_or_else(|| Error::internal(format!("the trigger's event has no {name}")))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|text| Self::new(text.unwrap_or_default()))
    }
}

/// Reads `null` as the default, because Cognito sends it for missing values.
///
/// # Errors
/// The type's own.
pub fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> std::result::Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A source that the function is not made for: the pool's configuration is wrong.
pub fn unknown_source() -> Error {
    Error::internal("the function is attached to a trigger that it is not made for")
}

/// Serves Cognito's calls until the process ends.
///
/// # Errors
/// If Lambda's runtime interface fails. An error of `handler` goes to Cognito, which passes it on to its caller.
pub async fn serve(
    function: &'static str,
    handler: impl AsyncFn(&mut Event) -> Result<()>,
) -> std::result::Result<(), lambda_runtime::Error> {
    let handler = &handler;
    let service = service_fn(async |event: LambdaEvent<Value>| {
        answer(function, event, handler)
            .await
            .map_err(|error| Diagnostic {
                error_message: trigger_error::encode(&error),
                error_type: error.name.into_owned(),
            })
    });
    Runtime::new(service).run().await
}

async fn answer(
    function: &'static str,
    event: LambdaEvent<Value>,
    handler: impl AsyncFn(&mut Event) -> Result<()>,
) -> Result<Map<String, Value>> {
    let started = Instant::now();
    let mut payload = Event(match event.payload {
        Value::Object(payload) => payload,
        // Not an event of a trigger: rejected like one without a source.
        _ => Map::new(),
    });
    let source = payload.source().to_owned();
    // Boxed, as the compiler follows futures within futures only so far.
    let handled = Box::pin(handler(&mut payload));
    let outcome = deadline::within(&event.context, handled).await;
    let call = Call {
        function,
        request_id: &event.context.request_id,
        route: &source,
        started,
    };
    call.finish(outcome.as_ref().copied());
    outcome.map(|()| payload.into_json())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{event, log};

    fn call() -> LambdaEvent<Value> {
        let request = json!({ "userAttributes": { "email": "user@example.com" }, "challengeAnswer": "012345" });
        let mut context = lambda_runtime::Context::default();
        context.request_id = "the-request-id".to_owned();
        let event = event("PreSignUp_SignUp", request).into_json();
        LambdaEvent::new(event.into(), context)
    }

    #[tokio::test]
    async fn cognito_gets_the_event_it_sent_with_the_response_filled_in() {
        let mut expected = call().payload;
        expected["response"]["autoConfirmUser"] = true.into();
        let handler = async |event: &mut Event| {
            event.respond("autoConfirmUser", true);
            Ok(())
        };
        assert_eq!(
            Value::from(answer("pre-sign-up", call(), handler).await.unwrap()),
            expected
        );
    }

    #[tokio::test]
    async fn each_event_logs_one_line_without_user_data() {
        for (error, outcome) in [
            (None, "success"),
            (Some(Error::invalid_parameter("no")), "refusal"),
            (Some(Error::internal("why")), "failure"),
        ] {
            let (log, _guard) = log();
            let error = std::cell::RefCell::new(error);
            let handler = async |_: &mut Event| error.take().map_or(Ok(()), Err);
            let _ = answer("pre-sign-up", call(), handler).await;
            let [line] = &log.lines()[..] else {
                panic!("{outcome}: one line");
            };
            let found = ["outcome", "route", "requestId"];
            let found = found.map(|name| line[name].as_str().unwrap());
            assert_eq!(found, [outcome, "PreSignUp_SignUp", "the-request-id"]);
            for secret in ["user@example.com", "the-username", "012345"] {
                assert!(!line.to_string().contains(secret), "{secret}");
            }
        }
    }

    #[test]
    fn a_response_is_filled_in_whatever_was_there() {
        for (before, after) in [
            (Value::Null, json!({ "a": 1 })),
            (json!([]), json!({ "a": 1 })),
            (json!({ "a": null, "b": 2 }), json!({ "a": 1, "b": 2 })),
        ] {
            let mut event = event("any", json!({})).into_json();
            event["response"] = before;
            let mut event = Event::new(event);
            event.respond("a", 1);
            assert_eq!(event.into_json()["response"], after);
        }
        let mut empty = Event::new(Map::new());
        empty.respond("a", 1);
        assert_eq!(empty.into_json()["response"], json!({ "a": 1 }));
    }
}
