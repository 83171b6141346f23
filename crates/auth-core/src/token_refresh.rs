//! New tokens for a refresh token, with rotation and without.

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::{self, UserPool};
use crate::error::{Error, Result};
use crate::request::Fields;
use crate::tokens::Tokens;

/// A refresh token.
#[derive(Debug)]
pub struct Request {
    refresh_token: SecretString,
}

impl Request {
    /// Reads `refreshToken`.
    ///
    /// # Errors
    /// A missing or bad field; `NotAuthorizedException` where Cognito can't have issued it.
    pub fn parse(fields: &Fields<'_>) -> Result<Self> {
        let refresh_token = fields.token("refreshToken", || {
            Error::not_authorized("Invalid Refresh Token")
        })?;
        Ok(Self { refresh_token })
    }
}

/// Trades the refresh token in. A repeat is harmless: a rotated token stays good for a grace of 60 s.
///
/// # Errors
/// Cognito's refusals.
pub async fn token_refresh(pool: &UserPool, request: Request) -> Result<Tokens> {
    let presented = request.refresh_token.expose_secret();
    let answer = pool
        .cognito
        .get_tokens_from_refresh_token()
        .client_id(&pool.client_id)
        .refresh_token(presented)
        .customize()
        .config_override(clients::repeatable())
        .send()
        .await?;
    Tokens::from_result(answer.authentication_result, Some(presented))
}
