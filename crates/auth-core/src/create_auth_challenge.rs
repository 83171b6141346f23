//! Makes, counts and sends the one-time code of a sign-in, or asks again for the code that was sent.

use serde_json::{Value, json};

use crate::challenge::{CODE_PARAMETER, CUSTOM_CHALLENGE, Code, Request};
use crate::clients::Setup;
use crate::config;
use crate::email::Email;
use crate::error::{Error, Result};
use crate::limits::{Limits, Reserved, SendFailure};
use crate::sms::Sms;
use crate::telemetry::{self, Metric};
use crate::trigger::{self, Event, UserAttributes, View};

/// How codes are sent.
#[derive(Debug)]
pub struct Channels {
    sms: Sms,
    email: Option<Email>,
}

/// The channel of a user's codes.
enum Contact<'a> {
    Phone(&'a str),
    Email(&'a str, &'a Email),
}

impl Channels {
    /// Reads what [`Sms::new`] and [`Email::new`] do.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn new(setup: &Setup<'_>) -> config::Result<Self> {
        Ok(Self {
            sms: Sms::new(setup)?,
            email: Email::new(setup)?,
        })
    }

    /// The contact that is the username. Users sign up with one contact. If there are two, one was added later: this is
    /// the phone number, unless only the e-mail address is verified.
    fn contact<'a>(&'a self, user: &UserAttributes<'a>) -> Result<Contact<'a>> {
        let phone = user.phone_number.get();
        let email = user.email.get();
        let email = email.filter(|_| user.email_verified.get() == Some("true"));
        let phone_is_unverified = user.phone_number_verified.get() == Some("false");
        match (phone, email.zip(self.email.as_ref())) {
            (None, Some((address, email))) => Ok(Contact::Email(address, email)),
            (Some(_), Some((address, email))) if phone_is_unverified => {
                Ok(Contact::Email(address, email))
            }
            (Some(phone), _) => {
                self.sms.check(phone)?;
                Ok(Contact::Phone(phone))
            }
            (None, None) => Err(Error::internal(
                "the user has no contact that a code can be sent to",
            )),
        }
    }

    async fn send(
        &self,
        contact: Contact<'_>,
        code: &Code,
    ) -> std::result::Result<(), (Error, SendFailure)> {
        match contact {
            Contact::Phone(phone) => self.sms.send(phone, code).await?,
            Contact::Email(address, email) => email.send(address, code).await?,
        }
        telemetry::count(Metric::CodesSent);
        Ok(())
    }
}

/// Fills in the challenge: the code for the verifying trigger, nothing for the caller.
///
/// The code is also in the challenge's metadata. After a wrong answer, Cognito calls this trigger again with the metadata
/// of the earlier rounds. Clients see none of it.
///
/// # Errors
/// `TooManyRequestsException` beyond the limits; `InvalidParameterException` for a phone number outside
/// the allowed prefixes; unavailable if the code can't be counted or sent.
pub async fn create_auth_challenge(
    event: &mut Event,
    limits: &Limits,
    channels: &Channels,
) -> Result<()> {
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
        None => new_code(&view, limits, channels).await?,
    };
    event.respond("publicChallengeParameters", json!({}));
    event.respond(
        "privateChallengeParameters",
        json!({ CODE_PARAMETER: code.expose() }),
    );
    event.respond("challengeMetadata", Value::from(code.expose()));
    Ok(())
}

