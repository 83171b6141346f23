//! The one-time code of a sign-in: made, counted and sent by SMS; or the one that was sent, asked for again.

use aws_sdk_sns::error::SdkError;
use aws_sdk_sns::types::MessageAttributeValue;
use serde_json::{Value, json};

use crate::challenge::{CODE_PARAMETER, CUSTOM_CHALLENGE, Code};
use crate::config::{CODE_PLACEHOLDER, ConfigError, Env, bad_value};
use crate::error::{Error, Result};
use crate::limits::{Limits, Send, Unsent};
use crate::roles::{check_phone_prefix, phone_prefixes};
use crate::telemetry::{self, Metric};
use crate::trigger::{self, Event};
use crate::username::{UsernameKind, is_phone};

/// How codes are sent.
#[derive(Debug)]
pub struct Sms {
    sns: aws_sdk_sns::Client,
    message: String,
    sender_id: Option<String>,
    phone_prefixes: Vec<String>,
}

impl Sms {
    /// Reads `SMS_MESSAGE`, `SMS_SENDER_ID` and `ALLOWED_PHONE_PREFIXES`.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(
        env: Env<'_>,
        sns: aws_sdk_sns::Client,
    ) -> std::result::Result<Self, ConfigError> {
        let message = env.message("SMS_MESSAGE")?;
        let sender_id = env.optional("SMS_SENDER_ID");
        let is_sender =
            |id: &String| id.len() <= 11 && id.bytes().all(|c| c.is_ascii_alphanumeric());
        if !sender_id.iter().all(is_sender) {
            return Err(bad_value("SMS_SENDER_ID", &"up to 11 letters and digits"));
        }
        Ok(Self {
            sns,
            message,
            sender_id,
            phone_prefixes: phone_prefixes(env)?,
        })
    }

    /// Sends the code; a failure comes with whether it may have been sent in spite of it.
    async fn send(&self, phone: &str, code: &Code) -> std::result::Result<(), (Error, Unsent)> {
        let attribute = |value: &str| {
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|_| {
                    let error = Error::internal("a message attribute without a type");
                    (error, Unsent::Surely)
                })
        };
        let mut publish = self
            .sns
            .publish()
            .phone_number(phone)
            .message(self.message.replace(CODE_PLACEHOLDER, code.expose()))
            .message_attributes("AWS.SNS.SMS.SMSType", attribute("Transactional")?);
        if let Some(sender_id) = &self.sender_id {
            publish = publish.message_attributes("AWS.SNS.SMS.SenderID", attribute(sender_id)?);
        }
        publish.send().await.map_err(|error| {
            let unsent = match error {
                SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Unsent::Perhaps,
                _ => Unsent::Surely,
            };
            (Error::from_dependency(error), unsent)
        })?;
        telemetry::count(Metric::CodesSent);
        Ok(())
    }
}

/// Fills in the challenge: the code for the verifying trigger, nothing for the caller.
///
/// The code is in the challenge's metadata too: Cognito asks anew after a wrong answer, and hands over the
/// metadata of the rounds before, neither of which its clients see.
///
/// # Errors
/// `TooManyRequestsException` beyond the limits; `InvalidParameterException` for a phone number outside
/// the allowed prefixes; unavailable where the code can't be counted or sent.
pub async fn create_auth_challenge(event: &mut Event, limits: &Limits, sms: &Sms) -> Result<()> {
    if event.source() != "CreateAuthChallenge_Authentication"
        || event.text(&["request", "challengeName"]) != Some(CUSTOM_CHALLENGE)
    {
        return Err(trigger::unknown_source());
    }
    let code = match event.rounds().last() {
        Some(round) => match round["challengeMetadata"].as_str() {
            Some(code) => Code::new(code),
            None => return Err(Error::internal("the round before has no code")),
        },
        None => new_code(event, limits, sms).await?,
    };
    event.respond("publicChallengeParameters", json!({}));
    event.respond(
        "privateChallengeParameters",
        json!({ CODE_PARAMETER: code.expose() }),
    );
    event.respond("challengeMetadata", Value::from(code.expose()));
    Ok(())
}

