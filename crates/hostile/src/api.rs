//! The functions of all routes in this process, and the checks of their answers.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use auth_core::http::{self, AnyRoute};
use auth_core::{ROUTES, clients, config};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{Answer, Route};
use fake_aws::{Call, FakeAws, Reply};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::event::Event;
use crate::request::{fields, is_plain};

/// The message of Cognito's rejections. It must not break an answer.
const REJECTION: &str =
    "\"No\", said Cognito: \\ \r\nSet-Cookie: a=b\r\n\r\n</script>\u{202e}\0\u{1f680}";

/// The origin whose pages may call the functions.
pub(crate) const ORIGIN: &str = "https://app.example.com";

/// The variables that differ from the tests' usual environment: one origin, more roles and more countries.
const VARIABLES: [(&str, &str); 7] = [
    ("ALLOWED_ORIGIN", ORIGIN),
    ("ROLES", "User,Driver,Guest,Admin"),
    ("EMAIL_SIGN_UP_ROLES", "User,Guest"),
    ("PHONE_SIGN_UP_ROLES", "User,Driver"),
    ("SKIP_CONFIRMATION_ROLES", "Guest"),
    ("ALLOWED_PHONE_PREFIXES", "+34,+1"),
    ("SMS_SENDER_ID", "Rocket"),
];

/// Creates a function, or a part of one, with this AWS and this mode.
pub(crate) fn configured<T>(
    aws: &FakeAws,
    mode: &str,
    new: impl FnOnce(&clients::Setup<'_>) -> config::Result<T>,
) -> T {
    let changes: Vec<_> = VARIABLES.into_iter().chain([("MODE", mode)]).collect();
    let variable = |name: &str| fake_aws::variable(&changes, name);
    let setup = clients::Setup::over(config::Env::new(&variable), aws.http_client()).unwrap();
    new(&setup.with_credentials(fake_aws::credentials())).unwrap()
}

/// The field names in messages.
const FIELDS: [&str; 7] = [
    "Username",
    "Password",
    "NewPassword",
    "ConfirmationCode",
    "Session",
    "AccessToken",
    "RefreshToken",
];

/// The messages of rejections before the body is read.
const NO_TOKEN: &str = "Access Token is missing";
const OTHER_ORIGIN: &str = "Pages of this origin may not call this API.";

/// Whether this is a documented error of a request that the function or Cognito rejects.
fn is_known(status: u16, error_type: &str, message: &str) -> bool {
    let field_between = |before: &str, after: &str| {
        let field = message.strip_prefix(before);
        field.and_then(|rest| rest.strip_suffix(after))
    };
    let texts: &[&str] = match (status, error_type) {
        (400, "SerializationException") => {
            &["The request body must be one JSON object in UTF-8, with each key once."]
        }
        (400, "MissingRequiredParameter") => {
            let field = field_between("Missing required key '", "' in params");
            return field.is_some_and(|field| FIELDS.contains(&field));
        }
        (400, "InvalidParameterType") => {
            let field = field_between("Expected params.", " to be a string");
            return field.is_some_and(|field| field == "Role" || FIELDS.contains(&field))
                || message == "Expected params.UserAttributes to be an object";
        }
        (400, "InvalidParameterException") => &[
            "Username should be an email address or a phone number in E.164 format, such as +34999999999.",
            "Username should be a phone number in E.164 format, such as +34999999999.",
            "Leave out the zero after the country code of the phone number.",
            "Username has a character that is not ASCII, such as a full-width digit or an invisible space.",
            "ConfirmationCode has a character that is not ASCII, such as a full-width digit or an invisible space.",
            "ConfirmationCode must be at most 2048 characters without spaces.",
            "Session must be at most 2048 characters without spaces.",
            "userAttributes.role is required.",
            "The role does not exist or is not open to sign-up.",
            "The role does not allow sign-up with an email address.",
            "The role does not allow sign-up with a phone number.",
            "Phone numbers of this country are not accepted.",
            "Give either AccessToken or RefreshToken, not both.",
            "Username is not that of the signed-in user.",
            REJECTION,
        ],
        (401, "NotAuthorizedException") => {
            &["Invalid Access Token", "Invalid Refresh Token", NO_TOKEN]
        }
        (403, "ForbiddenException") => &[OTHER_ORIGIN],
        (405, "MethodNotAllowedException") => {
            &["This route answers POST requests with a JSON body."]
        }
        (413, "RequestEntityTooLargeException") => {
            &["The request body is larger than 16384 bytes."]
        }
        _ => &[],
    };
    texts.contains(&message)
}

/// The headers that an answer may have.
const HEADERS: [&str; 9] = [
    "content-type",
    "cache-control",
    "access-control-allow-origin",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-expose-headers",
    "allow",
    "retry-after",
    "www-authenticate",
];

/// The functions of all routes in both modes. Cognito is a fake.
pub struct Api {
    aws: FakeAws,
    rejects: Arc<AtomicBool>,
    routes: Vec<(e2e::Mode, Box<dyn AnyRoute>)>,
    runtime: Runtime,
}

impl fmt::Debug for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Api")
    }
}

