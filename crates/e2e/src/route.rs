//! The routes of the contract: which there are in each mode, and what each one requires.

use serde_json::{Map, Value, json};

/// A mode of a stack, as the parameter `Mode` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Sign-in with a password.
    UserPassword,
    /// Sign-in with a one-time code.
    Passwordless,
}

/// A route as it is in one mode.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Its path behind `/auth`, such as `/sign-up/confirm`.
    pub path: &'static str,
    /// The mode.
    pub mode: Mode,
    /// The fields of the body that it requires, in the order they are looked at; beside them `/sign-up` takes
    /// `userAttributes`.
    pub fields: &'static [&'static str],
}

use Mode::{Passwordless, UserPassword};

/// Every route of both modes.
pub const ROUTES: [Route; 15] = [
    route(UserPassword, "/sign-up", &["username", "password"]),
    route(UserPassword, "/sign-up/confirm", CONFIRM),
    route(UserPassword, "/sign-up/resend-code", &["username"]),
    route(UserPassword, "/sign-in", &["username", "password"]),
    route(UserPassword, "/token/refresh", &["refreshToken"]),
    route(UserPassword, "/token/revoke", &["accessToken"]),
    route(UserPassword, "/password/forgot", &["username"]),
    route(
        UserPassword,
        "/password/change",
        &["username", "password", "confirmationCode"],
    ),
    route(Passwordless, "/sign-up", &["username"]),
    route(Passwordless, "/sign-up/confirm", CONFIRM),
    route(Passwordless, "/sign-up/resend-code", &["username"]),
    route(Passwordless, "/sign-in", &["username"]),
    route(
        Passwordless,
        "/token",
        &["username", "session", "confirmationCode"],
    ),
    route(Passwordless, "/token/refresh", &["refreshToken"]),
    route(Passwordless, "/token/revoke", &["accessToken"]),
];
const CONFIRM: &[&str] = &["username", "confirmationCode"];

const fn route(mode: Mode, path: &'static str, fields: &'static [&'static str]) -> Route {
    Route { path, mode, fields }
}

impl Mode {
    /// The mode as the parameter and the environment have it.
    pub fn name(self) -> &'static str {
        match self {
            UserPassword => "UserPassword",
            Passwordless => "Passwordless",
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            UserPassword => Passwordless,
            Passwordless => UserPassword,
        }
    }

    /// The mode's routes.
    pub fn routes(self) -> impl Iterator<Item = Route> {
        ROUTES.into_iter().filter(move |route| route.mode == self)
    }
}

impl Route {
    /// The function behind it, as its folder is called.
    pub fn function(&self) -> String {
        self.path.trim_start_matches('/').replace('/', "-")
    }

    /// The function behind it, as the template's resources begin.
    pub fn resource(&self) -> String {
        let words = self.path.split(['/', '-']);
        words.map(capitalized).collect()
    }

    /// A well-formed body with all that the route reads, of a user who does not exist.
    pub fn body(&self) -> Map<String, Value> {
        let fields = self.fields.iter();
        let mut body: Map<_, _> = fields
            .map(|field| ((*field).to_owned(), self.value(field).into()))
            .collect();
        if self.path == "/sign-up" {
            body.insert("userAttributes".to_owned(), json!({ "role": "User" }));
        }
        body
    }

    /// The gateway's event of a request with this body, as far as a function reads it.
    pub fn event(&self, body: Map<String, Value>) -> Value {
        json!({
            "httpMethod": "POST",
            "requestContext": { "httpMethod": "POST", "resourcePath": format!("/auth{}", self.path) },
            "body": Value::from(body).to_string(),
        })
    }

    fn value(&self, field: &str) -> &'static str {
        match (field, self.mode) {
            ("username", UserPassword) => "nobody@example.com",
            ("username", Passwordless) => "+34600000000",
            ("password", _) => "Secret!1",
            ("confirmationCode", _) => "000000",
            ("accessToken", _) => "a.b.c",
            _ => "nonsense",
        }
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
