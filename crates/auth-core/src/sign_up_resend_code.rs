//! Another code for a sign-up that is not confirmed yet.

use crate::clients::UserPool;
use crate::error::Result;
use crate::message::Message;
use crate::request::Fields;
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
    Ok(Message::new(format!(
        "The confirmation code to activate your account has been sent to: {username}."
    )))
}
