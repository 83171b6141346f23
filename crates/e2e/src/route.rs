//! The routes of each mode and their required fields, as `openapi.yaml` specifies them.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::{Specification, resource};

/// The value of a stack's parameter `Mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Sign-in with a password.
    UserPassword,
    /// Sign-in with a one-time code.
    Passwordless,
}

/// A route in one mode.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Its path after `/auth`, such as `/sign-up/confirm`.
    pub path: &'static str,
    /// The mode.
    pub mode: Mode,
    /// The required strings of the body, in the order in which they are checked. `/sign-up` also requires
    /// `userAttributes`.
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
    /// Both modes.
    pub const BOTH: [Self; 2] = [Self::UserPassword, Self::Passwordless];

    /// The name in the parameter and in the environment.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserPassword => "UserPassword",
            Self::Passwordless => "Passwordless",
        }
    }

    /// The other mode.
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

    /// The mode's route with this path.
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

    /// The routes of both modes, without duplicates.
    pub fn distinct() -> impl Iterator<Item = Self> {
        ROUTES.iter().copied().filter(|route| {
            let other = route.mode.other().route(route.path);
            route.mode == Mode::UserPassword
                || other.is_none_or(|other| other.fields != route.fields)
        })
    }

    /// The mode, if only this mode has the route.
    pub fn only_mode(&self) -> Option<Mode> {
        let other = self.mode.other().route(self.path);
        other.is_none().then_some(self.mode)
    }

    /// The route's operation in the specification.
    pub fn operation(&self) -> &'static Value {
        Specification::of(self.mode).operation(self.path)
    }

    /// Whether it needs an access token.
    pub fn needs_token(&self) -> bool {
        self.operation()["security"].is_array()
    }

    /// The access token of the examples. A function accepts it if the stand-in for AWS is behind it.
    pub fn example_token() -> &'static str {
        let tokens = &Specification::document()["components"]["examples"]["Tokens"]["value"];
        tokens["accessToken"].as_str().unwrap()
    }

    /// Whether it sends a message.
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

    /// Its function's name, with the mode if it is the second of two in [`Route::distinct`].
    pub fn distinct_name(&self) -> String {
        match (self.mode, self.only_mode()) {
            (Mode::Passwordless, None) => format!("{} (Passwordless)", self.function()),
            _ => self.function(),
        }
    }

    /// The folder name of its function.
    pub fn function(&self) -> String {
        self.path.trim_start_matches('/').replace('/', "-")
    }

    /// The prefix of its function's resources in the template.
    pub fn resource(&self) -> String {
        resource(&self.function())
    }

    /// A valid body with every field that the route reads. The user does not exist; with an access token, it is the
    /// user of the stand-in for AWS.
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

    /// The API Gateway event of a request with this body and the examples' token: only the fields that functions read.
    pub fn event(&self, body: Map<String, Value>) -> Value {
        json!({
            "httpMethod": "POST",
            "requestContext": { "httpMethod": "POST", "resourcePath": format!("/auth{}", self.path) },
            "headers": { "authorization": format!("Bearer {}", Self::example_token()) },
            "body": Value::from(body).to_string(),
        })
    }
}
