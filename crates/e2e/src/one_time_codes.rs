//! Sign-in with one-time codes: the codes, the answers, and the stored limits.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{Answer, Person, Stack, Tokens, url_encoded};

/// A started sign-in.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// The session to answer with.
    pub session: String,
    /// The sent code.
    pub code: String,
}

impl Challenge {
    /// A code other than the sent one.
    pub fn wrong_code(&self) -> String {
        let code: u32 = self.code.parse().unwrap();
        format!("{:06}", (code + 1) % 1_000_000)
    }
}

impl Stack {
    /// Starts a sign-in of this person, and reads the sent code.
    #[track_caller]
    pub fn challenge(&self, person: &Person) -> Challenge {
        let session = session_in(&self.sign_in(person));
        let code = self.codes_sent_to(person).pop().expect("no message");
        Challenge { session, code }
    }

    /// Sends a code for a session.
    pub fn answer(&self, person: &Person, session: &str, code: &str) -> Answer {
        let body =
            json!({ "username": person.username, "session": session, "confirmationCode": code });
        self.post("/token", body)
    }

    /// Completes a sign-in with its code, and checks the tokens.
    #[track_caller]
    pub fn tokens_for(&self, person: &Person, challenge: &Challenge) -> Tokens {
        let answer = self.answer(person, &challenge.session, &challenge.code);
        Tokens::read(self, &answer.assert_ok())
    }

    /// The one-time codes sent to this person, oldest first, without the codes that Cognito itself sends.
    #[track_caller]
    pub fn codes_sent_to(&self, person: &Person) -> Vec<String> {
        let messages = self.messages_to(person);
        let texts = messages
            .iter()
            .map(|message| message["Message"].as_str().unwrap());
        texts
            .map(|text| {
                let code: String = text.chars().filter(char::is_ascii_digit).collect();
                assert_eq!(code.len(), 6, "{text}");
                code
            })
            .collect()
    }

    /// The messages with codes that SNS or SES sent to this person. `Message` is the text.
    #[track_caller]
    pub fn messages_to(&self, person: &Person) -> Vec<Value> {
        let outbox = |path: &str| -> Value {
            let url = format!("{}/_ministack/{path}", self.output("Endpoint"));
            serde_json::from_str(&self.get(&url)).unwrap()
        };
        let username = &person.username;
        if username.starts_with('+') {
            let number = url_encoded(username);
            let log = outbox(&format!("sns/sms-messages?phoneNumber={number}"));
            let messages = log["sms_messages"][username].as_array();
            return messages.cloned().unwrap_or_default();
        }
        // The emails of all accounts.
        let emails = outbox("ses/messages")["messages"].take();
        let emails = emails.as_object().unwrap().values();
        let emails = emails.flat_map(|emails| emails.as_array().unwrap().clone());
        // Cognito's own emails have another type.
        let to_person =
            |email: &Value| email["Type"] == "v2.SendEmail" && email["To"] == json!([username]);
        emails
            .filter(to_person)
            .map(|mut email| {
                email["Message"] = email["BodyText"].take();
                email
            })
            .collect()
    }

    /// A user whom an administrator created, with a phone number outside the allowed prefixes.
    #[track_caller]
    pub fn user_outside_allowed_prefixes(&self) -> Person {
        let person = Person::with_phone_in("+44");
        self.create_user(&person, &[]);
        person
    }

    /// The stored item with this key.
    #[track_caller]
    fn item(&self, key: &str) -> Value {
        self.dynamodb("GetItem", json!({ "Key": { "sub": { "S": key } } }))["Item"].take()
    }

    /// The numbers in the stored item with this key.
    #[track_caller]
    pub fn limits(&self, key: &str) -> HashMap<String, i64> {
        let item = self.item(key);
        let fields = item.as_object().into_iter().flatten();
        fields
            .filter_map(|(name, value)| Some((name.clone(), value["N"].as_str()?.parse().unwrap())))
            .collect()
    }

    /// The number of answers left for each stored code.
    #[track_caller]
    pub fn answers_left(&self, key: &str) -> Vec<i64> {
        let item = self.item(key);
        let codes = item["answersLeft"]["M"].as_object();
        let codes = codes.into_iter().flat_map(|codes| codes.values());
        codes
            .map(|left| left["N"].as_str().unwrap().parse().unwrap())
            .collect()
    }

    /// Moves the times in a user's limits into the past by this many seconds.
    #[track_caller]
    pub fn let_time_pass(&self, key: &str, seconds: i64) {
        let times: Vec<(String, i64)> = self
            .limits(key)
            .into_iter()
            .filter(|(name, _)| name == "sentAt" || name == "fullAt")
            .collect();
        assert!(!times.is_empty(), "nothing is stored for {key}");
        let assignments = times.iter().map(|(name, _)| format!("{name} = :{name}"));
        let assignments: Vec<String> = assignments.collect();
        let values = times.iter().map(|(name, time)| {
            let earlier = (time - seconds * 1000).max(0);
            (format!(":{name}"), json!({ "N": earlier.to_string() }))
        });
        let update = json!({
            "Key": { "sub": { "S": key } },
            "UpdateExpression": format!("SET {}", assignments.join(", ")),
            "ExpressionAttributeValues": Value::Object(values.collect()),
        });
        self.dynamodb("UpdateItem", update);
    }

    /// All items of the limits table.
    #[track_caller]
    pub fn all_limits(&self) -> Vec<Value> {
        let mut items = Vec::new();
        let mut page = json!({});
        loop {
            let answer = self.dynamodb("Scan", page.clone());
            items.extend(answer["Items"].as_array().unwrap().iter().cloned());
            match &answer["LastEvaluatedKey"] {
                Value::Null => return items,
                next => page["ExclusiveStartKey"] = next.clone(),
            }
        }
    }

    #[track_caller]
    fn dynamodb(&self, operation: &str, mut body: Value) -> Value {
        let environment = self.environment(&self.trigger("CreateAuthChallenge"));
        body["TableName"] = environment["OTP_TABLE_NAME"].clone();
        self.aws("dynamodb", &format!("DynamoDB_20120810.{operation}"), body)
    }
}

/// The session in the answer to a successful sign-in.
#[track_caller]
pub fn session_in(answer: &Answer) -> String {
    let session = answer.assert_ok()["session"].take();
    session.as_str().expect("no session").to_owned()
}
