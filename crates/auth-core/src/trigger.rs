//! Cognito's triggers: an event in, the same event with its response filled in out.
//!
//! The event stays the JSON it is, because Cognito refuses an answer in which a field it sent is missing,
//! and it may send fields that nobody knows yet.

use std::fmt;
use std::time::Instant;

use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::telemetry::Call;
use crate::{challenge, deadline, limits, roles};

/// An event of a Cognito trigger.
pub struct Event(Map<String, Value>);

/// Never printed by accident: `{:?}` tells the source only, not the user nor a code.
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
        self.text(&["triggerSource"]).unwrap_or_default()
    }

    /// The text at this path, if there is one and it is not empty.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// The value at this path.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.0.get(*first)?, |value, key| value.get(key))
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

    /// The rounds of a sign-in so far, the oldest first.
    pub fn rounds(&self) -> &[Value] {
        let rounds = self.at(&["request", "session"]).and_then(Value::as_array);
        rounds.map_or(&[], Vec::as_slice)
    }

    /// Whether the user does not exist, which Cognito hides from its caller.
    pub fn user_not_found(&self) -> bool {
        self.at(&["request", "userNotFound"]) == Some(&Value::Bool(true))
    }

    /// What the user's limits are kept under: the `sub`, or for a user who does not exist a digest of the
    /// name that was asked for, so that their limits give nothing away and no phone number is stored.
    ///
    /// # Errors
    /// Internal where the event names no user.
    pub fn limits_key(&self) -> Result<String> {
        if !self.user_not_found() {
            return self
                .required(&["request", "userAttributes", "sub"])
                .map(str::to_owned);
        }
        let name = [
            self.required(&["userPoolId"])?,
            self.required(&["userName"])?,
        ]
        .join("/");
        let digest = Sha256::digest(name);
        Ok(digest.iter().fold("unknown-".to_owned(), |key, byte| {
            key + &format!("{byte:02x}")
        }))
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

/// A source that the function is not made for: the pool's configuration is wrong.
pub fn unknown_source() -> Error {
    Error::internal("the function is attached to a trigger that it is not made for")
}

/// The text of a refusal, which Cognito hands on to its caller after a text of its own.
fn told(error: &Error) -> String {
    match error.retry_after {
        Some(seconds) => format!("{}: {} Retry after {seconds} s.", error.name, error.message),
        None => format!("{}: {}", error.name, error.message),
    }
}

/// The refusal of a trigger of ours that Cognito hands on in this text, if there is one.
fn refusal_in(text: &str) -> Option<Error> {
    let retry_after = || {
        let (_, rest) = text.split_once("Retry after ")?;
        rest.split_once(" s.")?.0.parse().ok()
    };
    refusals()
        .into_iter()
        .find(|refusal| text.contains(&format!("{}: ", refusal.name)))
        .map(|refusal| Error {
            retry_after: refusal
                .retry_after
                .and_then(|_| retry_after())
                .or(refusal.retry_after),
            ..refusal
        })
}

/// The failure of a trigger that Cognito hands on in this text, as if it were a refusal: one that the trigger told,
/// or the report of Lambda, where it ended without an answer.
pub(crate) fn failure_in(text: &str) -> Option<Error> {
    match text.contains(" failed with error RequestId: ") {
        true => Some(Error::internal(
            "a trigger ended without an answer: see its log",
        )),
        false => refusal_in(text).filter(Error::is_failure),
    }
}

/// As `Error::from`, with the refusal of a trigger of ours in place of Cognito's report of it.
pub fn refusal_or_error<E>(error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let refusal = error
        .as_service_error()
        .and_then(|exception| match exception.code() {
            Some(
                "UserLambdaValidationException"
                | "UnexpectedLambdaException"
                | "InvalidLambdaResponseException",
            ) => refusal_in(exception.message()?),
            _ => None,
        });
    refusal.unwrap_or_else(|| error.into())
}

/// The refusals that a trigger can tell `sign-in`, `token` and `sign-up-confirm`.
fn refusals() -> [Error; 5] {
    [
        challenge::user_not_confirmed(),
        limits::too_many(1000),
        roles::phone_not_allowed(),
        Error::internal("a trigger failed: see its log"),
        Error::unavailable("a trigger failed: see its log"),
    ]
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
                error_message: told(&error),
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
        // No trigger's event, and refused as one without a source.
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
    use crate::error::Kind;
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
    async fn each_event_is_one_line_of_the_log_that_holds_nothing_of_the_user() {
        for (refusal, level, outcome, cause) in [
            (None, "INFO", "success", Value::Null),
            (
                Some(Error::invalid_parameter("no")),
                "INFO",
                "refusal",
                Value::Null,
            ),
            (
                Some(Error::internal("why")),
                "ERROR",
                "failure",
                json!("why"),
            ),
        ] {
            let (log, _guard) = log();
            let refusal = std::cell::RefCell::new(refusal);
            let handler = async |_: &mut Event| refusal.take().map_or(Ok(()), Err);
            let _ = answer("pre-sign-up", call(), handler).await;
            let lines = log.lines();
            assert_eq!(lines.len(), 1);
            let line = &lines[0];
            assert_eq!(
                (&line["level"], &line["outcome"]),
                (&json!(level), &json!(outcome))
            );
            assert_eq!(line["cause"], cause);
            assert_eq!(line["route"], "PreSignUp_SignUp");
            assert_eq!(line["requestId"], "the-request-id");
            for secret in ["user@example.com", "the-username", "012345"] {
                assert!(!line.to_string().contains(secret), "{secret}");
            }
        }
    }

    #[test]
    fn every_refusal_of_a_challenge_trigger_is_read_back_as_it_was_told() {
        for refusal in refusals() {
            let heard = refusal_in(&format!("X failed with error {}.", told(&refusal))).unwrap();
            assert_eq!(
                (heard.kind, &heard.name, &heard.message, heard.retry_after),
                (
                    refusal.kind,
                    &refusal.name,
                    &refusal.message,
                    refusal.retry_after
                )
            );
        }
        let wait = limits::too_many(26_001);
        assert_eq!(refusal_in(&told(&wait)).unwrap().retry_after, Some(27));
        assert!(refusal_in("X failed with error of its own.").is_none());
    }

    #[test]
    fn a_failure_of_ours_is_told_to_cognito_without_its_cause() {
        let error = Error::internal("the cause");
        assert_eq!(
            told(&error),
            "InternalErrorException: Something went wrong on our side. Please try again later."
        );
    }

    #[test]
    fn a_response_is_filled_in_whatever_was_there() {
        for (before, after) in [
            (None, json!({ "a": 1 })),
            (Some(Value::Null), json!({ "a": 1 })),
            (Some(json!([])), json!({ "a": 1 })),
            (Some(json!("text")), json!({ "a": 1 })),
            (
                Some(json!({ "a": null, "b": 2 })),
                json!({ "a": 1, "b": 2 }),
            ),
        ] {
            let mut event = event("any", json!({})).into_json();
            event.remove("response");
            if let Some(before) = before {
                event.insert("response".to_owned(), before);
            }
            let mut event = Event::new(event);
            event.respond("a", 1);
            assert_eq!(event.into_json()["response"], after);
        }
    }

    #[test]
    fn limits_are_kept_under_the_sub_and_never_under_a_name() {
        let request = json!({ "userAttributes": { "sub": "s-1", "phone_number": "+34999999999" } });
        assert_eq!(event("any", request).limits_key().unwrap(), "s-1");
        let unknown = event("any", json!({ "userNotFound": true }))
            .limits_key()
            .unwrap();
        assert!(unknown.starts_with("unknown-") && !unknown.contains("the-username"));
        let error = event("any", json!({ "userNotFound": "true" }))
            .limits_key()
            .unwrap_err();
        assert_eq!(error.kind, Kind::Internal);
        assert_eq!(
            error.cause.unwrap(),
            "the trigger's event has no request.userAttributes.sub"
        );
    }
}
