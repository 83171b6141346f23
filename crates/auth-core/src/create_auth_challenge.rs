//! The one-time code of a sign-in: made, counted and sent by SMS; or the one that was sent, asked for again.

use aws_sdk_sns::types::MessageAttributeValue;
use serde_json::{Value, json};

use crate::challenge::{CODE_PARAMETER, CUSTOM_CHALLENGE, Code};
use crate::config::{ConfigError, Env, bad_value};
use crate::error::{Error, Result};
use crate::limits::{Limits, Send};
use crate::roles::{check_phone_prefix, phone_prefixes};
use crate::trigger::{self, Event};
use crate::username::{UsernameKind, is_phone};

/// Where the code stands in the message.
const PLACEHOLDER: &str = "{####}";

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
        let message = env.required("SMS_MESSAGE")?;
        if message.matches(PLACEHOLDER).count() != 1 {
            return Err(bad_value("SMS_MESSAGE", &"a text with {####} once"));
        }
        Ok(Self {
            sns,
            message,
            sender_id: env.optional("SMS_SENDER_ID"),
            phone_prefixes: phone_prefixes(env)?,
        })
    }

    async fn send(&self, phone: &str, code: &Code) -> Result<()> {
        let attribute = |value: &str| {
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|_| Error::internal("a message attribute without a type"))
        };
        let mut publish = self
            .sns
            .publish()
            .phone_number(phone)
            .message(self.message.replace(PLACEHOLDER, code.expose()))
            .message_attributes("AWS.SNS.SMS.SMSType", attribute("Transactional")?);
        if let Some(sender_id) = &self.sender_id {
            publish = publish.message_attributes("AWS.SNS.SMS.SenderID", attribute(sender_id)?);
        }
        publish.send().await.map_err(Error::from_dependency)?;
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
        true => None,
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
        && let Err(error) = sms.send(phone, &code).await
    {
        if let Err(error) = limits.withdraw(reservation).await {
            tracing::error!(
                cause = error.cause,
                "a message that was not sent still counts"
            );
        }
        return Err(error);
    }
    Ok(code)
}
