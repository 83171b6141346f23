//! The one-time code of a sign-in: made, counted and sent by SMS; or the one that was sent, asked for again.

use aws_sdk_sns::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;
use serde_json::{Value, json};

use crate::challenge::{CODE_PARAMETER, CUSTOM_CHALLENGE, Code, Request};
use crate::clients::{self, Setup};
use crate::config::{self, CODE_PLACEHOLDER, bad_value};
use crate::error::{Error, Result};
use crate::exceptions::from_dependency;
use crate::limits::{Limits, Reserved, SendFailure};
use crate::roles::{check_phone_prefix, phone_prefixes};
use crate::telemetry::{self, Metric};
use crate::trigger::{self, Event, View};
use crate::trigger_error;
use crate::username::is_phone;

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
    pub fn new(setup: &Setup<'_>) -> config::Result<Self> {
        let env = setup.env;
        // Twice for "@example.com #123456" after the text, by which a browser fills in the code on that domain alone.
        let message = env.message("SMS_MESSAGE", 2)?;
        let sender_id = env.optional("SMS_SENDER_ID");
        let is_sender =
            |id: &String| id.len() <= 11 && id.bytes().all(|c| c.is_ascii_alphanumeric());
        if !sender_id.iter().all(is_sender) {
            return Err(bad_value("SMS_SENDER_ID", &"up to 11 letters and digits"));
        }
        Ok(Self {
            sns: setup.sns()?,
            message,
            sender_id,
            phone_prefixes: phone_prefixes(env)?,
        })
    }

    /// Sends the code; a failure comes with whether it may have been sent in spite of it.
    async fn send(
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
        publish.send().await.map_err(|error| {
            // A success that can't be read is no rejection: the SMS may have been sent.
            let rejected = matches!(&error, SdkError::ServiceError(error) if !error.raw().status().is_success());
            let failure = match rejected || clients::was_not_sent(&error) {
                true => SendFailure::Rejected,
                false => SendFailure::NoResponse,
            };
            let error = match error.as_service_error().and_then(PublishError::code) {
                Some("InvalidParameter" | "ParameterValueInvalid") => Error {
                    cause: Some(
                        "SNS can't send to this number, or sends no SMS from this region".to_owned(),
                    ),
                    ..trigger_error::no_sms_to_this_number()
                },
                _ => from_dependency(error),
            };
            // AWS's words name the number as the resource.
            let cause = error.cause.map(|cause| cause.replace(phone, "(the phone number)"));
            (Error { cause, ..error }, failure)
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
    if event.source() != "CreateAuthChallenge_Authentication" {
        return Err(trigger::unknown_source());
    }
    let view: View<Request> = event.view()?;
    if view.request.challenge_name.get() != Some(CUSTOM_CHALLENGE) {
        return Err(trigger::unknown_source());
    }
    let code = match view.request.session.last() {
        Some(round) => Code::new(
            round
                .challenge_metadata
                .required("code of the last round")?,
        ),
        None => new_code(&view, limits, sms).await?,
    };
    event.respond("publicChallengeParameters", json!({}));
    event.respond(
        "privateChallengeParameters",
        json!({ CODE_PARAMETER: code.expose() }),
    );
    event.respond("challengeMetadata", Value::from(code.expose()));
    Ok(())
}

async fn new_code(view: &View<'_, Request<'_>>, limits: &Limits, sms: &Sms) -> Result<Code> {
    let user = view.limits_key()?;
    // For a user who does not exist everything goes the same way, but no message is sent.
    let phone = match view.request.user_not_found {
        true => None,
        false => {
            let phone = view.request.user_attributes.phone_number;
            let phone = phone.required("request.userAttributes.phone_number")?;
            check_phone_prefix(&sms.phone_prefixes, phone)?;
            if !is_phone(phone) {
                return Err(Error::internal(
                    "the user's phone number is not in E.164 format",
                ));
            }
            Some(phone)
        }
    };
    let reservation = match limits.reserve_send(&user).await? {
        Reserved::Already(code) => return Ok(code),
        Reserved::New(reservation) => reservation,
    };
    let code = reservation.code.clone();
    if let Some(phone) = phone
        && let Err((error, failure)) = sms.send(phone, &code).await
    {
        if let Err(error) = limits.withdraw(reservation, failure).await {
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
    use fake_aws::{FakeAws, Reply};

    use super::*;
    use crate::testing::{Changes, event, with_setup};

    const SMS: Changes<'_> = &[
        ("SMS_MESSAGE", "Your code: {####}!\n\n@example.com #{####}"),
        ("SMS_SENDER_ID", "Rocket"),
    ];

    async fn create(aws: &FakeAws, request: Value) -> Result<Value> {
        let limits = with_setup(aws.http_client(), &[], Limits::new).unwrap();
        let sms = with_setup(aws.http_client(), SMS, Sms::new).unwrap();
        let mut event = event("CreateAuthChallenge_Authentication", request);
        create_auth_challenge(&mut event, &limits, &sms).await?;
        Ok(Value::Object(event.into_json()))
    }

    fn operations(aws: &FakeAws) -> Vec<String> {
        let calls = aws.calls().into_iter();
        calls.map(|call| call.operation).collect()
    }

    /// Whether the last write left a send behind.
    fn is_counted(aws: &FakeAws) -> bool {
        let writes = aws.bodies("UpdateItem");
        writes.last().unwrap()["ExpressionAttributeValues"][":fullAt"]["N"] != "0"
    }

    fn request(phone: &str) -> Value {
        json!({
            "userAttributes": { "sub": "s-1", "phone_number": phone },
            "challengeName": "CUSTOM_CHALLENGE",
            "session": [],
        })
    }

    fn unknown_user() -> Value {
        json!({ "userNotFound": true, "challengeName": "CUSTOM_CHALLENGE", "session": [] })
    }

    #[tokio::test]
    async fn a_new_sign_in_is_counted_then_sent_its_code() {
        let aws = FakeAws::default();
        let event = create(&aws, request("+34999999999")).await.unwrap();
        let response = &event["response"];
        let code = response["privateChallengeParameters"]["code"].as_str();
        let code = code.unwrap();
        assert_eq!(response["challengeMetadata"], code);
        assert_eq!(response["publicChallengeParameters"], json!({}));
        assert_eq!(event["aFieldOfTomorrow"]["kept"], true);
        assert_eq!(operations(&aws), ["GetItem", "UpdateItem", "Publish"]);
        let sent = &aws.bodies("Publish")[0];
        assert_eq!(sent["PhoneNumber"], "+34999999999");
        assert_eq!(
            sent["Message"],
            format!("Your code: {code}!\n\n@example.com #{code}")
        );
        let attributes = [
            ("AWS.SNS.SMS.SMSType", "Transactional"),
            ("AWS.SNS.SMS.SenderID", "Rocket"),
        ];
        let fields = sent.as_object().unwrap();
        for (name, value) in attributes {
            let key = fields.iter().find(|(_, field)| *field == name).unwrap().0;
            let key = key.replace(".Name", ".Value.StringValue");
            assert_eq!(sent[key], value, "{name}");
        }
    }

    #[tokio::test]
    async fn a_round_after_a_wrong_answer_keeps_the_code() {
        let aws = FakeAws::default();
        let mut request = request("+34999999999");
        request["session"] = json!([{ "challengeName": "CUSTOM_CHALLENGE", "challengeResult": false, "challengeMetadata": "012345" }]);
        let response = create(&aws, request).await.unwrap()["response"].take();
        assert_eq!(response["privateChallengeParameters"]["code"], "012345");
        assert_eq!(response["challengeMetadata"], "012345");
        assert!(aws.calls().is_empty());
    }

    #[tokio::test]
    async fn a_user_who_does_not_exist_is_counted_and_sent_nothing() {
        let aws = FakeAws::default();
        let event = create(&aws, unknown_user()).await.unwrap();
        let code = event["response"]["privateChallengeParameters"]["code"].as_str();
        assert_eq!(code.unwrap().len(), 6);
        assert_eq!(operations(&aws), ["GetItem", "UpdateItem"]);
    }

    #[tokio::test]
    async fn a_phone_outside_the_allowed_prefixes_is_rejected_first() {
        let aws = FakeAws::default();
        let error = create(&aws, request("+447700900000")).await.unwrap_err();
        assert_eq!(
            error.message,
            "Phone numbers of this country are not accepted."
        );
        assert!(aws.calls().is_empty());
    }

    #[tokio::test]
    async fn an_sms_that_sns_rejects_is_sent_once_and_not_counted() {
        let number =
            "Invalid parameter: PhoneNumber Reason: +34999999999 is not valid to publish to";
        let denied =
            "User: arn is not authorized to perform: SNS:Publish on resource: +34999999999";
        for (status, code, message, name, cause) in [
            (
                400,
                "InvalidParameter",
                number,
                "InvalidParameterException",
                "SNS can't send to this number, or sends no SMS from this region",
            ),
            (
                400,
                "ParameterValueInvalid",
                number,
                "InvalidParameterException",
                "SNS can't send to this number, or sends no SMS from this region",
            ),
            (
                403,
                "AuthorizationError",
                denied,
                "InternalErrorException",
                "AuthorizationError: User: arn is not authorized to perform: SNS:Publish on resource: (the phone number)",
            ),
            (
                429,
                "Throttled",
                "",
                "ServiceUnavailableException",
                "Throttled",
            ),
            (
                400,
                "KMSThrottling",
                "",
                "ServiceUnavailableException",
                "KMSThrottling",
            ),
            (
                400,
                "KMSDisabled",
                "off",
                "InternalErrorException",
                "KMSDisabled: off",
            ),
            (
                500,
                "InternalError",
                "",
                "ServiceUnavailableException",
                "InternalError",
            ),
        ] {
            let aws = FakeAws::new(move |call| {
                let reply = || Reply::exception(call, status, code, message);
                (call.operation == "Publish").then(reply)
            });
            let error = create(&aws, request("+34999999999")).await.unwrap_err();
            assert_eq!(error.name, name, "{code}");
            assert_eq!(error.cause.unwrap(), cause, "{code}");
            assert_eq!(
                operations(&aws),
                ["GetItem", "UpdateItem", "Publish", "UpdateItem"],
                "{code}"
            );
            assert!(!is_counted(&aws), "{code}");
        }
    }

    #[tokio::test]
    async fn an_sms_without_a_response_counts() {
        let aws = FakeAws::with("Publish", Reply::lost());
        let error = create(&aws, request("+34999999999")).await.unwrap_err();
        assert_eq!(error.name, "ServiceUnavailableException");
        assert!(is_counted(&aws));
    }

    #[tokio::test]
    async fn an_event_that_lacks_something_is_our_fault() {
        let aws = FakeAws::default();
        let with = |name: &str, value: Value| {
            let mut request = request("+34999999999");
            request[name] = value;
            request
        };
        for (why, request) in [
            (
                "another challenge",
                with("challengeName", json!("PASSWORD_VERIFIER")),
            ),
            ("no user", with("userAttributes", Value::Null)),
            ("no phone", with("userAttributes", json!({ "sub": "s" }))),
            ("a bad phone", request("+34x")),
            (
                "a phone of another type",
                with("userAttributes", json!({ "sub": "s", "phone_number": 34 })),
            ),
            (
                "a round without a code",
                with("session", json!([{ "challengeMetadata": null }])),
            ),
        ] {
            let error = create(&aws, request).await.unwrap_err();
            assert_eq!(error.name, "InternalErrorException", "{why}");
        }
        assert!(aws.calls().is_empty());
    }

    #[test]
    fn a_message_without_one_placeholder_fails_at_start() {
        for message in ["", "Your code.", "{####} {####} {####}"] {
            let http_client = FakeAws::default().http_client();
            let error = with_setup(http_client, &[("SMS_MESSAGE", message)], Sms::new);
            let error = error.unwrap_err().to_string();
            assert!(error.contains("SMS_MESSAGE"), "{error}");
        }
    }
}
