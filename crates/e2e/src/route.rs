//! The routes as `openapi.yaml` has them: which there are in each mode, and what each one requires.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::{Specification, resource};

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
    /// The texts that it requires in the body, in the order in which they are looked at; beside them `/sign-up`
    /// takes `userAttributes`.
    pub fields: &'static [&'static str],
}

/// Every route of both modes, in the order of `openapi.yaml`.
pub static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let modes = Mode::BOTH.into_iter();
    modes
        .flat_map(|mode| {
            let paths = Specification::of(mode).paths();
            paths.map(move |path| Route::specified(mode, path))
        })
        .collect()
});

impl Mode {
    /// One and the other.
    pub const BOTH: [Self; 2] = [Self::UserPassword, Self::Passwordless];

    /// The mode as the parameter and the environment have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserPassword => "UserPassword",
            Self::Passwordless => "Passwordless",
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::UserPassword => Self::Passwordless,
            Self::Passwordless => Self::UserPassword,
        }
    }

    /// The mode's routes.
    pub fn routes(self) -> impl Iterator<Item = Route> {
        let routes = ROUTES.iter().copied();
        routes.filter(move |route| route.mode == self)
    }

    /// The mode's route of this path.
    pub fn route(self, path: &str) -> Option<Route> {
        self.routes().find(|route| route.path == path)
    }
}

impl Route {
    fn specified(mode: Mode, path: &'static str) -> Self {
        let specification = Specification::of(mode);
        let required = specification.request_schema(path)["required"].as_array();
        let required = required.into_iter().flatten().filter_map(Value::as_str);
        let example = specification.request_example(path);
        let fields: Vec<_> = required
            .filter(|field| example[field].is_string())
            .collect();
        Self {
            path,
            mode,
            fields: fields.leak(),
        }
    }

    /// The routes of both modes, once where they are the same in both.
    pub fn distinct() -> impl Iterator<Item = Self> {
        ROUTES.iter().copied().filter(|route| {
            let other = route.mode.other().route(route.path);
            route.mode == Mode::UserPassword
                || other.is_none_or(|other| other.fields != route.fields)
        })
    }

    /// The mode, unless the other one has this route too.
    pub fn only_mode(&self) -> Option<Mode> {
        let other = self.mode.other().route(self.path);
        other.is_none().then_some(self.mode)
    }

    /// The route's operation in the specification.
    pub fn operation(&self) -> &'static Value {
        Specification::of(self.mode).operation(self.path)
    }

    /// Whether it is for the signed-in user, who sends an access token.
    pub fn needs_token(&self) -> bool {
        self.operation()["security"].is_array()
    }

    /// The access token of the examples, which a function takes behind a stand-in for AWS.
    pub fn example_token() -> &'static str {
        let tokens = &Specification::document()["components"]["examples"]["Tokens"]["value"];
        tokens["accessToken"].as_str().unwrap()
    }

    /// Whether it has a message sent.
    pub fn sends_messages(&self) -> bool {
        let modes = self.operation()["x-sends-messages"].as_array();
        let mut modes = modes.into_iter().flatten();
        modes.any(|mode| *mode == self.mode.name())
    }

    /// Whether it calls AWS, which may throttle it.
    pub fn calls_aws(&self) -> bool {
        let specification = Specification::of(self.mode);
        let throttled = specification.resolved(&self.operation()["responses"]["429"]);
        throttled["content"]["application/json"]["examples"]["ThrottlingException"].is_object()
    }

    /// Its function's name, with the mode where it is the second of [`Route::distinct`].
    pub fn distinct_name(&self) -> String {
        match (self.mode, self.only_mode()) {
            (Mode::Passwordless, None) => format!("{} (Passwordless)", self.function()),
            _ => self.function(),
        }
    }

    /// The function behind it, as its folder is called.
    pub fn function(&self) -> String {
        self.path.trim_start_matches('/').replace('/', "-")
    }

    /// The function behind it, as the template's resources begin.
    pub fn resource(&self) -> String {
        resource(&self.function())
    }

    /// A well-formed body with all that the route reads, of a user who does not exist. That of a signed-in user is
    /// the stand-in's one.
    pub fn body(&self) -> Map<String, Value> {
        let example = Specification::of(self.mode).request_example(self.path);
        let mut body = example.as_object().unwrap().clone();
        if let Some(username) = body.get_mut("username")
            && !self.needs_token()
        {
            *username = match self.mode {
                Mode::UserPassword => "nobody@example.com".into(),
                Mode::Passwordless => "+34600000000".into(),
            };
        }
        body
    }

    /// The gateway's event of a request with this body and the examples' token, as far as a function reads it.
    pub fn event(&self, body: Map<String, Value>) -> Value {
        json!({
            "httpMethod": "POST",
            "requestContext": { "httpMethod": "POST", "resourcePath": format!("/auth{}", self.path) },
            "headers": { "authorization": format!("Bearer {}", Self::example_token()) },
            "body": Value::from(body).to_string(),
        })
    }
}