impl Default for Api {
    fn default() -> Self {
        let rejects = Arc::new(AtomicBool::new(false));
        let rejecting = Arc::clone(&rejects);
        let aws = FakeAws::new(move |call| {
            let rejection = || Reply::exception(call, 400, "InvalidParameterException", REJECTION);
            rejecting.load(Ordering::Relaxed).then(rejection)
        });
        let modes = [e2e::Mode::UserPassword, e2e::Mode::Passwordless].into_iter();
        let routes = modes.flat_map(|mode| {
            let started = |new| configured(&aws, mode.name(), new);
            ROUTES.map(|new| (mode, started(new)))
        });
        Self {
            routes: routes.collect(),
            aws,
            rejects,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap(),
        }
    }
}

impl Api {
    /// Sends the fuzzer's input to every route: as a text body, as a base64 body and as a whole event. Cognito first
    /// accepts, then rejects every call.
    ///
    /// # Panics
    /// If an answer breaks the contract.
    pub fn check_input(&self, input: &[u8]) {
        let [text, base64] = [false, true].map(|base64| Event::new(input, base64));
        let events = [text, base64, Event::read(input)];
        for route in e2e::ROUTES.iter() {
            for event in &events {
                let outcome = self.check(route, event, false);
                // Otherwise, Cognito was not called, so its answer makes no difference.
                if outcome.is_some_and(|outcome| outcome == "200") {
                    self.check(route, event, true);
                }
            }
        }
    }

    /// Sends this event to the route's function, checks the whole answer, and returns its status and error type. `None`
    /// if the event is not one of API Gateway, because Lambda's runtime rejects it.
    ///
    /// # Panics
    /// If the answer breaks the contract.
    pub fn check(&self, route: &Route, event: &Event, rejects: bool) -> Option<String> {
        let event_of_lambda = serde_json::from_slice(&event.text).ok()?;
        let answer = self.answer(route, event_of_lambda, rejects);
        let body = answer.assert_contract();
        for (name, _) in answer.headers() {
            assert!(HEADERS.contains(&name), "{name}");
        }
        let calls = self.aws.calls();
        let error = &body["error"];
        let sent = event.body();
        if event.method() == "OPTIONS" {
            assert_eq!((answer.status, &*answer.text), (200, "{}"));
        } else if answer.status == 200 {
            assert!(!rejects || calls.is_empty());
            if let Some(sent) = &sent {
                let request = read(route, sent);
                assert_eq!(answer.text, self.success(route, &request));
                // As many calls as for the baseline request, which may be none.
                assert_eq!(calls.len(), self.aws.calls().len());
                assert_sent(route, &request, event.token().as_deref(), &calls);
            }
        } else {
            let [name, message] = ["type", "message"].map(|key| error[key].as_str().unwrap());
            assert!(is_known(answer.status, name, message), "{body}");
            assert_eq!(message == REJECTION, rejects && !calls.is_empty(), "{body}");
        }
        let is_post = event.method() == "POST";
        let has_other_origin = error["message"] == OTHER_ORIGIN;
        assert_eq!(has_other_origin, is_post && event.has_other_origin(ORIGIN));
        let is_read = is_post && !has_other_origin && error["message"] != NO_TOKEN;
        if let (Some(sent), true) = (&sent, is_read) {
            assert_eq!(answer.status == 413, sent.len() > 16 * 1024);
        }
        let name = error["type"].as_str().unwrap_or_default();
        Some(format!("{} {name}", answer.status).trim_end().to_owned())
    }

