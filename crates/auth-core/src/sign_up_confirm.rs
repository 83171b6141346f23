//! Confirmation of a sign-up with the code that was sent.

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::UserPool;
use crate::error::Result;
use crate::message::Message;
use crate::request::Fields;
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
/// Cognito's refusals.
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
        .await?;
    Ok(Message::new(format!(
        "The username: {username} has been confirmed."
    )))
}
