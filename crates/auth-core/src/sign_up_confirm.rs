//! Confirmation of a sign-up with the code that was sent.

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::UserPool;
use crate::error::Result;
use crate::message::Message;
use crate::request::Fields;
use crate::trigger;
use crate::username::Username;

/// A user and the code that confirms them.
#[derive(Debug)]
pub struct Request {
    username: Username,
    confirmation_code: SecretString,
}

impl Request {
    /// Reads `username` and `confirmationCode`.
    ///
    /// # Errors
    /// A missing or bad field.
    pub fn parse(fields: &Fields<'_>) -> Result<Self> {
        Ok(Self {
            username: fields.username()?,
            confirmation_code: fields.opaque("confirmationCode")?,
        })
    }
}

/// Confirms the user.
///
/// # Errors
/// Cognito's refusals, and the post-confirmation trigger's failures.
pub async fn sign_up_confirm(pool: &UserPool, request: Request) -> Result<Message> {
    let Request {
        username,
        confirmation_code,
    } = request;
    pool.cognito
        .confirm_sign_up()
        .client_id(&pool.client_id)
        .username(username.as_str())
        .confirmation_code(confirmation_code.expose_secret())
        .send()
        .await
        .map_err(trigger::refusal_or_error)?;
    Ok(Message::new(format!(
        "The username: {username} has been confirmed."
    )))
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentityprovider::Client;
    use aws_sdk_cognitoidentityprovider::operation::confirm_sign_up::ConfirmSignUpInput;
    use aws_smithy_mocks::mock;
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Kind;
    use crate::testing::{answer, assert_required, exception, parsed, pool, seen};

    fn body(username: &str) -> Value {
        json!({ "username": username, "confirmationCode": "012345" })
    }

    #[tokio::test]
    async fn cognito_is_given_the_code_with_its_leading_zero_and_no_more() {
        for username in ["user@example.com", "+34999999999"] {
            let sent = ConfirmSignUpInput::builder()
                .client_id("client")
                .username(username)
                .confirmation_code("012345")
                .build()
                .unwrap();
            let rule = mock!(Client::confirm_sign_up)
                .match_requests(move |input| *input == sent)
                .then_http_response(|| answer(200, r#"{"Session":"not for this API"}"#));
            let request = parsed(&body(username), Request::parse).unwrap();
            let response = sign_up_confirm(&pool([&rule]), request).await.map(seen);
            let message = format!("The username: {username} has been confirmed.");
            assert_eq!(response.unwrap(), json!({ "message": message }));
            assert_eq!(rule.num_calls(), 1);
        }
    }

    #[tokio::test]
    async fn a_failure_of_the_post_confirmation_trigger_is_not_the_callers() {
        for (told, kind) in [
            ("ServiceUnavailableException: later.", Kind::Unavailable),
            ("InternalErrorException: sorry.", Kind::Internal),
        ] {
            let message = format!("PostConfirmation failed with error {told}.");
            let rule = mock!(Client::confirm_sign_up)
                .then_http_response(move || exception("UserLambdaValidationException", &message));
            let request = parsed(&body("user@example.com"), Request::parse).unwrap();
            let error = sign_up_confirm(&pool([&rule]), request)
                .await
                .err()
                .unwrap();
            assert_eq!(error.kind, kind, "{told}");
        }
    }

    #[test]
    fn each_field_is_required() {
        assert_required(&body("user@example.com"), Request::parse);
    }

    #[test]
    fn a_code_that_is_a_json_number_is_refused_as_its_leading_zeros_are_lost() {
        let mut body = body("user@example.com");
        body["confirmationCode"] = json!(12345);
        let error = parsed(&body, Request::parse).unwrap_err();
        assert_eq!(
            (&*error.name, &*error.message),
            (
                "InvalidParameterType",
                "Expected params.ConfirmationCode to be a string"
            )
        );
    }
}
