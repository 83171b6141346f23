//! Events as API Gateway sends them, through the whole of a route to the answer it gets, with a mocked
//! Cognito behind.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use std::future::pending;

use aws_sdk_cognitoidentityprovider::Client;
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Map, Value, json};

use super::*;
use crate::config::Mode;
use crate::request::MAX_BODY_BYTES;
use crate::sign_in::{Request, sign_in};
use crate::testing::{answer, env, exception, log, metrics, pool, seen};

/// The complete events of a REST API (payload 1.0) and of an HTTP API (payload 2.0).
fn events() -> [Value; 2] {
    [
        include_str!("../../tests/events/rest-api.json"),
        include_str!("../../tests/events/http-api.json"),
    ]
    .map(|event| serde_json::from_str(event).unwrap())
}

/// The events with another body.
fn events_with(body: impl Into<Value>, base64: bool) -> [Value; 2] {
    let body = body.into();
    events().map(|mut event| {
        event["body"] = body.clone();
        event["isBase64Encoded"] = base64.into();
        event
    })
}

fn route(allowed_origin: &str) -> Route {
    let table = [("ALLOWED_ORIGIN", allowed_origin)];
    Route::from_env("sign-in", Env::new(&env(&table))).unwrap()
}

/// Lambda's context with this much time left.
fn context(left: Duration) -> Context {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + left;
    let mut context = Context::default();
    context.request_id = "the-request-id".to_owned();
    context.deadline = deadline.as_millis().try_into().unwrap();
    context
}

/// What API Gateway gets for the event, where Cognito answers sign-ins by this rule.
async fn answered(event: &Value, cognito: &Rule) -> Value {
    let event = Event::deserialize(event).unwrap();
    let (route, context) = (route("*"), context(Duration::from_secs(20)));
    let pool = pool([cognito]);
    let parse = |fields: &Fields<'_>| Request::parse(fields, Mode::UserPassword);
    let operation = async |request| sign_in(&pool, request).await;
    seen(route.answer(&event, &context, parse, operation).await)
}

/// What API Gateway gets for the outcome of an operation that has this much time.
async fn told<R: Serialize>(
    event: &Value,
    left: Duration,
    route: Route,
    outcome: impl AsyncFn() -> Result<R>,
) -> Value {
    let event = Event::deserialize(event).unwrap();
    let operation = async |()| outcome().await;
    seen(
        route
            .answer(&event, &context(left), |_| Ok(()), operation)
            .await,
    )
}

