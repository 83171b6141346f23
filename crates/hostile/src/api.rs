//! Every route as its function has it, from API Gateway's event to its answer, and what is wrong with one.

use auth_core::clients::UserPool;
use auth_core::config::Mode;
use auth_core::{
    http, password_change, password_forgot, sign_in, sign_up, sign_up_confirm, sign_up_resend_code,
    token, token_refresh, token_revoke,
};
use e2e::{Answer, ROUTES, Route};
use lambda_runtime::Context;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::aws::{Aws, REFUSAL, configured};
use crate::event::Event;
use crate::request::{fields, is_plain};

/// What the API may say of a request that it does not put to Cognito: these texts, and none other.
const REFUSALS: [(u16, &str, &[&str]); 8] = [
    (
        400,
        "SerializationException",
        &["The request body must be one JSON object in UTF-8, with each key once."],
    ),
    (
        400,
        "MissingRequiredParameter",
        &[
            "Missing required key 'Username' in params",
            "Missing required key 'Password' in params",
            "Missing required key 'ConfirmationCode' in params",
            "Missing required key 'Session' in params",
            "Missing required key 'AccessToken' in params",
            "Missing required key 'RefreshToken' in params",
        ],
    ),
    (
        400,
        "InvalidParameterType",
        &[
            "Expected params.Username to be a string",
            "Expected params.Password to be a string",
            "Expected params.ConfirmationCode to be a string",
            "Expected params.Session to be a string",
            "Expected params.AccessToken to be a string",
            "Expected params.RefreshToken to be a string",
            "Expected params.Role to be a string",
            "Expected params.UserAttributes to be an object",
        ],
    ),
    (
        400,
        "InvalidParameterException",
        &[
            "Username should be an email address or a phone number in E.164 format, such as +34999999999.",
            "Username should be a phone number in E.164 format, such as +34999999999.",
            "ConfirmationCode must be at most 2048 characters without spaces.",
            "Session must be at most 2048 characters without spaces.",
            "userAttributes.role is required.",
            "The role does not exist or is not open to sign-up.",
            "The role does not allow sign-up with an email address.",
            "The role does not allow sign-up with a phone number.",
            "Phone numbers of this country are not accepted.",
        ],
    ),
    (
        401,
        "NotAuthorizedException",
        &["Invalid Access Token", "Invalid Refresh Token"],
    ),
    (
        405,
        "MethodNotAllowedException",
        &["This route answers POST requests with a JSON body."],
    ),
    (
        413,
        "RequestEntityTooLargeException",
        &["The request body is larger than 16384 bytes."],
    ),
    (400, "InvalidParameterException", &[REFUSAL]),
];

/// The headers that an answer can have.
const HEADERS: [&str; 8] = [
    "content-type",
    "cache-control",
    "access-control-allow-origin",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-expose-headers",
    "allow",
    "retry-after",
];

/// The functions of all routes, in both modes, in this process. Cognito is a stand-in.
#[derive(Debug)]
pub struct Api {
    aws: Aws,
    pool: UserPool,
    http: http::Route,
    with_password: sign_up::Rules,
    passwordless: sign_up::Rules,
    runtime: Runtime,
}

impl Default for Api {
    fn default() -> Self {
        let aws = Aws::default();
        Self {
            pool: aws.pool(),
            aws,
            http: configured("", |env| http::Route::from_env("hostile", env)).unwrap(),
            with_password: configured("UserPassword", sign_up::Rules::from_env).unwrap(),
            passwordless: configured("Passwordless", sign_up::Rules::from_env).unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap(),
        }
    }
}

impl Api {
    /// Hands this input to every route, as a text body, as a base64 one and as API Gateway's whole event, with
    /// a Cognito that grants everything and with one that grants nothing. What the fuzzer makes is read so.
    ///
    /// # Panics
    /// Where an answer breaks the contract.
    pub fn take(&self, input: &[u8]) {
        let [text, base64] = [false, true].map(|base64| Event::new(input, base64));
        let events = [text, base64, Event::read(input)];
        for route in ROUTES.iter() {
            for event in &events {
                let granted = self.judge(route, event, false);
                // Else Cognito was not asked, and what it says makes no difference.
                if granted.is_some_and(|outcome| outcome == "200") {
                    self.judge(route, event, true);
                }
            }
        }
    }

    /// Hands this event to the route's function and checks its answer to the letter; gives its status and error
    /// type. `None` where it is not an event of API Gateway's, which Lambda's runtime refuses.
    ///
    /// # Panics
    /// Where the answer breaks the contract.
    pub fn judge(&self, route: &Route, event: &Event, refuses: bool) -> Option<String> {
        self.aws.reset(refuses);
        let parsed = serde_json::from_slice(&event.text).ok()?;
        let answer = self.runtime.block_on(self.answer(route, &parsed));
        let answer = Answer::of_function(&serde_json::to_value(answer).unwrap());
        let body = answer.kept();
        for (name, _) in answer.headers() {
            assert!(HEADERS.contains(&name), "{name}");
        }
        let asked = self.aws.asked();
        let error = &body["error"];
        let sent = event.body();
        if event.method() == Some("OPTIONS") {
            assert_eq!((answer.status, &*answer.text), (200, "{}"));
        } else if answer.status == 200 {
            if let Some(sent) = &sent {
                let request = read(route, sent);
                assert_eq!(body, success(route, &request));
                assert_told(route, &request, &asked[0]);
            }
            assert!(!refuses && !asked.is_empty());
        } else {
            let [name, message] = ["type", "message"].map(|key| error[key].as_str().unwrap());
            let known = REFUSALS.iter().any(|(status, known, messages)| {
                (*status, *known) == (answer.status, name) && messages.contains(&message)
            });
            assert!(known, "{body}");
            assert_eq!(message == REFUSAL, refuses && !asked.is_empty(), "{body}");
        }
        if let (Some(sent), Some("POST")) = (&sent, event.method()) {
            assert_eq!(answer.status == 413, sent.len() > 16 * 1024);
        }
        let name = error["type"].as_str().unwrap_or_default();
        Some(format!("{} {name}", answer.status).trim_end().to_owned())
    }

