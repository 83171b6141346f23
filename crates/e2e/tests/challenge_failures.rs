//! What the challenge triggers' processes answer when what they call fails: always something, before
//! Cognito gives up on them, and no message that is not counted.

use std::time::{Duration, Instant};

use e2e::{DependenciesDouble, Function, Sns};
use serde_json::{Value, json};

/// Cognito waits this long for a trigger, then calls it again.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is left of it for the start of the function.
const TIME: Duration = Duration::from_millis(4500);

fn trigger(name: &'static str, dependencies: &DependenciesDouble) -> Function {
    Function::configured(name).with("AWS_ENDPOINT_URL", dependencies.url())
}

fn event(trigger: &str) -> Value {
    json!({
        "triggerSource": format!("{trigger}_Authentication"),
        "request": {
            "userAttributes": { "sub": "a-sub", "phone_number": "+34999999999" },
            "challengeName": "CUSTOM_CHALLENGE",
            "session": [],
            "privateChallengeParameters": { "code": "012345" },
            "challengeAnswer": "012345",
        },
        "response": {},
    })
}

/// Checks that the function says in time that it is not available.
#[track_caller]
fn assert_unavailable_in_time(function: &Function, event: &Value) {
    let started = Instant::now();
    let answer = function.answer(event, PATIENCE).expect("no answer");
    assert!(started.elapsed() < TIME, "{:?}", started.elapsed());
    assert_eq!(
        answer["errorType"], "ServiceUnavailableException",
        "{answer}"
    );
}

/// The counts that the last write left behind, and whether it left a code to use again.
#[track_caller]
fn left_behind(dependencies: &DependenciesDouble) -> (String, String, bool) {
    let writes = dependencies.requests("UpdateItem");
    assert_eq!(writes.len(), 2, "counted, then taken back: {writes:?}");
    let write: Value = serde_json::from_str(&writes[1]).unwrap();
    let number = |name: &str| {
        let value = write["ExpressionAttributeValues"][name]["N"].as_str();
        value.unwrap().to_owned()
    };
    let keeps_code = write["ExpressionAttributeValues"][":code"].is_object();
    (number(":hourSends"), number(":daySends"), keeps_code)
}

#[test]
fn a_message_that_sns_refuses_is_taken_back_and_does_not_count() {
    let dependencies = DependenciesDouble::with(Sns::Failing);
    let function = trigger("create-auth-challenge", &dependencies);
    assert_unavailable_in_time(&function, &event("CreateAuthChallenge"));
    assert_eq!(dependencies.requests("Publish").len(), 1);
    let expected = ("0".to_owned(), "0".to_owned(), false);
    assert_eq!(left_behind(&dependencies), expected);
}

#[test]
fn a_message_that_sns_does_not_answer_for_is_taken_back_but_counts_as_it_may_arrive() {
    let dependencies = DependenciesDouble::with(Sns::Silent);
    let function = trigger("create-auth-challenge", &dependencies);
    assert_unavailable_in_time(&function, &event("CreateAuthChallenge"));
    assert_eq!(dependencies.requests("Publish").len(), 1);
    let expected = ("1".to_owned(), "1".to_owned(), false);
    assert_eq!(left_behind(&dependencies), expected);
}

#[test]
fn without_the_limits_no_message_is_sent_and_no_answer_compared() {
    let dependencies = DependenciesDouble::silent();
    for (name, source) in [
        ("create-auth-challenge", "CreateAuthChallenge"),
        (
            "verify-auth-challenge-response",
            "VerifyAuthChallengeResponse",
        ),
    ] {
        assert_unavailable_in_time(&trigger(name, &dependencies), &event(source));
    }
    assert!(dependencies.requests("Publish").is_empty());
}
