//! The messages that Cognito sends. This trigger gives the e-mail of a password reset its own text: Cognito has one text
//! for resets and confirmations. With `ContactChanges=REFUSED`, it rejects the code to a new contact, so that neither a
//! signed-in user nor the thief of a token can change a contact.

use serde::Deserialize;

use crate::config::{self, CODE_PLACEHOLDER, Env, bad_value};
use crate::error::{Error, Result};
use crate::trigger::{self, Event, Text, View};

/// The settings of the messages.
#[derive(Debug)]
pub struct Messages {
    /// Subject and text of the e-mail that resets a password; `None` for the pool's.
    reset: Option<(String, String)>,
    refuses_contact_changes: bool,
}

impl Messages {
    /// Reads `CONTACT_CHANGES`, `RESET_EMAIL_SUBJECT`, and `RESET_EMAIL_MESSAGE` if it is set.
    ///
    /// # Errors
    /// Names the variable that is missing or bad, or a message without the one place for the code.
    pub fn from_env(env: Env<'_>) -> config::Result<Self> {
        let subject = env.required("RESET_EMAIL_SUBJECT")?;
        let message = env.optional("RESET_EMAIL_MESSAGE");
        let message = message.map(|_| env.message("RESET_EMAIL_MESSAGE", 1));
        Ok(Self {
            reset: message.transpose()?.map(|message| (subject, message)),
            refuses_contact_changes: match &*env.required("CONTACT_CHANGES")? {
                "ALLOWED" => false,
                "REFUSED" => true,
                _ => return Err(bad_value("CONTACT_CHANGES", &"ALLOWED or REFUSED")),
            },
        })
    }
}

/// The request of Cognito's event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    /// The placeholder that Cognito replaces with the code.
    #[serde(borrow, default)]
    code_parameter: Text<'a>,
}

/// Sets the e-mail of a forgotten password, and rejects messages to a new contact, each if it is configured. Every other
/// message is the pool's.
///
/// # Errors
/// `InvalidParameterException` for the change of a contact; internal for another trigger's event, or one without
/// the code's placeholder.
pub fn custom_message(event: &mut Event, messages: &Messages) -> Result<()> {
    match (event.source(), &messages.reset) {
        ("CustomMessage_ForgotPassword", Some((subject, message))) => {
            // Cognito does not send the code to triggers. It replaces this placeholder with it.
            let view: View<Request> = event.view()?;
            let code = view
                .request
                .code_parameter
                .required("request.codeParameter")?;
            let message = message.replace(CODE_PLACEHOLDER, code);
            event.respond("emailSubject", subject.as_str());
            event.respond("emailMessage", message);
            Ok(())
        }
        // Without the code, the new contact never replaces the old one. If an administrator sets a verified contact, Cognito
        // sends no code.
        ("CustomMessage_UpdateUserAttribute" | "CustomMessage_VerifyUserAttribute", _)
            if messages.refuses_contact_changes =>
        {
            Err(Error::invalid_parameter(
                "The email address and phone number of an account can't be changed.",
            ))
        }
        (source, _) if source.starts_with("CustomMessage_") => Ok(()),
        _ => Err(trigger::unknown_source()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Kind;
    use crate::testing::{event, with_env};

    fn messages(message: &'static str, contact_changes: &'static str) -> Messages {
        let changes = [
            ("RESET_EMAIL_MESSAGE", message),
            ("CONTACT_CHANGES", contact_changes),
        ];
        with_env(&changes, Messages::from_env).unwrap()
    }

    const RESET: &str = "<b>{####}</b> sets a new password.";

    fn message(source: &str) -> Event {
        let attributes = json!({ "email": "user@example.com" });
        let request = json!({ "userAttributes": attributes, "codeParameter": "{####}", "usernameParameter": null });
        event(source, request)
    }

    #[test]
    fn password_reset_email_has_configured_text_and_placeholder() {
        let mut event = message("CustomMessage_ForgotPassword");
        custom_message(&mut event, &messages(RESET, "REFUSED")).unwrap();
        assert_eq!(
            event.into_json()["response"],
            json!({
                "answerCorrect": null,
                "emailSubject": "Your new password",
                "emailMessage": "<b>{####}</b> sets a new password.",
            })
        );
    }

    const CONTACT_CHANGES: [&str; 2] = [
        "CustomMessage_UpdateUserAttribute",
        "CustomMessage_VerifyUserAttribute",
    ];

    #[test]
    fn every_other_message_stays_the_pools() {
        let others = [
            "CustomMessage_SignUp",
            "CustomMessage_ResendCode",
            "CustomMessage_AdminCreateUser",
            "CustomMessage_Authentication",
        ];
        let reset = ["CustomMessage_ForgotPassword"];
        for (messages, sources) in [
            (
                messages(RESET, "ALLOWED"),
                [&others[..], &CONTACT_CHANGES].concat(),
            ),
            (
                messages("", "ALLOWED"),
                [&others[..], &CONTACT_CHANGES, &reset].concat(),
            ),
            (messages("", "REFUSED"), [&others[..], &reset].concat()),
        ] {
            for source in sources {
                let mut event = message(source);
                custom_message(&mut event, &messages).unwrap();
                assert_eq!(event.into_json(), message(source).into_json(), "{source}");
            }
        }
    }

    #[test]
    fn contact_changes_refused_rejects_the_message_to_a_new_contact() {
        for source in CONTACT_CHANGES {
            let error = custom_message(&mut message(source), &messages("", "REFUSED")).unwrap_err();
            assert_eq!(
                (error.kind, &*error.name),
                (Kind::Invalid, "InvalidParameterException")
            );
        }
    }

    #[test]
    fn custom_message_rejects_malformed_events() {
        let without = event("CustomMessage_ForgotPassword", json!({}));
        for mut event in [message("PreSignUp_SignUp"), without] {
            let error = custom_message(&mut event, &messages(RESET, "REFUSED")).unwrap_err();
            assert_eq!(error.kind, Kind::Internal);
        }
    }
}
