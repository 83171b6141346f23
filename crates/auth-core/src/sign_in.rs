//! Sign-in: tokens for a password, or a session for the one-time code that is sent.

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ChallengeNameType};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::clients::{self, UserPool};
use crate::config::Mode;
use crate::error::{Error, Result};
use crate::request::Fields;
use crate::tokens::Tokens;
use crate::trigger;
use crate::username::Username;

/// Who signs in, and how.
#[derive(Debug)]
pub enum Request {
    /// With a password.
    UserPassword {
        /// The user.
        username: Username,
        /// The user's password.
        password: SecretString,
    },
    /// With a code that is sent to the user's phone.
    Passwordless {
        /// The user, a phone number.
        username: Username,
    },
}

impl Request {
    /// Reads `username`, and in `UserPassword` mode `password`.
    ///
    /// # Errors
    /// A missing or bad field.
    pub fn parse(fields: &Fields<'_>, mode: Mode) -> Result<Self> {
        let username = fields.username()?;
        match mode {
            Mode::UserPassword => Ok(Self::UserPassword {
                username,
                password: fields.secret("password")?,
            }),
            Mode::Passwordless => Ok(Self::Passwordless {
                username: username.phone()?,
            }),
        }
    }
}

/// What a sign-in gets.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Response {
    /// The tokens.
    Tokens(Tokens),
    /// The first of two steps.
    Session {
        /// To be presented with the code; good for one use.
        session: String,
        /// What to do with it.
        message: &'static str,
    },
}

/// Signs the user in.
///
/// # Errors
/// Cognito's refusals and our challenge triggers'; a challenge that this API does not answer.
pub async fn sign_in(pool: &UserPool, request: Request) -> Result<Response> {
    match request {
        Request::UserPassword { username, password } => {
            with_password(pool, &username, &password).await
        }
        Request::Passwordless { username } => with_code(pool, &username).await,
    }
}

async fn with_password(
    pool: &UserPool,
    username: &Username,
    password: &SecretString,
) -> Result<Response> {
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
        None => Tokens::from_result(answer.authentication_result, None).map(Response::Tokens),
    }
}

async fn with_code(pool: &UserPool, username: &Username) -> Result<Response> {
    let answer = pool
        .cognito
        .initiate_auth()
        .client_id(&pool.client_id)
        .auth_flow(AuthFlowType::CustomAuth)
        .auth_parameters("USERNAME", username.as_str())
        .send()
        .await
        .map_err(trigger::refusal_or_error)?;
    match (answer.challenge_name, answer.session) {
        (Some(ChallengeNameType::CustomChallenge), Some(session)) if !session.is_empty() => {
            Ok(Response::Session {
                session,
                message: "Use the session and the code we have sent you via SMS to get your access tokens via POST /token.",
            })
        }
        (Some(ChallengeNameType::CustomChallenge) | None, _) => {
            Err(Error::unavailable("Cognito's answer has no session"))
        }
        (Some(challenge), _) => Err(Error::unsupported_challenge(challenge.as_str())),
    }
}
