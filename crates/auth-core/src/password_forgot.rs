//! A code to change a forgotten password with.

use crate::clients::UserPool;
use crate::error::Result;
use crate::message::Message;
use crate::request::Fields;
use crate::telemetry::{self, Metric};
use crate::username::Username;

/// The user who forgot the password.
#[derive(Debug)]
pub struct Request {
    username: Username,
}

impl Request {
    /// Reads `username`.
    ///
    /// # Errors
    /// A missing or bad field.
    pub fn parse(fields: &Fields<'_>) -> Result<Self> {
        Ok(Self {
            username: fields.username()?,
        })
    }
}

/// Has Cognito send a code.
///
/// # Errors
/// Cognito's refusals.
pub async fn password_forgot(pool: &UserPool, request: Request) -> Result<Message> {
    let Request { username } = request;
    pool.cognito
        .forgot_password()
        .client_id(&pool.client_id)
        .username(username.as_str())
        .send()
        .await?;
    telemetry::count(Metric::CodesSent);
    Ok(Message::new(format!(
        "The confirmation code to change your password has been sent to: {username}."
    )))
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentityprovider::Client;
    use aws_sdk_cognitoidentityprovider::operation::forgot_password::ForgotPasswordInput;
    use aws_smithy_mocks::mock;
    use serde_json::json;

    use super::*;
    use crate::testing::{answer, assert_required, parsed, pool, seen};

    #[tokio::test]
    async fn cognito_is_asked_once_for_a_code_and_its_destination_is_not_told() {
        for username in ["user@example.com", "+34999999999"] {
            let sent = ForgotPasswordInput::builder()
                .client_id("client")
                .username(username)
                .build()
                .unwrap();
            let rule = mock!(Client::forgot_password)
                .match_requests(move |input| *input == sent)
                .then_http_response(|| answer(200, r#"{"CodeDeliveryDetails":{"AttributeName":"email","DeliveryMedium":"EMAIL","Destination":"u***@e***"}}"#));
            let request = parsed(&json!({ "username": username }), Request::parse).unwrap();
            let response = password_forgot(&pool([&rule]), request).await.map(seen);
            let message = format!(
                "The confirmation code to change your password has been sent to: {username}."
            );
            assert_eq!(response.unwrap(), json!({ "message": message }));
            assert_eq!(rule.num_calls(), 1);
        }
    }

    #[test]
    fn the_username_is_required() {
        assert_required(&json!({ "username": "user@example.com" }), Request::parse);
    }
}
