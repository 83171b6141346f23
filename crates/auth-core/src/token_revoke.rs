//! Sign-out: every token of the user is revoked.

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::UserPool;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::request::Fields;

/// The access token of the user who signs out.
#[derive(Debug)]
pub struct Request {
    access_token: SecretString,
}

impl Request {
    /// Reads `accessToken`.
    ///
    /// # Errors
    /// A missing or bad field; `NotAuthorizedException` where it is no JWT.
    pub fn parse(fields: &Fields<'_>) -> Result<Self> {
        let refusal = || Error::not_authorized("Invalid Access Token");
        let access_token = fields.token("accessToken", refusal)?;
        let mut parts = access_token.expose_secret().split('.');
        match (
            parts
                .by_ref()
                .take(3)
                .filter(|part| !part.is_empty())
                .count(),
            parts.next(),
        ) {
            (3, None) => Ok(Self { access_token }),
            _ => Err(refusal()),
        }
    }
}

/// Signs the user out everywhere. Tokens that are verified offline stay good until they expire.
///
/// # Errors
/// Cognito's refusals.
pub async fn token_revoke(pool: &UserPool, request: Request) -> Result<Message> {
    pool.cognito
        .global_sign_out()
        .access_token(request.access_token.expose_secret())
        .send()
        .await?;
    Ok(Message::new("Signed out"))
}