fn tokens() -> Rule {
    mock!(Client::initiate_auth)
        .match_requests(|sent| {
            let parameters = sent.auth_parameters().unwrap();
            parameters["USERNAME"] == "user@example.com" && parameters["PASSWORD"] == "pass word"
        })
        .then_http_response(|| answer(200, r#"{"AuthenticationResult":{"AccessToken":"a","IdToken":"i","RefreshToken":"r","ExpiresIn":3600,"TokenType":"Bearer"}}"#))
}

/// A Cognito that must not be asked.
fn nothing() -> Rule {
    mock!(Client::initiate_auth)
        .match_requests(|_| false)
        .then_http_response(|| answer(500, ""))
}

/// The name and message of the error in an answer, whose body holds nothing else.
fn error_of(answer: &Value) -> (String, String) {
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let text = |key: &str| body["error"][key].as_str().unwrap().to_owned();
    assert_eq!(
        body,
        json!({ "error": { "type": text("type"), "message": text("message") } })
    );
    (text("type"), text("message"))
}

fn headers(more: &[(&str, &str)]) -> Value {
    let contract = [
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Headers", "*"),
        ("Access-Control-Allow-Methods", "POST,OPTIONS"),
    ];
    let all = contract.iter().chain(more);
    all.map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect::<Map<_, _>>()
        .into()
}

/// The whole answer with this body; an HTTP API's has its list of cookies.
fn success(event: &Value, body: &str) -> Value {
    let mut answer = json!({ "statusCode": 200, "headers": headers(&[]), "body": body, "isBase64Encoded": false });
    if event["version"] == "2.0" {
        answer["cookies"] = json!([]);
    }
    answer
}

/// The headers of an answer that asks to wait.
fn wait(seconds: &str) -> [(&str, &str); 2] {
    [
        ("Access-Control-Expose-Headers", "Retry-After"),
        ("Retry-After", seconds),
    ]
}

#[tokio::test]
async fn a_success_is_answered_in_the_form_that_api_gateway_expects() {
    for event in events() {
        let cognito = tokens();
        let body = r#"{"accessToken":"a","tokenId":"i","refreshToken":"r","expiresIn":3600,"tokenType":"Bearer"}"#;
        assert_eq!(answered(&event, &cognito).await, success(&event, body));
        assert_eq!(cognito.num_calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_answered_with_its_status_and_the_same_headers() {
    for (code, status, retry_after) in [
        ("InvalidParameterException", 400, None),
        ("NotAuthorizedException", 401, None),
        ("UserNotConfirmedException", 403, None),
        ("UserNotFoundException", 404, None),
        ("AliasExistsException", 409, None),
        ("TooManyRequestsException", 429, Some("1")),
        ("LimitExceededException", 429, Some("900")),
        ("ResourceNotFoundException", 500, None),
        ("CodeDeliveryFailureException", 503, Some("5")),
    ] {
        for event in events() {
            let cognito = mock!(Client::initiate_auth)
                .then_http_response(move || exception(code, "Cognito says \"no\"."));
            let answer = answered(&event, &cognito).await;
            let more = retry_after.map_or(vec![], |seconds| wait(seconds).to_vec());
            assert_eq!(answer["statusCode"], status, "{code}");
            assert_eq!(answer["headers"], headers(&more), "{code}");
            let (name, message) = match status {
                500 => (
                    "InternalErrorException",
                    "Something went wrong on our side. Please try again later.",
                ),
                503 => (
                    "ServiceUnavailableException",
                    "The service is not available at the moment. Please try again in a few seconds.",
                ),
                _ => (code, "Cognito says \"no\"."),
            };
            assert_eq!(error_of(&answer), (name.to_owned(), message.to_owned()));
        }
    }
}

#[tokio::test]
async fn the_session_to_use_next_is_in_the_error_and_nowhere_else() {
    let refusal = async || {
        let session = "the-next".to_owned().into();
        Err::<(), _>(Error::not_authorized("no").with_session(session))
    };
    let answer = told(&events()[0], Duration::from_secs(20), route("*"), refusal).await;
    assert_eq!(
        answer["body"],
        r#"{"error":{"type":"NotAuthorizedException","message":"no","session":"the-next"}}"#
    );
}

#[tokio::test]
async fn a_body_that_can_not_be_read_is_refused_before_cognito_is_asked() {
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let deep = format!(
        "{{\"username\":{}{}}}",
        "[".repeat(8_000),
        "]".repeat(8_000)
    );
    let deep_objects = "{\"a\":".repeat(2_500) + "1" + &"}".repeat(2_499);
    for (why, body, is_base64, name) in [
        ("empty", json!(""), false, "SerializationException"),
        ("null", Value::Null, false, "SerializationException"),
        ("null, base64", Value::Null, true, "SerializationException"),
        (
            "the JSON null",
            json!("null"),
            false,
            "SerializationException",
        ),
        ("an array", json!("[]"), false, "SerializationException"),
        (
            "a form",
            json!("username=a&password=b"),
            false,
            "SerializationException",
        ),
        (
            "cut short",
            json!("{\"username\":"),
            false,
            "SerializationException",
        ),
        (
            "a key twice",
            json!(
                r#"{"username":"user@example.com","username":"other@example.com","password":"p"}"#
            ),
            false,
            "SerializationException",
        ),
        (
            "2,500 levels, not closed",
            json!(deep_objects),
            false,
            "SerializationException",
        ),
        (
            "8,000 levels in place of a text",
            json!(deep),
            false,
            "InvalidParameterType",
        ),
        (
            "base64 that is not",
            json!("!"),
            true,
            "SerializationException",
        ),
        (
            "base64 cut short",
            json!("eyJ1c2Vy"),
            true,
            "SerializationException",
        ),
        (
            "base64 without its padding",
            json!(base64(b"{}").trim_end_matches('=')),
            true,
            "SerializationException",
        ),
        (
            "JSON that is marked as base64",
            json!("{}"),
            true,
            "SerializationException",
        ),
        (
            "base64 that is not marked",
            json!(base64(b"{}")),
            false,
            "SerializationException",
        ),
        (
            "bytes that are not UTF-8",
            json!(base64(b"{\"username\":\"\xff\xfe\"}")),
            true,
            "SerializationException",
        ),
        (
            "an image",
            json!(base64(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")),
            true,
            "SerializationException",
        ),
        (
            "an empty object",
            json!("{}"),
            false,
            "MissingRequiredParameter",
        ),
    ] {
        for event in events_with(body.clone(), is_base64) {
            let cognito = nothing();
            let answer = answered(&event, &cognito).await;
            assert_eq!(answer["statusCode"], 400, "{why}");
            assert_eq!(answer["headers"], headers(&[]), "{why}");
            assert_eq!(error_of(&answer).0, name, "{why}");
            assert_eq!(cognito.num_calls(), 0, "{why}");
        }
    }
}

#[tokio::test]
async fn a_base64_body_is_read_like_any_other() {
    let body = STANDARD.encode(r#"{"username":"user@example.com","password":"pass word"}"#);
    for event in events_with(body, true) {
        assert_eq!(answered(&event, &tokens()).await["statusCode"], 200);
    }
}

#[tokio::test]
async fn the_limit_of_16_kib_is_the_bodys_own_however_it_is_sent() {
    let body = |size: usize| {
        let mut body = r#"{"username":"user@example.com","password":"pass word"}"#.to_owned();
        body.push_str(&" ".repeat(size - body.len()));
        body
    };
    let deep = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
    for (why, body, status) in [
        ("the largest", body(MAX_BODY_BYTES), 200),
        ("one byte more", body(MAX_BODY_BYTES + 1), 413),
        ("two bytes more", body(MAX_BODY_BYTES + 2), 413),
        ("three bytes more", body(MAX_BODY_BYTES + 3), 413),
        ("API Gateway's own limit", body(4_000_000), 413),
        ("10,000 levels", deep, 413),
    ] {
        let encoded = STANDARD.encode(&body);
        assert!(encoded.len() > MAX_BODY_BYTES);
        for event in events_with(body, false)
            .into_iter()
            .chain(events_with(encoded, true))
        {
            let cognito = tokens();
            let answer = answered(&event, &cognito).await;
            assert_eq!(answer["statusCode"], status, "{why}");
            assert_eq!(cognito.num_calls(), usize::from(status == 200), "{why}");
            if status == 413 {
                let expected = (
                    "RequestEntityTooLargeException",
                    "The request body is larger than 16384 bytes.",
                );
                assert_eq!(
                    error_of(&answer),
                    (expected.0.to_owned(), expected.1.to_owned()),
                    "{why}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_long_text_that_is_no_base64_is_too_large_without_being_decoded() {
    for event in events_with("!".repeat(100_000), true) {
        assert_eq!(answered(&event, &nothing()).await["statusCode"], 413);
    }
}

#[tokio::test]
async fn the_method_is_an_http_api_s_own_where_an_event_names_two() {
    let [_, mut event] = events();
    event["httpMethod"] = "GET".into();
    assert_eq!(answered(&event, &tokens()).await["statusCode"], 200);
}

#[tokio::test]
async fn another_method_is_refused_where_the_gateway_lets_it_through() {
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "post", ""] {
        let [mut rest, mut http] = events();
        rest["httpMethod"] = method.into();
        http["requestContext"]["http"]["method"] = method.into();
        for event in [rest, http] {
            let answer = answered(&event, &nothing()).await;
            assert_eq!(answer["statusCode"], 405, "{method}");
            assert_eq!(
                answer["headers"],
                headers(&[("Allow", "POST, OPTIONS")]),
                "{method}"
            );
            assert_eq!(error_of(&answer).0, "MethodNotAllowedException");
        }
    }
}

#[tokio::test]
async fn a_preflight_is_answered_without_a_look_at_its_body() {
    let [mut rest, mut http] = events_with(Value::Null, false);
    rest["httpMethod"] = "OPTIONS".into();
    http["requestContext"]["http"]["method"] = "OPTIONS".into();
    for event in [rest, http] {
        assert_eq!(answered(&event, &nothing()).await, success(&event, "{}"));
    }
}

#[tokio::test]
async fn the_allowed_origin_is_the_stacks_whatever_the_caller_says() {
    for event in events() {
        for (outcome, status) in [(Ok(json!({})), 200), (Err("no"), 401)] {
            let route = route("https://www.example.com:8443");
            let operation = async || outcome.clone().map_err(Error::not_authorized);
            let answer = told(&event, Duration::from_secs(20), route, operation).await;
            assert_eq!(answer["statusCode"], status);
            assert_eq!(
                answer["headers"]["Access-Control-Allow-Origin"],
                "https://www.example.com:8443"
            );
        }
    }
}

#[test]
fn an_allowed_origin_that_is_none_fails_at_start() {
    for (origin, why) in [
        ("", "missing"),
        ("example.com", "no scheme"),
        ("https://", "no host"),
        ("https://example.com/", "a path"),
        ("https://a.example,https://b.example", "two"),
        ("https://*.example.com", "a pattern"),
        ("ftp://example.com", "another scheme"),
        ("https://example.com\r\nX: y", "another header"),
        ("null", "the null origin"),
    ] {
        let error = Route::from_env("sign-in", Env::new(&env(&[("ALLOWED_ORIGIN", origin)])));
        assert!(
            error.unwrap_err().to_string().contains("ALLOWED_ORIGIN"),
            "{why}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_takes_too_long_is_unavailable_before_lambda_ends_the_function() {
    for (why, left, longest) in [
        (
            "time enough",
            Duration::from_secs(20),
            Duration::from_millis(19_600),
        ),
        (
            "hardly any",
            Duration::from_millis(600),
            Duration::from_millis(200),
        ),
        (
            "less than is kept back",
            Duration::from_millis(400),
            Duration::from_millis(10),
        ),
    ] {
        let started = tokio::time::Instant::now();
        let operation = async || pending::<Result<()>>().await;
        let answer = told(&events()[0], left, route("*"), operation).await;
        assert_eq!(answer["statusCode"], 503, "{why}");
        assert_eq!(answer["headers"], headers(&wait("5")), "{why}");
        assert_eq!(error_of(&answer).0, "ServiceUnavailableException", "{why}");
        assert!(
            started.elapsed() <= longest,
            "{why}: {:?}",
            started.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_long_past_leaves_the_time_that_the_template_gives() {
    let mut context = context(Duration::ZERO);
    context.deadline = 600_000;
    for (takes, status) in [(19, 200), (20, 503)] {
        let operation = async |()| {
            tokio::time::sleep(Duration::from_secs(takes)).await;
            Ok(json!({}))
        };
        let event = Event {
            body: Some("{}".to_owned()),
            ..Event::default()
        };
        let answer = route("*")
            .answer(&event, &context, |_| Ok(()), operation)
            .await;
        assert_eq!(seen(answer)["statusCode"], status, "{takes} s");
    }
}

#[tokio::test]
async fn an_odd_event_is_answered_like_any_other() {
    let body = r#"{"username":"user@example.com","password":"pass word"}"#;
    for (event, status) in [
        (json!({}), 400),
        (
            json!({ "body": null, "isBase64Encoded": null, "httpMethod": null, "resource": null, "requestContext": null }),
            400,
        ),
        (json!({ "body": body }), 200),
        (json!({ "body": body, "isBase64Encoded": null }), 200),
        (json!({ "body": body, "requestContext": {} }), 200),
        (
            json!({ "body": body, "requestContext": { "http": null } }),
            200,
        ),
        (
            json!({ "body": body, "requestContext": { "http": {} } }),
            200,
        ),
        (
            json!({ "body": body, "requestContext": { "http": { "method": null, "path": null } } }),
            200,
        ),
        (
            json!({ "body": body, "aFieldOfTomorrow": [{}], "headers": 5, "requestContext": { "elb": {} } }),
            200,
        ),
        (json!({ "body": body, "resource": "" }), 200),
        (json!({ "body": "\u{0}" }), 400),
        (json!({ "body": "\u{feff}{}" }), 400),
        (json!({ "isBase64Encoded": true }), 400),
        (json!({ "body": "====", "isBase64Encoded": true }), 400),
        (
            json!({ "body": "AAAA\u{1f680}", "isBase64Encoded": true }),
            400,
        ),
    ] {
        assert_eq!(
            answered(&event, &tokens()).await["statusCode"],
            status,
            "{event}"
        );
    }
}

#[tokio::test]
async fn each_answer_is_one_line_of_the_log_that_holds_nothing_of_the_request() {
    for (cognito, level, outcome, cause) in [
        (tokens(), "INFO", "success", Value::Null),
        (
            mock!(Client::initiate_auth).then_http_response(|| {
                exception("NotAuthorizedException", "Incorrect username or password.")
            }),
            "INFO",
            "refusal",
            Value::Null,
        ),
        (
            mock!(Client::initiate_auth).then_http_response(|| {
                exception(
                    "ResourceNotFoundException",
                    "User pool client client does not exist.",
                )
            }),
            "ERROR",
            "failure",
            json!("ResourceNotFoundException: User pool client client does not exist."),
        ),
    ] {
        let (log, _guard) = log();
        answered(&events()[0], &cognito).await;
        let lines = log.lines();
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        assert_eq!(line["level"], level);
        assert_eq!(line["outcome"], outcome);
        assert_eq!(line["cause"], cause);
        assert_eq!(line["requestId"], "the-request-id");
        assert_eq!(
            (&line["function"], &line["route"]),
            (&json!("sign-in"), &json!("/auth/sign-in"))
        );
        for secret in ["user@example.com", "pass word", "192.0.2.1"] {
            assert!(!line.to_string().contains(secret), "{secret}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_counted_with_what_was_asked_of_cognito_and_what_came_of_it() {
    let failure = || answer(500, r#"{"__type":"InternalErrorException"}"#);
    let granted = || {
        let tokens = r#"{"AuthenticationResult":{"AccessToken":"a","IdToken":"i","RefreshToken":"r","ExpiresIn":3600}}"#;
        answer(200, tokens)
    };
    let once_failing = mock!(Client::initiate_auth)
        .sequence()
        .http_response(failure)
        .http_response(granted)
        .build();
    let refusal = mock!(Client::initiate_auth)
        .then_http_response(|| exception("NotAuthorizedException", "no"));
    let throttled = mock!(Client::initiate_auth)
        .then_http_response(|| exception("TooManyRequestsException", "no"));
    let failing = mock!(Client::initiate_auth).then_http_response(failure);
    let no_request = events_with("", false);
    let (metrics, _guard) = metrics();
    // The requests and the repeats among them; nothing is left over of the one before.
    let signs_in = &events()[0];
    for (event, cognito, upstream, outcome, counted) in [
        (
            signs_in,
            once_failing,
            Some([2, 1]),
            "success",
            Some("SignIns"),
        ),
        (
            signs_in,
            refusal,
            Some([1, 0]),
            "refusal",
            Some("SignInFailures"),
        ),
        // A limit of requests tells nothing of who signs in.
        (signs_in, throttled, Some([3, 2]), "refusal", None),
        (signs_in, failing, Some([3, 2]), "failure", None),
        (&no_request[0], nothing(), None, "refusal", None),
    ] {
        let (log, _guard) = log();
        answered(event, &cognito).await;
        let line = &log.lines()[0];
        let number = |index: usize| upstream.map_or(Value::Null, |numbers| numbers[index].into());
        assert_eq!(line["upstreamAttempts"], number(0), "{line}");
        assert_eq!(line["upstreamRetries"], number(1), "{line}");
        assert_eq!(line["upstreamMs"].is_f64(), upstream.is_some(), "{line}");

        let by_outcome = |metric: &str| format!("{metric} sign-in {outcome}");
        let mut expected = vec![(by_outcome("Requests"), 1)];
        expected.extend(counted.map(|metric| (metric.to_owned(), 1)));
        if let Some([_, retries]) = upstream {
            expected.push((by_outcome("UpstreamLatency"), 1));
            expected.push((by_outcome("UpstreamRetries"), retries));
        }
        expected.retain(|(_, count)| *count > 0);
        assert_eq!(metrics.take(), expected, "{line}");
    }
}
