//! A code to change a forgotten password with.

use crate::clients::UserPool;
use crate::error::Result;
use crate::message::Message;
use crate::request::Fields;
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
    Ok(Message::new(format!(
        "The confirmation code to change your password has been sent to: {username}."
    )))
}
