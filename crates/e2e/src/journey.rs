//! Calls every route of a stack as one user, with the examples of `openapi.yaml`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{Answer, Person, Route, Specification, Stack};

/// A user, and the values that earlier answers returned.
#[derive(Debug)]
pub struct Journey<'a> {
    stack: &'a Stack,
    person: Person,
    returned: BTreeMap<String, Value>,
}

/// The usernames in the examples.
const USERNAMES: [&str; 2] = ["user@example.com", "+34999999999"];
const PASSWORD: &str = "Sup3r!secret";

/// The fields that differ in each answer. Later requests use the last answer's values.
const RETURNED: [&str; 5] = ["id", "session", "accessToken", "tokenId", "refreshToken"];

impl<'a> Journey<'a> {
    /// Starts with a new user.
    pub fn start(stack: &'a Stack) -> Self {
        Self {
            stack,
            person: Person::of(stack.mode()),
            returned: BTreeMap::new(),
        }
    }

    /// The example of the route's request, with this user's values. If the route needs a token and the user is no
    /// longer signed in, the journey continues with a new signed-in user.
    #[track_caller]
    pub fn request(&mut self, route: Route) -> Value {
        if route.needs_token() && !self.is_signed_in() {
            self.person = self.stack.confirmed_user();
            let tokens = self.stack.tokens_of(&self.person);
            self.returned = BTreeMap::from([
                ("id".to_owned(), tokens.access_claims["sub"].clone()),
                ("accessToken".to_owned(), tokens.access.into()),
                ("refreshToken".to_owned(), tokens.refresh.into()),
            ]);
        }
        let example = Specification::of(route.mode).request_example(route.path);
        let mut request = self.personalize(example);
        if request.get("session").is_some() {
            let sent = self.stack.codes_sent_to(&self.person).pop();
            request["confirmationCode"] = sent.expect("no message").into();
        }
        request
    }

    fn is_signed_in(&self) -> bool {
        self.token().is_some_and(|token| {
            let body = json!({ "AccessToken": token });
            self.stack.cognito_public("GetUser", body).status == 200
        })
    }

    /// The last access token.
    pub fn token(&self) -> Option<&str> {
        self.returned.get("accessToken")?.as_str()
    }

    /// Sends this body to the route, with the access token if there is one.
    #[track_caller]
    pub fn post(&self, route: Route, body: &Value) -> Answer {
        let tokens: Vec<&str> = self.token().into_iter().collect();
        self.stack
            .post_with(&tokens, route.path, body.to_string().as_bytes())
    }

    /// Stores the values of an answer for later requests.
    pub fn record(&mut self, answer: &Value) {
        for name in RETURNED {
            if let Some(value) = answer.get(name) {
                self.returned.insert(name.to_owned(), value.clone());
            }
        }
    }

    /// The example of the route's answer, with this user's values and those that were recorded.
    #[track_caller]
    pub fn answer(&self, route: Route) -> Value {
        self.personalize(Specification::of(route.mode).answer_example(route.path))
    }

    fn personalize(&self, example: &Value) -> Value {
        match example {
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| {
                    let returned = self.returned.get(name).cloned();
                    (
                        name.clone(),
                        returned.unwrap_or_else(|| self.personalize(value)),
                    )
                });
                fields.collect()
            }
            Value::String(text) => {
                let text = text.replace(PASSWORD, &self.person.password);
                let named = |text: String, name: &&str| text.replace(name, &self.person.username);
                USERNAMES.iter().fold(text, named).into()
            }
            _ => example.clone(),
        }
    }
}
