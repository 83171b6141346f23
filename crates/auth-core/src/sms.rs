//! One-time codes by SMS.

use aws_sdk_sns::error::ProvideErrorMetadata as _;
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;

use crate::challenge::Code;
use crate::clients::Setup;
use crate::config::{self, CODE_PLACEHOLDER, bad_value};
use crate::error::{Error, Result};
use crate::limits::SendFailure;
use crate::roles::{check_phone_prefix, phone_prefixes};
use crate::trigger_error;
use crate::username::is_phone;

/// How codes are sent by SMS.
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
    pub fn new(setup: &Setup<'_>) -> config::Result<Self> {
        let env = setup.env;
        // Twice for "@example.com #123456" after the text, by which a browser fills in the code on that domain alone.
        let message = env.message("SMS_MESSAGE", 2)?;
        let sender_id = env.optional("SMS_SENDER_ID");
        let is_sender = |id: &String| {
            id.len() <= 11
                && id.bytes().all(|c| c.is_ascii_alphanumeric())
                && id.bytes().any(|c| c.is_ascii_alphabetic())
        };
        if !sender_id.iter().all(is_sender) {
            let expected = "up to 11 letters and digits, at least one of them a letter";
            return Err(bad_value("SMS_SENDER_ID", &expected));
        }
        Ok(Self {
            sns: setup.sns()?,
            message,
            sender_id,
            phone_prefixes: phone_prefixes(env)?,
        })
    }

    /// Whether a code may be sent to this number.
    ///
    /// # Errors
    /// `InvalidParameterException` outside the allowed prefixes; internal if it is no number in E.164 format.
    pub fn check(&self, phone: &str) -> Result<()> {
        check_phone_prefix(&self.phone_prefixes, phone)?;
        match is_phone(phone) {
            true => Ok(()),
            false => Err(Error::internal(
                "the user's phone number is not in E.164 format",
            )),
        }
    }

    /// Sends the code; a failure comes with whether it may have been sent in spite of it.
    ///
    /// # Errors
    /// `InvalidParameterException` if SNS can't send to this number; internal or unavailable.
    pub async fn send(
        &self,
        phone: &str,
        code: &Code,
    ) -> std::result::Result<(), (Error, SendFailure)> {
        let attribute = |value: &str| {
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|_| {
                    let error = Error::internal("a message attribute without a type");
                    (error, SendFailure::Rejected)
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
        publish.send().await.map(drop).map_err(|error| {
            let code = error.as_service_error().and_then(PublishError::code);
            let is_about_number =
                matches!(code, Some("InvalidParameter" | "ParameterValueInvalid"));
            let rejection = is_about_number.then(|| Error {
                cause: Some(
                    "SNS can't send to this number, or sends no SMS from this region".to_owned(),
                ),
                ..trigger_error::no_sms_to_this_number()
            });
            SendFailure::explain(error, rejection, phone, "(the phone number)")
        })
    }
}
