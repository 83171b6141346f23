//! The e-mail with the code that resets a password. Cognito has one text for it and for the code that confirms
//! a sign-up; who wants two of them needs this trigger.

use crate::config::{CODE_PLACEHOLDER, ConfigError, Env};
use crate::error::Result;
use crate::trigger::{self, Event};

/// The e-mail that resets a password.
#[derive(Debug)]
pub struct Reset {
    subject: String,
    message: String,
}

impl Reset {
    /// Reads `RESET_EMAIL_SUBJECT` and `RESET_EMAIL_MESSAGE`.
    ///
    /// # Errors
    /// Names the variable that is missing, or a message without the one place for the code.
    pub fn from_env(env: Env<'_>) -> std::result::Result<Self, ConfigError> {
        Ok(Self {
            subject: env.required("RESET_EMAIL_SUBJECT")?,
            message: env.message("RESET_EMAIL_MESSAGE")?,
        })
    }
}

/// Fills in the e-mail of a forgotten password; every other message stays the pool's.
///
/// # Errors
/// Internal for another trigger's event, or one without the code's placeholder.
pub fn custom_message(event: &mut Event, reset: &Reset) -> Result<()> {
    match event.source() {
        "CustomMessage_ForgotPassword" => {}
        source if source.starts_with("CustomMessage_") => return Ok(()),
        _ => return Err(trigger::unknown_source()),
    }
    // Cognito does not tell the code: it puts it where this text of its own stands.
    let code = event.required(&["request", "codeParameter"])?;
    let message = reset.message.replace(CODE_PLACEHOLDER, code);
    event.respond("emailSubject", reset.subject.as_str());
    event.respond("emailMessage", message);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Kind;
    use crate::testing::{env, event};

    fn reset() -> Reset {
        Reset::from_env(Env::new(&env(&[
            ("RESET_EMAIL_SUBJECT", "Your new password"),
            ("RESET_EMAIL_MESSAGE", "<b>{####}</b> sets a new password."),
        ])))
        .unwrap()
    }

    fn message(source: &str) -> Event {
        let attributes = json!({ "email": "user@example.com" });
        let request = json!({ "userAttributes": attributes, "codeParameter": "{####}", "usernameParameter": null });
        event(source, request)
    }

    #[test]
    fn the_email_of_a_forgotten_password_has_the_text_and_cognitos_placeholder() {
        let mut event = message("CustomMessage_ForgotPassword");
        custom_message(&mut event, &reset()).unwrap();
        assert_eq!(
            event.into_json()["response"],
            json!({
                "answerCorrect": null,
                "emailSubject": "Your new password",
                "emailMessage": "<b>{####}</b> sets a new password.",
            })
        );
    }

    #[test]
    fn every_other_message_stays_the_pools() {
        for source in [
            "CustomMessage_SignUp",
            "CustomMessage_ResendCode",
            "CustomMessage_UpdateUserAttribute",
            "CustomMessage_VerifyUserAttribute",
            "CustomMessage_AdminCreateUser",
            "CustomMessage_Authentication",
        ] {
            let mut event = message(source);
            custom_message(&mut event, &reset()).unwrap();
            assert_eq!(event.into_json(), message(source).into_json(), "{source}");
        }
    }

    #[test]
    fn an_event_of_another_trigger_or_without_a_place_for_the_code_is_refused() {
        let without = event("CustomMessage_ForgotPassword", json!({}));
        for mut event in [message("PreSignUp_SignUp"), without] {
            let error = custom_message(&mut event, &reset()).unwrap_err();
            assert_eq!(error.kind, Kind::Internal);
        }
    }
}
