//! Another code for a sign-up that is not confirmed yet.

use crate::clients::UserPool;
use crate::error::Result;
use crate::message::Message;
use crate::request::Fields;
use crate::telemetry::{self, Metric};
use crate::username::Username;

/// The user who waits for a code.
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

/// Has Cognito send another code.
///
/// # Errors
/// Cognito's refusals.
pub async fn sign_up_resend_code(pool: &UserPool, request: Request) -> Result<Message> {
    let Request { username } = request;
    pool.cognito
        .resend_confirmation_code()
        .client_id(&pool.client_id)
        .username(username.as_str())
        .send()
        .await?;
    telemetry::count(Metric::CodesSent);
    Ok(Message::new(format!(
        "The confirmation code to activate your account has been sent to: {username}."
    )))
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentityprovider::Client;
    use aws_sdk_cognitoidentityprovider::operation::resend_confirmation_code::ResendConfirmationCodeInput;
    use aws_smithy_mocks::mock;
    use serde_json::json;

    use super::*;
    use crate::testing::{answer, assert_required, parsed, pool, seen};

    #[tokio::test]
    async fn cognito_is_asked_once_for_another_code() {
        for username in ["user@example.com", "+34999999999"] {
            let sent = ResendConfirmationCodeInput::builder()
                .client_id("client")
                .username(username)
                .build()
                .unwrap();
            let rule = mock!(Client::resend_confirmation_code)
                .match_requests(move |input| *input == sent)
                .then_http_response(|| answer(200, r#"{"CodeDeliveryDetails":{"AttributeName":"phone_number","DeliveryMedium":"SMS","Destination":"+*******9999"}}"#));
            let request = parsed(&json!({ "username": username }), Request::parse).unwrap();
            let response = sign_up_resend_code(&pool([&rule]), request).await.map(seen);
            let message = format!(
                "The confirmation code to activate your account has been sent to: {username}."
            );
            assert_eq!(response.unwrap(), json!({ "message": message }));
            assert_eq!(rule.num_calls(), 1);
        }
    }

    #[test]
    fn the_username_is_required() {
        assert_required(&json!({ "username": "+34999999999" }), Request::parse);
    }
}
