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
