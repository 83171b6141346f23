//! One person's way through every route of a stack, by the examples of `openapi.yaml`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{Answer, Person, Route, Specification, Stack};

/// Someone new on the way, and what they were given so far.
#[derive(Debug)]
pub struct Walk<'a> {
    stack: &'a Stack,
    person: Person,
    given: BTreeMap<String, Value>,
}

/// What of a person stands in the examples.
const USERNAMES: [&str; 2] = ["user@example.com", "+34999999999"];
const PASSWORD: &str = "Sup3r!secret";

/// What is another's in each answer, and in a later request is that of the last answer.
const GIVEN: [&str; 5] = ["id", "session", "accessToken", "tokenId", "refreshToken"];

impl<'a> Walk<'a> {
    /// Someone who has not done anything yet.
    pub fn start(stack: &'a Stack) -> Self {
        Self {
            stack,
            person: Person::of(stack.mode()),
            given: BTreeMap::new(),
        }
    }

    /// The example of the route's request, made this person's. Who needs to be signed in for it and is not any more
    /// is from now on someone new who is.
    #[track_caller]
    pub fn request(&mut self, route: Route) -> Value {
        if route.needs_token() && !self.is_signed_in() {
            self.person = self.stack.confirmed_user();
            let tokens = self.stack.tokens_of(&self.person);
            self.given = BTreeMap::from([
                ("id".to_owned(), tokens.access_claims["sub"].clone()),
                ("accessToken".to_owned(), tokens.access.into()),
                ("refreshToken".to_owned(), tokens.refresh.into()),
            ]);
        }
        let example = Specification::of(route.mode).request_example(route.path);
        let mut request = self.own(example);
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

    /// The access token that this person was given.
    pub fn token(&self) -> Option<&str> {
        self.given.get("accessToken")?.as_str()
    }

    /// Sends this to the route, with the access token if there is one.
    #[track_caller]
    pub fn post(&self, route: Route, body: &Value) -> Answer {
        let tokens: Vec<&str> = self.token().into_iter().collect();
        self.stack
            .post_with(&tokens, route.path, body.to_string().as_bytes())
    }

    /// Keeps what an answer gives.
    pub fn take(&mut self, answer: &Value) {
        for name in GIVEN {
            if let Some(value) = answer.get(name) {
                self.given.insert(name.to_owned(), value.clone());
            }
        }
    }

    /// The example of the route's answer, made this person's, with what was taken from the answer itself.
    #[track_caller]
    pub fn answer(&self, route: Route) -> Value {
        self.own(Specification::of(route.mode).answer_example(route.path))
    }

    fn own(&self, example: &Value) -> Value {
        match example {
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| {
                    let given = self.given.get(name).cloned();
                    (name.clone(), given.unwrap_or_else(|| self.own(value)))
                });
                fields.collect()
            }
            Value::String(text) => {
                let own = text.replace(PASSWORD, &self.person.password);
                let named = |text: String, name: &&str| text.replace(name, &self.person.username);
                USERNAMES.iter().fold(own, named).into()
            }
            _ => example.clone(),
        }
    }
}
