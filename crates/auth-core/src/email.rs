//! One-time codes by e-mail.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata as _};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};

use crate::challenge::Code;
use crate::clients::Setup;
use crate::config::{self, CODE_PLACEHOLDER};
use crate::error::Error;
use crate::limits::SendFailure;
use crate::trigger_error;

/// How codes are sent by e-mail.
#[derive(Debug)]
pub struct Email {
    ses: Client,
    from: String,
    reply_to: Option<String>,
    configuration_set: Option<String>,
    subject: String,
    message: String,
}

impl Email {
    /// Reads `EMAIL_CODE_SUBJECT`, `EMAIL_CODE_MESSAGE`, and `EMAIL_FROM`, without which no e-mail is sent. Then, if they
    /// are set, `EMAIL_REPLY_TO` and `SES_CONFIGURATION_SET`.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn new(setup: &Setup<'_>) -> config::Result<Option<Self>> {
        let env = setup.env;
        let subject = env.required("EMAIL_CODE_SUBJECT")?;
        let message = env.message("EMAIL_CODE_MESSAGE", 1)?;
        let Some(from) = env.optional("EMAIL_FROM") else {
            return Ok(None);
        };
        Ok(Some(Self {
            ses: setup.ses()?,
            from,
            reply_to: env.optional("EMAIL_REPLY_TO"),
            configuration_set: env.optional("SES_CONFIGURATION_SET"),
            subject,
            message,
        }))
    }

    /// Sends the code; a failure comes with whether it may have been sent in spite of it.
    ///
    /// # Errors
    /// `InvalidParameterException` if SES rejects the address; internal or unavailable.
    pub async fn send(
        &self,
        address: &str,
        code: &Code,
    ) -> std::result::Result<(), (Error, SendFailure)> {
        let content = self.content(code).map_err(|_| {
            let error = Error::internal("an e-mail without a text");
            (error, SendFailure::Rejected)
        })?;
        let sent = self
            .ses
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(address).build())
            .set_reply_to_addresses(self.reply_to.clone().map(|address| vec![address]))
            .set_configuration_set_name(self.configuration_set.clone())
            .content(content)
            .send()
            .await;
        sent.map(drop).map_err(|error| {
            let is_about_address = error.as_service_error().is_some_and(|error| {
                let text = error.message().unwrap_or_default();
                error.code() == Some("MessageRejected") && text.contains(address)
            });
            let rejection = is_about_address.then(|| Error {
                cause: Some(
                    "SES rejects this address: in its sandbox it sends to verified ones only"
                        .to_owned(),
                ),
                ..trigger_error::no_email_to_this_address()
            });
            SendFailure::explain(error, rejection, address, "(the e-mail address)")
        })
    }

    /// The text with the code, and if it has tags the same in HTML.
    fn content(&self, code: &Code) -> std::result::Result<EmailContent, BuildError> {
        let utf_8 = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        // Digits need no escaping.
        let message = self.message.replace(CODE_PLACEHOLDER, code.expose());
        let text = without_tags(&message);
        let html = (text != message).then(|| utf_8(&message)).transpose()?;
        let body = Body::builder().text(utf_8(&text)?).set_html(html).build();
        let message = Message::builder().subject(utf_8(&self.subject)?).body(body);
        Ok(EmailContent::builder().simple(message.build()).build())
    }
}