async fn new_code(
    view: &View<'_, Request<'_>>,
    limits: &Limits,
    channels: &Channels,
) -> Result<Code> {
    let user = view.limits_key()?;
    // A user who does not exist is handled in the same way, but no message is sent.
    let contact = match view.request.user_not_found {
        true => None,
        false => Some(channels.contact(&view.request.user_attributes)?),
    };
    let reservation = match limits.reserve_send(&user).await? {
        Reserved::Already(code) => return Ok(code),
        Reserved::New(reservation) => reservation,
    };
    let code = reservation.code.clone();
    if let Some(contact) = contact
        && let Err((error, failure)) = channels.send(contact, &code).await
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

    const TEXTS: Changes<'_> = &[
        ("SMS_MESSAGE", "Your code: {####}!\n\n@example.com #{####}"),
        ("SMS_SENDER_ID", "Rocket"),
        ("SMS_REGION", "ap-northeast-1"),
        ("SES_REGION", "eu-west-1"),
    ];

    async fn create(aws: &FakeAws, request: Value) -> Result<Value> {
        let limits = with_setup(aws.http_client(), &[], Limits::new).unwrap();
        let channels = with_setup(aws.http_client(), TEXTS, Channels::new).unwrap();
        let mut event = event("CreateAuthChallenge_Authentication", request);
        create_auth_challenge(&mut event, &limits, &channels).await?;
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
        let no_sms = "SNS can't send to this number, or sends no SMS from this region";
        let masked = "AuthorizationError: User: arn is not authorized to perform: SNS:Publish on resource: (the phone number)";
        let (invalid, internal) = ("InvalidParameterException", "InternalErrorException");
        let unavailable = "ServiceUnavailableException";
        for (status, code, message, name, cause) in [
            (400, "InvalidParameter", number, invalid, no_sms),
            (400, "ParameterValueInvalid", number, invalid, no_sms),
            (403, "AuthorizationError", denied, internal, masked),
            (429, "Throttled", "", unavailable, "Throttled"),
            (500, "InternalError", "", unavailable, "InternalError"),
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
    async fn a_message_without_a_response_counts() {
        let mut by_email = request("");
        by_email["userAttributes"] = verified("user@example.org", "", ["true", ""]);
        for (operation, request) in [
            ("Publish", request("+34999999999")),
            ("SendEmail", by_email),
        ] {
            let aws = FakeAws::with(operation, Reply::lost());
            let error = create(&aws, request).await.unwrap_err();
            assert_eq!(error.name, "ServiceUnavailableException");
            assert!(is_counted(&aws), "{operation}");
        }
    }

    #[tokio::test]
    async fn an_event_that_lacks_something_is_our_fault() {
        let aws = FakeAws::default();
        let with = |name: &str, value: Value| {
            let mut request = request("+34999999999");
            request[name] = value;
            request
        };
        let no_phone = json!({ "sub": "s" });
        let typed_phone = json!({ "sub": "s", "phone_number": 34 });
        let no_code = json!([{ "challengeMetadata": null }]);
        for (why, request) in [
            ("another challenge", with("challengeName", json!("SRP_A"))),
            ("no user", with("userAttributes", Value::Null)),
            ("no phone", with("userAttributes", no_phone)),
            ("a bad phone", request("+34x")),
            ("a number", with("userAttributes", typed_phone)),
            ("a round without a code", with("session", no_code)),
        ] {
            let error = create(&aws, request).await.unwrap_err();
            assert_eq!(error.name, "InternalErrorException", "{why}");
        }
        assert!(aws.calls().is_empty());
    }

    fn verified(email: &str, phone: &str, [email_verified, phone_verified]: [&str; 2]) -> Value {
        json!({
            "sub": "s-1",
            "email": email,
            "email_verified": email_verified,
            "phone_number": phone,
            "phone_number_verified": phone_verified,
        })
    }

    #[tokio::test]
    async fn a_code_goes_to_the_username_from_the_channels_region() {
        const EMAIL: &str = "user@example.org";
        const PHONE: &str = "+34999999999";
        for (user, operation) in [
            (verified(EMAIL, "", ["true", ""]), "SendEmail"),
            (verified("", PHONE, ["", "true"]), "Publish"),
            (verified("", PHONE, ["", "false"]), "Publish"),
            (verified(EMAIL, PHONE, ["true", "true"]), "Publish"),
            (verified(EMAIL, PHONE, ["false", "true"]), "Publish"),
            (verified(EMAIL, PHONE, ["true", "false"]), "SendEmail"),
        ] {
            let aws = FakeAws::default();
            let mut request = request("");
            request["userAttributes"] = user.clone();
            create(&aws, request).await.unwrap();
            assert_eq!(operations(&aws)[2..], [operation], "{user}");
            let host = match operation {
                "Publish" => "sns.ap-northeast-1.amazonaws.com",
                _ => "email.eu-west-1.amazonaws.com",
            };
            let uri = &aws.calls()[2].uri;
            assert!(uri.contains(host), "{uri}");
        }
        let aws = FakeAws::default();
        let mut request = request("");
        request["userAttributes"] = verified(EMAIL, "", ["false", ""]);
        let error = create(&aws, request).await.unwrap_err();
        assert_eq!(error.name, "InternalErrorException");
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