async fn new_code(event: &Event, limits: &Limits, sms: &Sms) -> Result<Code> {
    let user = event.limits_key()?;
    // For a user who does not exist everything goes the same way, but no message is sent.
    let phone = match event.user_not_found() {
        true => event.text(&["userName"]).filter(|name| is_phone(name)),
        false => {
            Some(event.required(&["request", "userAttributes", UsernameKind::Phone.attribute()])?)
        }
    };
    if let Some(phone) = phone {
        check_phone_prefix(&sms.phone_prefixes, phone)?;
        if !is_phone(phone) {
            return Err(Error::internal(
                "the user's phone number is not in E.164 format",
            ));
        }
    }
    let reservation = match limits.reserve_send(&user).await? {
        Send::Again(code) => return Ok(code),
        Send::New(reservation) => reservation,
    };
    let code = reservation.code.clone();
    if let Some(phone) = phone
        && !event.user_not_found()
        && let Err((error, unsent)) = sms.send(phone, &code).await
    {
        if let Err(error) = limits.withdraw(reservation, unsent).await {
            tracing::error!(
                cause = error.cause,
                "a message that was not sent still counts"
            );
        }
        return Err(error);
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;
    use crate::testing::{LIMITS, answer, env, event, exception};

    const PUBLISHED: &str = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";

    /// A table without the user, and a phone network that keeps what it is told.
    struct World {
        reads: Rule,
        writes: Rule,
        messages: Arc<Mutex<Vec<(String, String)>>>,
        sns: aws_sdk_sns::Client,
    }

    fn world(sns_works: bool) -> World {
        let messages = Arc::new(Mutex::new(Vec::new()));
        let kept = messages.clone();
        let publish = mock!(aws_sdk_sns::Client::publish).match_requests(move |publish| {
            let attributes = publish.message_attributes().unwrap();
            assert_eq!(
                attributes["AWS.SNS.SMS.SMSType"].string_value(),
                Some("Transactional")
            );
            assert_eq!(
                attributes["AWS.SNS.SMS.SenderID"].string_value(),
                Some("Rocket")
            );
            let text = |text: Option<&str>| text.unwrap().to_owned();
            kept.lock()
                .unwrap()
                .push((text(publish.phone_number()), text(publish.message())));
            true
        });
        let publish = publish.then_http_response(move || match sns_works {
            true => answer(200, PUBLISHED),
            false => answer(
                500,
                "<ErrorResponse><Error><Code>InternalFailure</Code></Error></ErrorResponse>",
            ),
        });
        World {
            reads: mock!(aws_sdk_dynamodb::Client::get_item)
                .then_http_response(|| answer(200, "{}")),
            writes: mock!(aws_sdk_dynamodb::Client::update_item)
                .then_http_response(|| answer(200, "{}")),
            messages,
            sns: mock_client!(aws_sdk_sns, RuleMode::MatchAny, [&publish]),
        }
    }

    impl World {
        async fn create(&self, request: Value) -> Result<Value> {
            self.create_as("s-1", request).await
        }

        async fn create_as(&self, username: &str, request: Value) -> Result<Value> {
            let sms = [
                ("SMS_MESSAGE", "Your code: {####}!"),
                ("SMS_SENDER_ID", "Rocket"),
                ("ALLOWED_PHONE_PREFIXES", "+34"),
            ];
            let table = [LIMITS.as_slice(), &sms].concat();
            let table = env(&table);
            let env = Env::new(&table);
            let dynamodb = mock_client!(
                aws_sdk_dynamodb,
                RuleMode::MatchAny,
                [&self.reads, &self.writes]
            );
            let limits = Limits::from_env(env, dynamodb).unwrap();
            let sms = Sms::from_env(env, self.sns.clone()).unwrap();
            let event = event("CreateAuthChallenge_Authentication", request);
            let mut event = event.into_json();
            event.insert("userName".to_owned(), json!(username));
            let mut event = Event::new(event);
            create_auth_challenge(&mut event, &limits, &sms).await?;
            Ok(Value::Object(event.into_json()))
        }

        fn messages(&self) -> Vec<(String, String)> {
            self.messages.lock().unwrap().clone()
        }
    }

    fn request(phone: &str) -> Value {
        json!({
            "userAttributes": { "sub": "s-1", "phone_number": phone },
            "challengeName": "CUSTOM_CHALLENGE",
            "session": [],
        })
    }

    #[tokio::test]
    async fn a_new_sign_in_is_sent_the_code_that_counts_and_nobody_else_sees_it() {
        let world = world(true);
        let event = world.create(request("+34999999999")).await.unwrap();
        let response = &event["response"];
        let code = response["privateChallengeParameters"]["code"]
            .as_str()
            .unwrap();
        assert_eq!(
            world.messages(),
            [("+34999999999".to_owned(), format!("Your code: {code}!"))]
        );
        assert_eq!(response["challengeMetadata"], code);
        assert_eq!(response["publicChallengeParameters"], json!({}));
        assert_eq!(event["aFieldOfTomorrow"]["kept"], true);
        assert_eq!((world.reads.num_calls(), world.writes.num_calls()), (1, 1));
    }

    #[tokio::test]
    async fn a_round_after_a_wrong_answer_keeps_the_code_and_sends_nothing() {
        let world = world(true);
        let mut request = request("+34999999999");
        request["session"] = json!([{ "challengeName": "CUSTOM_CHALLENGE", "challengeResult": false, "challengeMetadata": "012345" }]);
        let event = world.create(request).await.unwrap();
        assert_eq!(
            event["response"]["privateChallengeParameters"]["code"],
            "012345"
        );
        assert_eq!(event["response"]["challengeMetadata"], "012345");
        assert!(world.messages().is_empty());
        assert_eq!((world.reads.num_calls(), world.writes.num_calls()), (0, 0));
    }

    #[tokio::test]
    async fn a_user_who_does_not_exist_gets_a_challenge_and_no_message_is_sent() {
        let world = world(true);
        let request =
            json!({ "userNotFound": true, "challengeName": "CUSTOM_CHALLENGE", "session": [] });
        let event = world.create(request).await.unwrap();
        assert_eq!(
            event["response"]["privateChallengeParameters"]["code"]
                .as_str()
                .unwrap()
                .len(),
            6
        );
        assert!(world.messages().is_empty());
        assert_eq!(
            (world.reads.num_calls(), world.writes.num_calls()),
            (1, 1),
            "counted like any other"
        );
    }

    #[tokio::test]
    async fn a_phone_outside_the_allowed_prefixes_is_refused_before_anything_is_counted_or_sent() {
        let unknown =
            json!({ "userNotFound": true, "challengeName": "CUSTOM_CHALLENGE", "session": [] });
        for (why, request, username) in [
            ("a user's own", request("+447700900000"), "s-1"),
            ("nobody's", unknown, "+447700900000"),
        ] {
            let world = world(true);
            let error = world.create_as(username, request).await.unwrap_err();
            assert_eq!(
                error.message, "Phone numbers of this country are not accepted.",
                "{why}"
            );
            assert!(world.messages().is_empty());
            assert_eq!((world.reads.num_calls(), world.writes.num_calls()), (0, 0));
        }
    }

    #[tokio::test]
    async fn a_message_that_can_not_be_sent_is_unavailable_and_taken_back_from_the_counts() {
        let world = world(false);
        let error = world.create(request("+34999999999")).await.unwrap_err();
        assert_eq!(error.name, "ServiceUnavailableException");
        assert_eq!(
            world.messages().len(),
            1,
            "one attempt: a repeat could arrive twice"
        );
        assert_eq!(world.writes.num_calls(), 2, "counted and taken back");
    }

    #[tokio::test]
    async fn an_event_that_is_not_a_new_code_or_lacks_something_is_our_fault() {
        let world = world(true);
        for (why, request) in [
            (
                "another challenge",
                json!({ "challengeName": "PASSWORD_VERIFIER", "session": [] }),
            ),
            (
                "no user",
                json!({ "challengeName": "CUSTOM_CHALLENGE", "session": [] }),
            ),
            (
                "no phone",
                json!({ "userAttributes": { "sub": "s" }, "challengeName": "CUSTOM_CHALLENGE", "session": [] }),
            ),
            (
                "a bad phone",
                json!({ "userAttributes": { "sub": "s", "phone_number": "+34x" }, "challengeName": "CUSTOM_CHALLENGE", "session": [] }),
            ),
            (
                "a round without a code",
                json!({ "challengeName": "CUSTOM_CHALLENGE", "session": [{ "challengeMetadata": null }] }),
            ),
        ] {
            assert_eq!(
                world.create(request).await.unwrap_err().name,
                "InternalErrorException",
                "{why}"
            );
        }
        assert!(world.messages().is_empty());
    }

    #[test]
    fn a_message_without_the_placeholder_or_with_two_fails_at_start() {
        for message in ["", "Your code.", "{####} {####}"] {
            let table = [("SMS_MESSAGE", message)];
            let table = env(&table);
            let sns = mock_client!(
                aws_sdk_sns,
                RuleMode::MatchAny,
                [&mock!(aws_sdk_sns::Client::publish).then_http_response(|| exception("x", ""))]
            );
            let error = Sms::from_env(Env::new(&table), sns).unwrap_err();
            assert!(error.to_string().contains("SMS_MESSAGE"), "{error}");
        }
    }
}