/// The text without everything from a `<` to the next `>`.
fn without_tags(text: &str) -> String {
    let mut parts = text.split('<');
    let before = parts.next().unwrap_or_default().to_owned();
    parts.fold(before, |all, part| match part.split_once('>') {
        Some((_, after)) => all + after,
        None => all + "<" + part,
    })
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, Reply};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Changes, with_setup};

    const SET_UP: Changes<'_> = &[
        ("EMAIL_FROM", "Example <no-reply@example.com>"),
        ("EMAIL_CODE_SUBJECT", "Your sign-in code"),
        ("EMAIL_CODE_MESSAGE", "Your sign-in code is {####}."),
    ];

    async fn send(aws: &FakeAws, changes: Changes<'_>) -> Result<Value, (Error, SendFailure)> {
        let changes = [SET_UP, changes].concat();
        let email = with_setup(aws.http_client(), &changes, Email::new);
        let email = email.unwrap().unwrap();
        email.send("user@example.org", &Code::new("012345")).await?;
        Ok(aws.bodies("SendEmail").pop().unwrap())
    }

    #[tokio::test]
    async fn a_code_goes_to_the_address_from_the_sender() {
        let aws = FakeAws::default();
        let sent = send(&aws, &[]).await.unwrap();
        let utf_8 = |text: &str| json!({ "Data": text, "Charset": "UTF-8" });
        let message = json!({
            "FromEmailAddress": "Example <no-reply@example.com>",
            "Destination": { "ToAddresses": ["user@example.org"] },
            "Content": { "Simple": {
                "Subject": utf_8("Your sign-in code"),
                "Body": { "Text": utf_8("Your sign-in code is 012345.") },
            } },
        });
        assert_eq!(sent, message);
        let more = [
            ("EMAIL_REPLY_TO", "help@example.com"),
            ("SES_CONFIGURATION_SET", "codes"),
            ("EMAIL_CODE_MESSAGE", "<p>It is <b>{####}</b>, if 1 < 2</p>"),
        ];
        let sent = send(&aws, &more).await.unwrap();
        assert_eq!(sent["ReplyToAddresses"], json!(["help@example.com"]));
        assert_eq!(sent["ConfigurationSetName"], "codes");
        let body = json!({
            "Text": utf_8("It is 012345, if 1 < 2"),
            "Html": utf_8("<p>It is <b>012345</b>, if 1 < 2</p>"),
        });
        assert_eq!(sent["Content"]["Simple"]["Body"], body);
    }

    #[tokio::test]
    async fn a_rejection_is_the_callers_only_if_it_names_the_address() {
        let sandbox = |who: &str| {
            format!("Email address is not verified. The following identities failed: {who}")
        };
        let (to, from) = (sandbox("user@example.org"), sandbox("no-reply@example.com"));
        let (callers, internal) = ("InvalidParameterException", "InternalErrorException");
        let unavailable = "ServiceUnavailableException";
        for (status, code, message, name) in [
            (400, "MessageRejected", &*to, callers),
            (400, "MessageRejected", &from, internal),
            (400, "SendingPausedException", "paused", internal),
            (404, "NotFoundException", "no configuration set", internal),
            (403, "AccessDeniedException", "user@example.org", internal),
            (429, "TooManyRequestsException", "", unavailable),
            (500, "InternalFailure", "", unavailable),
        ] {
            let reply = Reply::json(status, &json!({ "__type": code, "message": message }));
            let aws = FakeAws::with("SendEmail", reply);
            let (error, failure) = send(&aws, &[]).await.unwrap_err();
            assert_eq!(error.name, name, "{code}");
            assert_eq!(failure, SendFailure::Rejected, "{code}");
            let cause = error.cause.unwrap();
            assert!(!cause.contains("user@example.org"), "{cause}");
            assert_eq!(aws.calls().len(), 1, "{code}");
        }
        let aws = FakeAws::with("SendEmail", Reply::lost());
        let (error, failure) = send(&aws, &[]).await.unwrap_err();
        assert_eq!(error.name, "ServiceUnavailableException");
        assert_eq!(failure, SendFailure::NoResponse);
    }

    #[test]
    fn bad_email_configuration_fails_at_start() {
        let read = |changes: Changes<'_>| {
            let http_client = FakeAws::default().http_client();
            with_setup(http_client, changes, Email::new)
        };
        assert!(read(&[("EMAIL_FROM", "")]).unwrap().is_none());
        for message in ["", "Your code.", "{####} {####}"] {
            let changes = [SET_UP, &[("EMAIL_CODE_MESSAGE", message)]].concat();
            let error = read(&changes).unwrap_err().to_string();
            assert!(error.contains("EMAIL_CODE_MESSAGE"), "{error}");
        }
    }
}
