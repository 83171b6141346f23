//! Sign-in: tokens for a password.

use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::{self, UserPool};
use crate::error::{Error, Result};
use crate::request::Fields;
use crate::tokens::Tokens;
use crate::username::Username;

/// A user and the password.
#[derive(Debug)]
pub struct Request {
    username: Username,
    password: SecretString,
}

impl Request {
    /// Reads `username` and `password`.
    ///
    /// # Errors
    /// A missing or bad field.
    pub fn parse(fields: &Fields<'_>) -> Result<Self> {
        Ok(Self {
            username: fields.username()?,
            password: fields.secret("password")?,
        })
    }
}

/// Signs the user in.
///
/// # Errors
/// Cognito's refusals; a challenge that this API does not answer.
pub async fn sign_in(pool: &UserPool, request: Request) -> Result<Tokens> {
    let Request { username, password } = request;
    let answer = pool
        .cognito
        .initiate_auth()
        .client_id(&pool.client_id)
        .auth_flow(AuthFlowType::UserPasswordAuth)
        .auth_parameters("USERNAME", username.as_str())
        .auth_parameters("PASSWORD", password.expose_secret())
        .customize()
        .config_override(clients::repeatable())
        .send()
        .await?;
    match answer.challenge_name {
        Some(challenge) => Err(Error::unsupported_challenge(challenge.as_str())),
        None => Tokens::from_result(answer.authentication_result, None),
    }
}
