//! What a function's process answers to what Cognito says.

use std::path::Path;
use std::time::Duration;

use e2e::{Answer, Authority, Aws, Fault, Function, Mode, Trouble};
use serde_json::Value;

/// What `sign-in`'s process answers where Cognito says this, whatever it is asked.
fn sign_in(status: &'static str, body: &'static str) -> Answer {
    let authority = Authority::new(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let aws = Aws::start(&authority);
    aws.fail(Trouble {
        fault: Fault::Answer(status, body),
        operation: Some("InitiateAuth"),
        after: 0,
        most: usize::MAX,
    });
    let mut process = Function::configured("sign-in").behind(&aws).start();
    process.ready().unwrap();
    let mut routes = Mode::UserPassword.routes();
    let route = routes.find(|route| route.path == "/sign-in").unwrap();
    let event = route.event(route.body()).to_string();
    let answer = process.invoke(&event, Duration::from_secs(20));
    Answer::of_function(&serde_json::from_str(&answer.unwrap()).unwrap())
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
        let answer = sign_in("400 Bad Request", exception);
        let exception: Value = serde_json::from_str(exception).unwrap();
        let text = |name: &str| exception[name].as_str().unwrap();
        answer.refused_with(429, text("__type"), text("message"));
        assert_eq!(answer.header("retry-after"), Some(seconds), "{exception}");
    }
}

#[test]
fn a_configuration_that_cognito_does_not_know_is_a_500_that_tells_no_cause() {
    let answer = sign_in(
        "400 Bad Request",
        r#"{"__type":"ResourceNotFoundException","message":"User pool client client does not exist."}"#,
    );
    answer.refused_with(
        500,
        "InternalErrorException",
        "Something went wrong on our side. Please try again later.",
    );
}

#[test]
fn a_success_of_cognito_s_without_tokens_is_none_of_ours() {
    for body in [
        "{}",
        r#"{"AuthenticationResult":{}}"#,
        r#"{"AuthenticationResult":{"AccessToken":"a.b.c","IdToken":""}}"#,
    ] {
        sign_in("200 OK", body).refused(503, "ServiceUnavailableException");
    }
}
