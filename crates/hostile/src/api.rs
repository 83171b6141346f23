//! Every route as its function has it, from API Gateway's event to its answer, and what is wrong with one.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use auth_core::http::{self, AnyRoute};
use auth_core::{ROUTES, clients, config};
use e2e::{Answer, Route};
use fake_aws::{Call, FakeAws, Reply};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::event::Event;
use crate::request::{fields, is_plain};

/// What Cognito says where it rejects: unlikely, and nothing that may break an answer.
const REJECTION: &str =
    "\"No\", said Cognito: \\ \r\nSet-Cookie: a=b\r\n\r\n</script>\u{202e}\0\u{1f680}";

/// What is other than in the environment of the tests' functions: more roles, and more countries.
const VARIABLES: [(&str, &str); 6] = [
    ("ROLES", "User,Driver,Guest,Admin"),
    ("EMAIL_SIGN_UP_ROLES", "User,Guest"),
    ("PHONE_SIGN_UP_ROLES", "User,Driver"),
    ("SKIP_CONFIRMATION_ROLES", "Guest"),
    ("ALLOWED_PHONE_PREFIXES", "+34,+1"),
    ("SMS_SENDER_ID", "Rocket"),
];

/// Starts a function, or a part of one, over this AWS in this mode.
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

/// The names that the API has for what it requires.
const FIELDS: [&str; 7] = [
    "Username",
    "Password",
    "NewPassword",
    "ConfirmationCode",
    "Session",
    "AccessToken",
    "RefreshToken",
];

/// Whether the API may say this of a request that it does not put to Cognito, or that Cognito rejects.
fn is_known(status: u16, error_type: &str, message: &str) -> bool {
    let of_field = |before: &str, after: &str| {
        let field = message.strip_prefix(before);
        field.and_then(|rest| rest.strip_suffix(after))
    };
    let texts: &[&str] = match (status, error_type) {
        (400, "SerializationException") => {
            &["The request body must be one JSON object in UTF-8, with each key once."]
        }
        (400, "MissingRequiredParameter") => {
            let field = of_field("Missing required key '", "' in params");
            return field.is_some_and(|field| FIELDS.contains(&field));
        }
        (400, "InvalidParameterType") => {
            let field = of_field("Expected params.", " to be a string");
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
        (401, "NotAuthorizedException") => &[
            "Invalid Access Token",
            "Invalid Refresh Token",
            "Access Token is missing",
        ],
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

/// The headers that an answer can have.
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

/// The functions of all routes, in both modes, in this process. Cognito is a fake.
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
    /// Hands this input to every route, as a text body, as a base64 one and as API Gateway's whole event, with
    /// a Cognito that grants everything and with one that grants nothing. What the fuzzer makes is read so.
    ///
    /// # Panics
    /// Where an answer breaks the contract.
    pub fn take(&self, input: &[u8]) {
        let [text, base64] = [false, true].map(|base64| Event::new(input, base64));
        let events = [text, base64, Event::read(input)];
        for route in e2e::ROUTES.iter() {
            for event in &events {
                let granted = self.judge(route, event, false);
                // Otherwise Cognito was not asked, and what it answers makes no difference.
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
        let event_of_lambda = serde_json::from_slice(&event.text).ok()?;
        let answer = self.answer(route, event_of_lambda, refuses);
        let body = answer.assert_contract();
        for (name, _) in answer.headers() {
            assert!(HEADERS.contains(&name), "{name}");
        }
        let asked = self.aws.calls();
        let error = &body["error"];
        let sent = event.body();
        if event.method() == "OPTIONS" {
            assert_eq!((answer.status, &*answer.text), (200, "{}"));
        } else if answer.status == 200 {
            assert!(!refuses || asked.is_empty());
            if let Some(sent) = &sent {
                let request = read(route, sent);
                assert_eq!(answer.text, self.success(route, &request));
                // As many as for a calm request: a route may call nothing.
                assert_eq!(asked.len(), self.aws.calls().len());
                assert_sent(route, &request, event.token().as_deref(), &asked);
            }
        } else {
            let [name, message] = ["type", "message"].map(|key| error[key].as_str().unwrap());
            assert!(is_known(answer.status, name, message), "{body}");
            assert_eq!(message == REJECTION, refuses && !asked.is_empty(), "{body}");
        }
        // Who is not signed in is told so first.
        let is_read = error["message"] != "Access Token is missing";
        if let (Some(sent), "POST", true) = (&sent, &*event.method(), is_read) {
            assert_eq!(answer.status == 413, sent.len() > 16 * 1024);
        }
        let name = error["type"].as_str().unwrap_or_default();
        Some(format!("{} {name}", answer.status).trim_end().to_owned())
    }

    /// What API Gateway gets from the route's function.
    fn answer(&self, route: &Route, event: http::Event, rejects: bool) -> Answer {
        self.aws.forget();
        self.rejects.store(rejects, Ordering::Relaxed);
        let function = self.function(route);
        let event = LambdaEvent::new(event, Context::default());
        Answer::of_function(&self.runtime.block_on(function.answer(event)))
    }

    fn function(&self, route: &Route) -> &dyn AnyRoute {
        let name = route.function();
        let mut routes = self.routes.iter();
        let found = routes.find(|(mode, function)| *mode == route.mode && function.name() == name);
        let (_, function) = found.unwrap_or_else(|| panic!("auth_core::ROUTES has no {name}"));
        &**function
    }

    /// The whole body of the route's success: as for another user and role, of whom it holds nothing else.
    fn success(&self, route: &Route, request: &Map<String, Value>) -> String {
        let mut calm = route.body();
        // Of the two that are taken, the one that was sent.
        if request.contains_key("refreshToken") {
            calm.remove("accessToken");
            calm.insert("refreshToken".to_owned(), "calm".into());
        }
        let event = route.event(calm.clone()).to_string();
        let event = serde_json::from_str(&event).unwrap();
        let answer = self.answer(route, event, false);
        assert_eq!(answer.status, 200, "{answer:?}");
        let replace = |text: String, pointer: &str| {
            let [from, to] = [&calm, request].map(|body| Value::from(body.clone()));
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
    // A signed-in user need not send any.
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
    // What is empty is not there.
    fields
        .filter(|(_, value)| !value.is_null() && value != "")
        .collect()
}

/// Cognito was sent what the request has, letter by letter.
fn assert_sent(route: &Route, request: &Map<String, Value>, token: Option<&str>, calls: &[Call]) {
    let calls: Vec<String> = calls.iter().map(|call| call.body.to_string()).collect();
    let assert_in = |call: &str, value: &str| {
        let sent = call.contains(&json!(value).to_string());
        assert!(sent, "{value} is not in {call}");
    };
    if route.needs_token() {
        let token = token.expect("a token");
        calls.iter().for_each(|call| assert_in(call, token));
    }
    let Some(first) = calls.first() else { return };
    for (field, value) in request {
        let Some(value) = value.as_str() else {
            continue;
        };
        assert!(field != "username" || is_plain(value), "{value}");
        // Cognito knows whose token it is.
        if field != "username" || !route.needs_token() {
            assert_in(first, value);
        }
    }
}
