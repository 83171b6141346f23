//! What the unit tests share: environments, Cognito's answers as it sends them, and clients that read them.

use aws_sdk_cognitoidentityprovider::config::http::HttpResponse;
use serde_json::{Value, json};

use crate::trigger::Event;

/// An environment from a table; a later entry replaces an earlier one.
pub(crate) fn env<'a>(table: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    move |name| {
        let (_, value) = table.iter().rev().find(|(key, _)| *key == name)?;
        Some((*value).to_owned())
    }
}

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
