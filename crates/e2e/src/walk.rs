//! One person's way through every route of a stack, by the examples of `openapi.yaml`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Person, Route, Specification, Stack};

/// Someone new on the way, and what they were given so far.
#[derive(Debug)]
pub struct Walk<'a> {
    stack: &'a Stack,
    person: Person,
    given: BTreeMap<String, Value>,
}

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

    /// The example of the route's request, made this person's.
    #[track_caller]
    pub fn request(&self, route: Route) -> Value {
        let example = Specification::of(route.mode).request_example(route.path);
        let mut request = self.own(example);
        if request.get("session").is_some() {
            let sent = self.stack.codes_sent_to(&self.person).pop();
            request["confirmationCode"] = sent.expect("no message").into();
        }
        request
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
                let names = ["user@example.com", "+34999999999"].into_iter();
                names
                    .fold(text.clone(), |text, name| {
                        text.replace(name, &self.person.username)
                    })
                    .into()
            }
            _ => example.clone(),
        }
    }
}