    /// The answer of the route's function.
    fn answer(&self, route: &Route, event: http::Event, rejects: bool) -> Answer {
        self.aws.forget();
        self.rejects.store(rejects, Ordering::Relaxed);
        let function = self.function(route);
        let event = LambdaEvent::new(event, Context::default());
        Answer::of_function(&self.runtime.block_on(function.answer(event))).to_page_of(ORIGIN)
    }

    fn function(&self, route: &Route) -> &dyn AnyRoute {
        let name = route.function();
        let mut routes = self.routes.iter();
        let found = routes.find(|(mode, function)| *mode == route.mode && function.name() == name);
        let (_, function) = found.unwrap_or_else(|| panic!("auth_core::ROUTES has no {name}"));
        &**function
    }

    /// The expected body of a success: that of the baseline request, with this request's username and role.
    fn success(&self, route: &Route, request: &Map<String, Value>) -> String {
        let mut baseline = route.body();
        // `/token/revoke` accepts either token: use the one that was sent.
        if request.contains_key("refreshToken") {
            baseline.remove("accessToken");
            baseline.insert("refreshToken".to_owned(), "baseline".into());
        }
        let event = route.event(baseline.clone()).to_string();
        let event = serde_json::from_str(&event).unwrap();
        let answer = self.answer(route, event, false);
        assert_eq!(answer.status, 200, "{answer:?}");
        let replace = |text: String, pointer: &str| {
            let [from, to] = [&baseline, request].map(|body| Value::from(body.clone()));
            match (from.pointer(pointer), to.pointer(pointer)) {
                (Some(Value::String(from)), Some(Value::String(to))) => text.replace(from, to),
                _ => text,
            }
        };
        let text = replace(answer.text, "/userAttributes/role");
        let text = replace(text, "/username");
        match request.get("username").and_then(Value::as_str) {
            Some(username) if username.contains('@') => text.replace("via SMS", "via email"),
            _ => text,
        }
    }
}

/// The fields of the body that the route reads.
fn read(route: &Route, body: &[u8]) -> Map<String, Value> {
    // With an access token, the body may be empty.
    let body = if body.is_empty() { b"{}" } else { body };
    let fields = fields(body).expect("a body that was read is an object");
    let read = |key: &str| {
        route.fields.contains(&key)
            || matches!(
                (route.path, key),
                ("/sign-up", "userAttributes") | ("/token/revoke", "refreshToken")
            )
    };
    let fields = fields.into_iter().filter(|(key, _)| read(key));
    let value = |key: &str, text: &RawValue| {
        let value: Value = serde_json::from_str(text.get()).expect("a value that was read");
        match (key, value.as_str()) {
            ("username" | "confirmationCode", Some(text)) => text.trim().into(),
            _ => value,
        }
    };
    let fields = fields.map(|(key, text)| {
        let value = value(&key, text);
        (key, value)
    });
    // An empty value counts as missing.
    fields
        .filter(|(_, value)| !value.is_null() && value != "")
        .collect()
}

/// The pool, the client and the use of a token.
fn owner(token: &str) -> [Value; 3] {
    let payload = token.split('.').nth(1).expect("a payload");
    let claims = URL_SAFE_NO_PAD.decode(payload).expect("base64");
    let mut claims: Value = serde_json::from_slice(&claims).expect("claims");
    ["iss", "client_id", "token_use"].map(|claim| claims[claim].take())
}

/// Checks that Cognito got the values of the request unchanged.
fn assert_sent(route: &Route, request: &Map<String, Value>, token: Option<&str>, calls: &[Call]) {
    let calls: Vec<String> = calls.iter().map(|call| call.body.to_string()).collect();
    let assert_in = |call: &str, value: &str| {
        let sent = call.contains(&json!(value).to_string());
        assert!(sent, "{value} is not in {call}");
    };
    if route.needs_token() {
        let token = token.expect("a token");
        calls.iter().for_each(|call| assert_in(call, token));
        assert_eq!(owner(token), owner(Route::example_token()));
    }
    if let Some(Value::String(token)) = request.get("accessToken") {
        assert_eq!(owner(token), owner(Route::example_token()));
    }
    let Some(first) = calls.first() else { return };
    for (field, value) in request {
        let Some(value) = value.as_str() else {
            continue;
        };
        assert!(field != "username" || is_plain(value), "{value}");
        assert!(!value.contains(char::REPLACEMENT_CHARACTER), "{value}");
        // With a token, the username is not sent.
        if field != "username" || !route.needs_token() {
            assert_in(first, value);
        }
    }
}
