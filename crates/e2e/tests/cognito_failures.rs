//! What a function's process answers when Cognito is out of reach, too slow or failing: never nothing.

use std::time::{Duration, Instant};

use e2e::{CognitoDouble, Function};
use serde_json::{Value, json};

/// What `sign-in`'s process answers to a request with this Cognito behind it: status, headers and error.
fn sign_in(cognito: &CognitoDouble, time: Duration) -> (Value, Value, Value) {
    let function = Function::configured("sign-in").with("AWS_ENDPOINT_URL", cognito.url());
    let body = json!({ "username": "user@example.com", "password": "Secret!1" }).to_string();
    let event = json!({ "httpMethod": "POST", "resource": "/auth/sign-in", "body": body });
    let answer = function.answer(&event, time).unwrap();
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    (
        answer["statusCode"].clone(),
        answer["headers"].clone(),
        body["error"].clone(),
    )
}

#[test]
fn cognito_out_of_reach_or_failing_is_a_503_with_the_time_to_wait() {
    for cognito in [
        CognitoDouble::out_of_reach(),
        CognitoDouble::answering(
            "500 Internal Server Error",
            r#"{"__type":"InternalErrorException"}"#,
        ),
        CognitoDouble::answering("502 Bad Gateway", "<html>"),
    ] {
        let (status, headers, error) = sign_in(&cognito, Duration::from_secs(20));
        assert_eq!(status, 503, "{cognito:?}: {error}");
        assert_eq!(headers["Retry-After"], "5");
        assert_eq!(headers["Access-Control-Allow-Origin"], "*");
        assert_eq!(
            error,
            json!({
                "type": "ServiceUnavailableException",
                "message": "The service is not available at the moment. Please try again in a few seconds.",
            })
        );
    }
}

#[test]
fn a_cognito_that_does_not_answer_is_a_503_before_lambda_ends_the_function() {
    let time = Duration::from_secs(2);
    let started = Instant::now();
    let (status, _, error) = sign_in(&CognitoDouble::silent(), time);
    assert!(started.elapsed() < time, "{:?}", started.elapsed());
    assert_eq!(status, 503, "{error}");
}

#[test]
fn throttling_by_cognito_is_a_429_with_the_time_to_wait() {
    for (exception, seconds) in [
        (
            r#"{"__type":"TooManyRequestsException","message":"Rate exceeded"}"#,
            "1",
        ),
        (
            r#"{"__type":"LimitExceededException","message":"Attempt limit exceeded, please try after some time."}"#,
            "900",
        ),
    ] {
        let cognito = CognitoDouble::answering("400 Bad Request", exception);
        let (status, headers, error) = sign_in(&cognito, Duration::from_secs(20));
        assert_eq!(status, 429, "{error}");
        assert_eq!(headers["Retry-After"], seconds, "{error}");
        let exception: Value = serde_json::from_str(exception).unwrap();
        assert_eq!(
            error,
            json!({ "type": exception["__type"], "message": exception["message"] })
        );
    }
}

#[test]
fn a_configuration_that_cognito_does_not_know_is_a_500_that_tells_no_cause() {
    let cognito = CognitoDouble::answering(
        "400 Bad Request",
        r#"{"__type":"ResourceNotFoundException","message":"User pool client client does not exist."}"#,
    );
    let (status, _, error) = sign_in(&cognito, Duration::from_secs(20));
    assert_eq!(status, 500);
    assert_eq!(
        error,
        json!({
            "type": "InternalErrorException",
            "message": "Something went wrong on our side. Please try again later.",
        })
    );
}

#[test]
fn a_success_of_cognito_s_without_tokens_is_none_of_ours() {
    for body in [
        "{}",
        r#"{"AuthenticationResult":{}}"#,
        r#"{"AuthenticationResult":{"AccessToken":"a.b.c","IdToken":""}}"#,
    ] {
        let (status, _, error) = sign_in(
            &CognitoDouble::answering("200 OK", body),
            Duration::from_secs(20),
        );
        assert_eq!(status, 503, "{body}: {error}");
    }
}