    /// As the function's `main` has it.
    async fn answer(&self, route: &Route, event: &http::Event) -> http::Answer {
        let (pool, context) = (&self.pool, &Context::default());
        let (mode, rules) = match route.mode {
            e2e::Mode::UserPassword => (Mode::UserPassword, &self.with_password),
            e2e::Mode::Passwordless => (Mode::Passwordless, &self.passwordless),
        };
        macro_rules! answer {
            ($parse:expr, $operation:expr) => {
                self.http.answer(event, context, $parse, $operation).await
            };
        }
        match &*route.function() {
            "sign-up" => answer!(
                |fields| sign_up::Request::parse(fields, rules),
                async |request| sign_up::sign_up(pool, "us-east-1_pool", request).await
            ),
            "sign-up-confirm" => answer!(sign_up_confirm::Request::parse, async |request| {
                sign_up_confirm::sign_up_confirm(pool, request).await
            }),
            "sign-up-resend-code" => {
                answer!(sign_up_resend_code::Request::parse, async |request| {
                    sign_up_resend_code::sign_up_resend_code(pool, request).await
                })
            }
            "sign-in" => answer!(
                |fields| sign_in::Request::parse(fields, mode),
                async |request| sign_in::sign_in(pool, request).await
            ),
            "token" => answer!(token::Request::parse, async |request| {
                token::token(pool, request).await
            }),
            "token-refresh" => answer!(token_refresh::Request::parse, async |request| {
                token_refresh::token_refresh(pool, request).await
            }),
            "token-revoke" => answer!(token_revoke::Request::parse, async |request| {
                token_revoke::token_revoke(pool, request).await
            }),
            "password-forgot" => answer!(password_forgot::Request::parse, async |request| {
                password_forgot::password_forgot(pool, request).await
            }),
            "password-change" => answer!(password_change::Request::parse, async |request| {
                password_change::password_change(pool, request).await
            }),
            other => panic!("no function {other}"),
        }
    }
}

/// The whole body of the route's success: of the request it has the username alone, and the role.
fn success(route: &Route, request: &Map<String, Value>) -> Value {
    let name = request
        .get("username")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match (&*route.function(), route.mode) {
        ("sign-up", _) => {
            json!({ "id": "the-sub", "username": name, "userAttributes": { "role": request["userAttributes"]["role"] } })
        }
        ("sign-up-confirm", _) => {
            json!({ "message": format!("The username: {name} has been confirmed.") })
        }
        ("sign-up-resend-code", _) => {
            json!({ "message": format!("The confirmation code to activate your account has been sent to: {name}.") })
        }
        ("password-forgot", _) => {
            json!({ "message": format!("The confirmation code to change your password has been sent to: {name}.") })
        }
        ("password-change", _) => {
            json!({ "message": "Your password has been successfully changed." })
        }
        ("token-revoke", _) => json!({ "message": "Signed out" }),
        ("sign-in", e2e::Mode::Passwordless) => json!({
            "session": "the-session",
            "message": "Use the session and the code we have sent you via SMS to get your access tokens via POST /token.",
        }),
        _ => {
            json!({ "accessToken": "a", "tokenId": "i", "refreshToken": "r", "expiresIn": 3600, "tokenType": "Bearer" })
        }
    }
}

/// The fields of the body that the route reads.
fn read(route: &Route, body: &[u8]) -> Map<String, Value> {
    let fields = fields(body).expect("a body that was read is an object");
    let fields = fields.into_iter().filter(|(key, _)| {
        route.fields.contains(&&**key) || (route.path == "/sign-up" && key == "userAttributes")
    });
    fields
        .map(|(key, value)| {
            (
                key,
                serde_json::from_str(value.get()).expect("a value that was read"),
            )
        })
        .collect()
}

/// Cognito was told what the request says, letter by letter.
fn assert_told(route: &Route, request: &Map<String, Value>, asked: &Value) {
    for field in route.fields {
        let value = &request[*field];
        assert!(
            value.is_string() && holds(asked, value),
            "{field} is not in {asked}"
        );
        if *field == "username" {
            assert!(value.as_str().is_some_and(is_plain), "{value}");
        }
    }
}

/// Whether the value is part of the other one.
fn holds(whole: &Value, part: &Value) -> bool {
    match whole {
        Value::Array(values) => values.iter().any(|value| holds(value, part)),
        Value::Object(fields) => fields.values().any(|value| holds(value, part)),
        value => value == part,
    }
}
