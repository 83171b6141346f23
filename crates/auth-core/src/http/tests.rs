//! Events as API Gateway sends them, through the whole of a route to the answer it gets, with a mocked
//! Cognito behind.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fake_aws::{Call, FakeAws, Reply};
use serde_json::{Map, Value, json};

use super::*;
use crate::request::MAX_BODY_BYTES;
use crate::route::{Anyone, Bearer};
use crate::sign_in::SignIn;
use crate::testing::{log, metrics, to_json, with_setup};

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

/// Lambda's context with this much time left.
fn context(left: Duration) -> Context {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + left;
    let mut context = Context::default();
    context.request_id = "the-request-id".to_owned();
    context.deadline = deadline.as_millis().try_into().unwrap();
    context
}

/// The answer of `sign-in` to API Gateway for this event and this AWS.
async fn sign_in(event: &Value, aws: &FakeAws) -> Value {
    let endpoint = with_setup(aws.http_client(), &[], Endpoint::<SignIn>::new).unwrap();
    call(&endpoint, event, context(Duration::from_secs(20))).await
}

/// A route of this outcome, after some time.
struct Outcome<F> {
    after: Duration,
    outcome: F,
}

impl<R: Serialize, F: Fn() -> Result<R> + Send + Sync + 'static> Route for Outcome<F> {
    const NAME: &'static str = "outcome";
    type Caller = Anyone;
    type Request = ();
    type Response = R;

    fn new(_: &Setup<'_>) -> config::Result<Self> {
        unreachable!("a test makes it")
    }

    fn parse(&self, _: Anyone, _: &Fields<'_>) -> Result<()> {
        Ok(())
    }

    async fn run(&self, (): ()) -> Result<R> {
        tokio::time::sleep(self.after).await;
        (self.outcome)()
    }
}

fn outcome<F>(after: Duration, outcome: F) -> Endpoint<Outcome<F>> {
    Endpoint {
        route: Outcome { after, outcome },
        allowed_origin: HeaderValue::from_static("https://app.example.com"),
    }
}

/// As Lambda's runtime calls it and answers for it; the headers of both kinds of API in one form.
async fn call(endpoint: &Endpoint<impl Route>, event: &Value, context: Context) -> Value {
    let event = serde_json::from_str(&event.to_string()).unwrap();
    let answer = endpoint
        .service()
        .call(LambdaEvent::new(event, context))
        .await;
    let mut answer = to_json(answer.unwrap());
    let mut headers = answer["headers"].take();
    let more = answer.as_object_mut().unwrap().remove("multiValueHeaders");
    for (name, values) in more.iter().filter_map(Value::as_object).flatten() {
        assert!(headers[name].is_null());
        headers[name] = values[0].clone();
    }
    answer["headers"] = headers;
    answer
}

/// A Cognito that signs `user@example.com` in.
fn tokens() -> FakeAws {
    let tokens = json!({ "AccessToken": "a", "IdToken": "i", "RefreshToken": "r", "ExpiresIn": 3600, "TokenType": "Bearer" });
    FakeAws::with(
        "InitiateAuth",
        Reply::json(200, &json!({ "AuthenticationResult": tokens })),
    )
}

