//! A new password, by the code that `password-forgot` had sent.

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::UserPool;
use crate::error::Result;
use crate::message::Message;
use crate::request::Fields;
use crate::username::Username;

/// A user, the new password and the code that allows it.
#[derive(Debug)]
pub struct Request {
    username: Username,
    password: SecretString,
    confirmation_code: SecretString,
}

impl Request {
    /// Reads `username`, `password` and `confirmationCode`.
    ///
    /// # Errors
    /// A missing or bad field.
    pub fn parse(fields: &Fields<'_>) -> Result<Self> {
        Ok(Self {
            username: fields.username()?,
            password: fields.secret("password")?,
            confirmation_code: fields.opaque("confirmationCode")?,
        })
    }
}

/// Changes the password.
///
/// # Errors
/// Cognito's refusals.
pub async fn password_change(pool: &UserPool, request: Request) -> Result<Message> {
    let Request {
        username,
        password,
        confirmation_code,
    } = request;
    pool.cognito
        .confirm_forgot_password()
        .client_id(&pool.client_id)
        .username(username.as_str())
        .password(password.expose_secret())
        .confirmation_code(confirmation_code.expose_secret())
        .send()
        .await?;
    Ok(Message::new("Your password has been successfully changed."))
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentityprovider::Client;
    use aws_sdk_cognitoidentityprovider::operation::confirm_forgot_password::ConfirmForgotPasswordInput;
    use aws_smithy_mocks::mock;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{answer, assert_required, parsed, pool, seen};

    fn body() -> Value {
        json!({ "username": "user@example.com", "password": " pass word ", "confirmationCode": "654321" })
    }

    #[tokio::test]
    async fn cognito_is_given_the_new_password_as_it_came_with_its_code_and_no_more() {
        let sent = ConfirmForgotPasswordInput::builder()
            .client_id("client")
            .username("user@example.com")
            .password(" pass word ")
            .confirmation_code("654321")
            .build()
            .unwrap();
        let rule = mock!(Client::confirm_forgot_password)
            .match_requests(move |input| *input == sent)
            .then_http_response(|| answer(200, "{}"));
        let request = parsed(&body(), Request::parse).unwrap();
        let response = password_change(&pool([&rule]), request).await.map(seen);
        assert_eq!(
            response.unwrap(),
            json!({ "message": "Your password has been successfully changed." })
        );
        assert_eq!(rule.num_calls(), 1);
    }

    #[test]
    fn each_field_is_required() {
        assert_required(&body(), Request::parse);
    }
}
