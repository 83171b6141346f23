//! Events as API Gateway sends them, through the whole of a route to the answer it gets, with a mocked
//! Cognito behind.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_http_client::test_util::NeverClient;
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
    for (why, body, is_base64) in [
        ("empty", json!(""), false),
        ("null", Value::Null, false),
        ("null, base64", Value::Null, true),
        ("no JSON", json!("username=a&password=b"), false),
        ("no base64", json!("!"), true),
        ("base64 without its padding", json!("e30"), true),
        ("JSON that is marked as base64", json!("{}"), true),
        ("base64 that is not marked", json!("e30="), false),
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
async fn the_limit_of_16_kib_is_the_bodys_own_however_it_is_sent() {
    const MAX: usize = MAX_BODY_BYTES;
    let padded = |size: usize| {
        let mut body = br#"{"username":"user@example.com","password":"pass word"}"#.to_vec();
        body.resize(size, b' ');
        body
    };
    let text = |size| String::from_utf8(padded(size)).unwrap();
    let encoded = |size| STANDARD.encode(padded(size));
    let not_utf_8 = |size| STANDARD.encode(vec![0xff; size]);
    assert!(encoded(MAX).len() > MAX);
    for (why, body, is_base64, status) in [
        ("the largest", text(MAX), false, 200),
        ("the largest in base64", encoded(MAX), true, 200),
        ("one byte more", text(MAX + 1), false, 413),
        ("one byte more in base64", encoded(MAX + 1), true, 413),
        ("three bytes more in base64", encoded(MAX + 3), true, 413),
        ("API Gateway's own limit", text(4_000_000), false, 413),
        ("that in base64", encoded(4_000_000), true, 413),
        ("long, and no base64", "!".repeat(100_000), true, 413),
        ("no UTF-8", not_utf_8(MAX), true, 400),
        ("long, no UTF-8", not_utf_8(MAX + 1), true, 413),
    ] {
        for event in events_with(body.clone(), is_base64) {
            let aws = tokens();
            let answer = sign_in(&event, &aws).await;
            assert_eq!(answer["statusCode"], status, "{why}");
            assert_eq!(aws.calls().len(), usize::from(status == 200), "{why}");
            if status == 413 {
                let (name, message) = error_of(&answer);
                assert_eq!(name, "RequestEntityTooLargeException");
                assert_eq!(message, "The request body is larger than 16384 bytes.");
            }
        }
    }
}

#[tokio::test]
async fn only_post_runs_the_route() {
    for method in ["OPTIONS", "GET", "HEAD", "PUT", "DELETE", "post", ""] {
        let [mut rest, mut http] = events_with(Value::Null, false);
        rest["httpMethod"] = method.into();
        http["requestContext"]["http"]["method"] = method.into();
        for event in [rest, http] {
            let answer = sign_in(&event, &tokens()).await;
            // The answer to a preflight, with `make watch`.
            if method == "OPTIONS" {
                assert_eq!(answer, success(&event, "{}"));
                continue;
            }
            assert_eq!(answer["statusCode"], 405, "{method}");
            let allow = [("allow", "POST, OPTIONS")];
            assert_eq!(answer["headers"], headers(&allow), "{method}");
            assert_eq!(error_of(&answer).0, "MethodNotAllowedException");
        }
    }
}

/// The error with which a route starts if this is its `ALLOWED_ORIGIN`.
fn start_error(origin: &str) -> Option<String> {
    let changes = [("ALLOWED_ORIGIN", origin)];
    let endpoint = with_setup(NeverClient::new(), &changes, Endpoint::<SignIn>::new);
    endpoint.err().map(|error| error.to_string())
}

#[test]
fn allowed_origin_is_one_that_a_browser_or_an_app_sends() {
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
        assert_eq!(start_error(origin), None, "{origin}");
    }
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
        let error = start_error(origin).expect(why);
        assert!(error.contains("ALLOWED_ORIGIN"), "{why}");
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
            let allowed = &answer["headers"]["access-control-allow-origin"];
            assert_eq!(allowed, "https://app.example.com", "{origin}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn slow_operation_answers_503_before_lambdas_deadline() {
    for (why, left, longest) in [
        ("time enough", 20_000, 19_600),
        ("hardly any", 600, 200),
        ("less than is kept back", 400, 10),
    ] {
        let left = Duration::from_millis(left);
        let started = tokio::time::Instant::now();
        let endpoint = outcome(Duration::MAX, || Ok(()));
        let answer = call(&endpoint, &events()[0], context(left)).await;
        assert_eq!(answer["statusCode"], 503, "{why}");
        assert_eq!(answer["headers"]["retry-after"], "5", "{why}");
        assert_eq!(error_of(&answer).0, "ServiceUnavailableException", "{why}");
        let waited = started.elapsed();
        assert!(waited.as_millis() <= longest, "{why}: {waited:?}");
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

#[tokio::test(start_paused = true)]
async fn each_request_logs_one_line_and_its_metrics() {
    let failure = Reply::json(500, &json!({ "__type": "InternalErrorException" }));
    let granted = Reply::success(&Call::read(Some("x.InitiateAuth"), "", "{}"));
    let over = |name| FakeAws::failing("InitiateAuth", name, "no");
    let once_failing = FakeAws::in_turn("InitiateAuth", [failure.clone(), granted]);
    let refused = over("NotAuthorizedException");
    let throttled = over("TooManyRequestsException");
    let failing = FakeAws::with("InitiateAuth", failure);
    let no_request = &events_with("", false)[0];
    let (metrics, _guard) = metrics();
    // The requests and the retries among them; nothing is left over of the one before.
    let signs_in = &events()[0];
    for (event, aws, upstream, outcome, counted) in [
        (signs_in, once_failing, [2, 1], "success", "SignIns"),
        (signs_in, refused, [1, 0], "refusal", "SignInFailures"),
        // A limit of requests is not counted as a failed sign-in.
        (signs_in, throttled, [3, 2], "refusal", ""),
        (signs_in, failing, [3, 2], "failure", ""),
        (no_request, tokens(), [0, 0], "refusal", ""),
    ] {
        let (log, _guard) = log();
        sign_in(event, &aws).await;
        let [line] = &log.lines()[..] else {
            panic!("{outcome}: one line");
        };
        let (level, cause) = match outcome {
            "failure" => ("ERROR", json!("InternalErrorException")),
            _ => ("INFO", Value::Null),
        };
        let found = ["level", "outcome", "function", "route", "requestId"];
        let found = found.map(|name| line[name].as_str().unwrap());
        let expected = [level, outcome, "sign-in", "/auth/sign-in", "the-request-id"];
        assert_eq!((found, &line["cause"]), (expected, &cause));
        for secret in ["user@example.com", "pass word", "192.0.2.1"] {
            assert!(!line.to_string().contains(secret), "{secret}");
        }
        let [attempts, retries] = upstream;
        let called = attempts > 0;
        let number = |number: u64| if called { json!(number) } else { Value::Null };
        assert_eq!(line["upstreamAttempts"], number(attempts), "{line}");
        assert_eq!(line["upstreamRetries"], number(retries), "{line}");
        assert_eq!(line["upstreamMs"].is_f64(), called, "{line}");

        let by_outcome = |metric: &str| format!("{metric} sign-in {outcome}");
        let mut expected = vec![
            (by_outcome("Requests"), 1),
            (counted.to_owned(), u64::from(!counted.is_empty())),
            (by_outcome("UpstreamLatency"), u64::from(called)),
            (by_outcome("UpstreamRetries"), retries),
        ];
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
    for mut event in events_with_authorization(&["Bearer a"]) {
        event["body"] = "e30".into();
        event["isBase64Encoded"] = true.into();
        assert_eq!(echo(&event).await["statusCode"], 400);
    }
    for mut event in events_with_authorization(&["Bearer a"]) {
        event["body"] = r#"{"field":"x"}"#.into();
        assert_eq!(echo(&event).await["body"], r#"["a",true]"#);
    }
}