fn assert_signed_in(aws: &FakeAws) {
    let parameters = json!({ "USERNAME": "user@example.com", "PASSWORD": "pass word" });
    let bodies = aws.bodies("InitiateAuth");
    assert_eq!(bodies.len(), 1);
    assert_eq!(bodies[0]["AuthParameters"], parameters);
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
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("access-control-allow-origin", "*"),
        ("access-control-allow-headers", "*,Authorization"),
        ("access-control-allow-methods", "POST,OPTIONS"),
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

/// The headers of an answer with `Retry-After`.
fn wait(seconds: &str) -> [(&str, &str); 2] {
    [
        ("access-control-expose-headers", "Retry-After"),
        ("retry-after", seconds),
    ]
}

#[tokio::test]
async fn a_success_is_answered_in_the_form_that_api_gateway_expects() {
    for event in events() {
        let aws = tokens();
        let body = r#"{"accessToken":"a","tokenId":"i","refreshToken":"r","expiresIn":3600,"tokenType":"Bearer"}"#;
        assert_eq!(sign_in(&event, &aws).await, success(&event, body));
        assert_signed_in(&aws);
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
            let aws = FakeAws::failing("InitiateAuth", code, "Cognito says \"no\".");
            let answer = sign_in(&event, &aws).await;
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
async fn the_session_to_use_next_is_in_the_error() {
    let endpoint = outcome(Duration::ZERO, || {
        let session = "the-next".to_owned().into();
        Err::<(), _>(Error::not_authorized("no").with_session(session))
    });
    let answer = call(&endpoint, &events()[0], context(Duration::from_secs(20))).await;
    assert_eq!(
        answer["body"],
        r#"{"error":{"type":"NotAuthorizedException","message":"no","session":"the-next"}}"#
    );
}

#[tokio::test]
async fn a_body_that_can_not_be_read_is_rejected_without_a_call() {
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    for (why, body, is_base64) in [
        ("empty", json!(""), false),
        ("null", Value::Null, false),
        ("null, base64", Value::Null, true),
        ("no JSON", json!("username=a&password=b"), false),
        ("base64 that is not", json!("!"), true),
        ("base64 cut short", json!("eyJ1c2Vy"), true),
        (
            "base64 without its padding",
            json!(base64(b"{}").trim_end_matches('=')),
            true,
        ),
        ("JSON that is marked as base64", json!("{}"), true),
        ("base64 that is not marked", json!(base64(b"{}")), false),
        (
            "bytes that are not UTF-8",
            json!(base64(b"{\"username\":\"\xff\xfe\"}")),
            true,
        ),
    ] {
        for event in events_with(body.clone(), is_base64) {
            let aws = tokens();
            let answer = sign_in(&event, &aws).await;
            assert_eq!(answer["statusCode"], 400, "{why}");
            assert_eq!(answer["headers"], headers(&[]), "{why}");
            assert_eq!(error_of(&answer).0, "SerializationException", "{why}");
            assert!(aws.calls().is_empty(), "{why}");
        }
    }
}

#[tokio::test]
async fn a_base64_body_is_read_like_any_other() {
    let body = STANDARD.encode(r#"{"username":"user@example.com","password":"pass word"}"#);
    for event in events_with(body, true) {
        assert_eq!(sign_in(&event, &tokens()).await["statusCode"], 200);
    }
}

#[tokio::test]
async fn the_limit_of_16_kib_is_the_bodys_own_however_it_is_sent() {
    let body = |size: usize| {
        let mut body = r#"{"username":"user@example.com","password":"pass word"}"#.to_owned();
        body.push_str(&" ".repeat(size - body.len()));
        body
    };
    for (why, body, status) in [
        ("the largest", body(MAX_BODY_BYTES), 200),
        ("one byte more", body(MAX_BODY_BYTES + 1), 413),
        ("two bytes more", body(MAX_BODY_BYTES + 2), 413),
        ("three bytes more", body(MAX_BODY_BYTES + 3), 413),
        ("API Gateway's own limit", body(4_000_000), 413),
    ] {
        let encoded = STANDARD.encode(&body);
        assert!(encoded.len() > MAX_BODY_BYTES);
        for event in events_with(body, false)
            .into_iter()
            .chain(events_with(encoded, true))
        {
            let aws = tokens();
            let answer = sign_in(&event, &aws).await;
            assert_eq!(answer["statusCode"], status, "{why}");
            assert_eq!(aws.calls().len(), usize::from(status == 200), "{why}");
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
async fn a_body_over_the_limit_is_too_large_even_if_it_is_not_utf_8() {
    for (size, status) in [(MAX_BODY_BYTES, 400), (MAX_BODY_BYTES + 1, 413)] {
        for event in events_with(STANDARD.encode(vec![0xff; size]), true) {
            assert_eq!(sign_in(&event, &tokens()).await["statusCode"], status);
        }
    }
}

#[tokio::test]
async fn long_body_is_too_large_before_decoding_base64() {
    for event in events_with("!".repeat(100_000), true) {
        assert_eq!(sign_in(&event, &tokens()).await["statusCode"], 413);
    }
}

#[tokio::test]
async fn another_method_is_refused_where_the_gateway_lets_it_through() {
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "post", ""] {
        let [mut rest, mut http] = events();
        rest["httpMethod"] = method.into();
        http["requestContext"]["http"]["method"] = method.into();
        for event in [rest, http] {
            let answer = sign_in(&event, &tokens()).await;
            assert_eq!(answer["statusCode"], 405, "{method}");
            assert_eq!(
                answer["headers"],
                headers(&[("allow", "POST, OPTIONS")]),
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
        assert_eq!(sign_in(&event, &tokens()).await, success(&event, "{}"));
    }
}

#[tokio::test]
async fn the_allowed_origin_is_the_stacks_in_every_answer() {
    let (good, bad) = (
        outcome(Duration::ZERO, || Ok(json!({}))),
        outcome(Duration::ZERO, || {
            Err::<Value, _>(Error::not_authorized("no"))
        }),
    );
    for event in events() {
        let left = Duration::from_secs(20);
        for (answer, status) in [
            (call(&good, &event, context(left)).await, 200),
            (call(&bad, &event, context(left)).await, 401),
        ] {
            assert_eq!(answer["statusCode"], status);
            assert_eq!(
                answer["headers"]["access-control-allow-origin"],
                "https://app.example.com"
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
        ("https://App.example.com", "upper case"),
        ("https://example.com:443", "the scheme's own port"),
        ("http://example.com:80", "the scheme's own port"),
        ("https://example.com:", "a colon without a port"),
        ("https://example.com.", "a dot at the end"),
        ("https://example.com.:8443", "a dot at the host's end"),
        ("https://user@example.com", "a user"),
        ("https://ex\u{e4}mple.com", "a letter that is not ASCII"),
        ("capacitor://", "an app without a host"),
        ("capacitor://localhost/", "an app's path"),
        ("Capacitor://localhost", "an app in upper case"),
        ("capacitor://LocalHost", "an app with a host in upper case"),
        ("javascript:alert", "no host at all"),
    ] {
        let changes = [("ALLOWED_ORIGIN", origin)];
        let http_client = FakeAws::default().http_client();
        let endpoint = with_setup(http_client, &changes, Endpoint::<SignIn>::new);
        let error = endpoint.err().unwrap().to_string();
        assert!(error.contains("ALLOWED_ORIGIN"), "{why}");
    }
}

#[test]
fn every_origin_that_a_browser_or_an_app_sends_can_be_allowed() {
    for origin in [
        "*",
        "https://example.com",
        "http://localhost:5173",
        "http://127.0.0.1:3000",
        "https://[::1]:8443",
        "https://xn--exmple-cua.com",
        "capacitor://localhost",
        "tauri://localhost",
        "chrome-extension://abcdefghijklmnop",
    ] {
        let http_client = FakeAws::default().http_client();
        let changes = [("ALLOWED_ORIGIN", origin)];
        with_setup(http_client, &changes, Endpoint::<SignIn>::new).expect(origin);
    }
}

#[tokio::test]
async fn another_origin_is_rejected_without_a_call() {
    for mut event in events() {
        for (origin, status) in [
            ("", 200),
            ("https://app.example.com", 200),
            ("https://evil.example", 403),
            ("https://app.example.com.evil.example", 403),
            ("null", 403),
        ] {
            for (headers, value) in [
                ("headers", json!(origin)),
                ("multiValueHeaders", json!([origin])),
            ] {
                let headers = event[headers].as_object_mut();
                let headers = headers.into_iter().filter(|headers| !headers.is_empty());
                for headers in headers {
                    match origin {
                        "" => drop(headers.remove("origin")),
                        _ => drop(headers.insert("origin".to_owned(), value.clone())),
                    }
                }
            }
            let endpoint = outcome(Duration::ZERO, || Ok(json!({})));
            let answer = call(&endpoint, &event, context(Duration::from_secs(20))).await;
            assert_eq!(answer["statusCode"], status, "{origin}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn slow_operation_answers_503_before_lambdas_deadline() {
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
        let endpoint = outcome(Duration::MAX, || Ok(()));
        let answer = call(&endpoint, &events()[0], context(left)).await;
        assert_eq!(answer["statusCode"], 503, "{why}");
        assert_eq!(answer["headers"]["retry-after"], "5", "{why}");
        assert_eq!(error_of(&answer).0, "ServiceUnavailableException", "{why}");
        assert!(
            started.elapsed() <= longest,
            "{why}: {:?}",
            started.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn past_deadline_is_replaced_by_the_templates_timeout() {
    let mut context = context(Duration::ZERO);
    context.deadline = 600_000;
    for (seconds, status) in [(19, 200), (20, 503)] {
        let endpoint = outcome(Duration::from_secs(seconds), || Ok(json!({})));
        let answer = call(&endpoint, &events()[0], context.clone()).await;
        assert_eq!(answer["statusCode"], status, "{seconds} s");
    }
}

/// `lambda_http` would end the process over each of these.
#[tokio::test]
async fn an_event_that_makes_no_url_is_answered_like_any_other() {
    for mut event in events() {
        let context = event["requestContext"].as_object_mut().unwrap();
        context.insert("domainName".to_owned(), "a b".into());
        context.insert("stage".to_owned(), "\u{1f680} ".into());
        for headers in ["headers", "multiValueHeaders"] {
            let value = |text: &str| match headers {
                "headers" => json!(text),
                _ => json!([text]),
            };
            event[headers] = json!({ "Host": value("[::1"), "X-Forwarded-Proto": value(":") });
        }
        let path = match event["version"] == "2.0" {
            true => "rawPath",
            false => "path",
        };
        event[path] = ":no port".into();
        event["rawQueryString"] = "a=b c".into();
        event["multiValueQueryStringParameters"] = json!({ "a b": ["c d"] });
        assert_eq!(sign_in(&event, &tokens()).await["statusCode"], 200);
    }
}

#[tokio::test]
async fn a_route_sees_the_headers_of_both_kinds_of_api() {
    for event in events() {
        let event: Event = serde_json::from_str(&event.to_string()).unwrap();
        let request = Request::from(event.0);
        assert_eq!(request.headers()["content-type"], "application/json");
        assert!(!request.headers().contains_key("host"));
    }
    let [mut rest, _] = events();
    rest["multiValueHeaders"] = json!({ "Authorization": ["Bearer a", "Bearer b"] });
    let event: Event = serde_json::from_str(&rest.to_string()).unwrap();
    let request = Request::from(event.0);
    assert_eq!(request.headers().get_all("authorization").iter().count(), 2);
}

#[tokio::test]
async fn an_event_of_another_service_is_a_request_without_a_body() {
    let body = r#"{"username":"user@example.com","password":"pass word"}"#;
    for event in [
        json!({}),
        json!({ "body": null, "isBase64Encoded": null, "httpMethod": null, "resource": null, "requestContext": null }),
        json!({ "body": body }),
        json!({ "body": body, "requestContext": { "http": null } }),
        json!({ "body": body, "headers": 5, "requestContext": { "elb": {} } }),
        json!([]),
        json!("text"),
    ] {
        let answer = sign_in(&event, &tokens()).await;
        assert_eq!(answer["statusCode"], 400, "{event}");
        assert_eq!(error_of(&answer).0, "SerializationException", "{event}");
    }
}

#[tokio::test]
async fn each_answer_logs_one_line_without_request_data() {
    for (aws, level, outcome, cause) in [
        (tokens(), "INFO", "success", Value::Null),
        (
            FakeAws::failing(
                "InitiateAuth",
                "NotAuthorizedException",
                "Incorrect username or password.",
            ),
            "INFO",
            "refusal",
            Value::Null,
        ),
        (
            FakeAws::failing(
                "InitiateAuth",
                "ResourceNotFoundException",
                "User pool client client does not exist.",
            ),
            "ERROR",
            "failure",
            json!("ResourceNotFoundException: User pool client client does not exist."),
        ),
    ] {
        let (log, _guard) = log();
        sign_in(&events()[0], &aws).await;
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
async fn metrics_count_each_request_and_its_cognito_outcome() {
    let failure = Reply::json(500, &json!({ "__type": "InternalErrorException" }));
    let granted = Reply::success(&Call::read(Some("x.InitiateAuth"), "", "{}"));
    let over = |name| FakeAws::failing("InitiateAuth", name, "no");
    let once_failing = FakeAws::in_turn("InitiateAuth", [failure.clone(), granted]);
    let refusal = over("NotAuthorizedException");
    let throttled = over("TooManyRequestsException");
    let failing = FakeAws::with("InitiateAuth", failure);
    let no_request = events_with("", false);
    let (metrics, _guard) = metrics();
    // The requests and the repeats among them; nothing is left over of the one before.
    let signs_in = &events()[0];
    for (event, aws, upstream, outcome, counted) in [
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
        // A limit of requests is not counted as a failed sign-in.
        (signs_in, throttled, Some([3, 2]), "refusal", None),
        (signs_in, failing, Some([3, 2]), "failure", None),
        (&no_request[0], tokens(), None, "refusal", None),
    ] {
        let (log, _guard) = log();
        sign_in(event, &aws).await;
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

/// A route of the signed-in user that answers with the token and whether the body had a `field`.
struct Echo;

impl Route for Echo {
    const NAME: &'static str = "echo";
    type Caller = Bearer;
    type Request = (SecretString, bool);
    type Response = Value;

    fn new(_: &Setup<'_>) -> config::Result<Self> {
        Ok(Self)
    }

    fn parse(&self, Bearer(token): Bearer, fields: &Fields<'_>) -> Result<Self::Request> {
        Ok((token, fields.has("field")?))
    }

    async fn run(&self, (token, has_field): Self::Request) -> Result<Value> {
        Ok(json!([token.expose_secret(), has_field]))
    }
}

async fn echo(event: &Value) -> Value {
    let endpoint = with_setup(FakeAws::default().http_client(), &[], Endpoint::<Echo>::new);
    let left = Duration::from_secs(20);
    call(&endpoint.unwrap(), event, context(left)).await
}

/// The events with these `Authorization` headers, as each kind of API has them.
fn events_with_authorization(values: &[&str]) -> [Value; 2] {
    let [mut rest, mut http] = events();
    if let Some(last) = values.last() {
        rest["headers"]["authorization"] = json!(last);
        rest["multiValueHeaders"]["authorization"] = json!(values);
        http["headers"]["authorization"] = json!(values.join(","));
    }
    [rest, http]
}

#[tokio::test]
async fn one_bearer_token_is_read_in_any_case() {
    for value in [
        "Bearer a.B-c_1~+/==",
        "bearer a.B-c_1~+/==",
        "BEARER  a.B-c_1~+/==",
    ] {
        for event in events_with_authorization(&[value]) {
            let answer = echo(&event).await;
            assert_eq!(answer["statusCode"], 200, "{value}");
            assert_eq!(answer["body"], r#"["a.B-c_1~+/==",false]"#, "{value}");
        }
    }
    let [mut event, _] = events_with_authorization(&["Bearer a"]);
    // An event that a tool makes may lack them.
    event["multiValueHeaders"] = Value::Null;
    assert_eq!(echo(&event).await["statusCode"], 200);
}

#[tokio::test]
async fn missing_or_malformed_token_gets_a_challenge() {
    for values in [
        &[][..],
        &[""],
        &["Bearer"],
        &["Bearer "],
        &["Bearer a b"],
        &["Bearer a,b"],
        &["Bearer \"a\""],
        &["Bearer \u{e7}"],
        &["Bearera"],
        &["Bearer\ta"],
        &["Basic a"],
        &["a.b.c"],
        &["Bearer a", "Bearer a"],
        &["Bearer a", "Basic a"],
    ] {
        for mut event in events_with_authorization(values) {
            // Invalid JSON makes no difference: the token is checked first.
            event["body"] = "{".into();
            let answer = echo(&event).await;
            assert_eq!(answer["statusCode"], 401, "{values:?}");
            let challenge = [("www-authenticate", "Bearer")];
            assert_eq!(answer["headers"], headers(&challenge), "{values:?}");
            let (name, message) = error_of(&answer);
            assert_eq!(name, "NotAuthorizedException");
            assert_eq!(message, "Access Token is missing", "{values:?}");
        }
    }
}

#[tokio::test]
async fn a_signed_in_users_empty_body_is_an_empty_object() {
    for (body, status) in [
        (json!(""), 200),
        (Value::Null, 200),
        (json!("{}"), 200),
        (json!(" "), 400),
        (json!("null"), 400),
        (json!("[]"), 400),
    ] {
        for mut event in events_with_authorization(&["Bearer a"]) {
            event["body"] = body.clone();
            let answer = echo(&event).await;
            assert_eq!(answer["statusCode"], status, "{body}");
        }
    }
    // What can't be read is not empty.
    for body in ["!", "e30", "e33/"] {
        for mut event in events_with_authorization(&["Bearer a"]) {
            event["body"] = body.into();
            event["isBase64Encoded"] = true.into();
            assert_eq!(echo(&event).await["statusCode"], 400, "{body}");
        }
    }
    for mut event in events_with_authorization(&["Bearer a"]) {
        event["body"] = r#"{"field":"x"}"#.into();
        assert_eq!(echo(&event).await["body"], r#"["a",true]"#);
    }
}
