//! Tokens for the one-time code of a sign-in.

use aws_sdk_cognitoidentityprovider::types::ChallengeNameType;
use secrecy::{ExposeSecret as _, SecretString};

use crate::challenge::USERNAME_METADATA;
use crate::clients::UserPool;
use crate::error::{Error, Kind, Result};
use crate::request::Fields;
use crate::tokens::Tokens;
use crate::trigger;
use crate::username::Username;

/// A user, the session of the sign-in and the code that was sent.
#[derive(Debug)]
pub struct Request {
    username: Username,
    session: SecretString,
    confirmation_code: SecretString,
}

impl Request {
    /// Reads `username`, `session` and `confirmationCode`.
    ///
    /// # Errors
    /// A missing or bad field.
    pub fn parse(fields: &Fields<'_>) -> Result<Self> {
        Ok(Self {
            username: fields.username()?.phone()?,
            session: fields.opaque("session")?,
            confirmation_code: fields.opaque("confirmationCode")?,
        })
    }
}

/// Answers the sign-in's challenge with the code.
///
/// # Errors
/// `CodeMismatchException` with the session to use next; Cognito's refusals, the last wrong code's among them.
pub async fn token(pool: &UserPool, request: Request) -> Result<Tokens> {
    let Request {
        username,
        session,
        confirmation_code,
    } = request;
    let answer = pool
        .cognito
        .respond_to_auth_challenge()
        .client_id(&pool.client_id)
        .challenge_name(ChallengeNameType::CustomChallenge)
        .session(session.expose_secret())
        .challenge_responses("USERNAME", username.as_str())
        .challenge_responses("ANSWER", confirmation_code.expose_secret())
        .client_metadata(USERNAME_METADATA, username.as_str())
        .send()
        .await
        .map_err(trigger::refusal_or_error)?;
    match (answer.challenge_name, answer.session) {
        (Some(ChallengeNameType::CustomChallenge), Some(session)) => Err(Error::new(
            Kind::Unauthenticated,
            "CodeMismatchException",
            "Invalid verification code provided, please try again.",
        )
        .with_session(session.into())),
        (Some(challenge), _) => Err(Error::unsupported_challenge(challenge.as_str())),
        (None, _) => Tokens::from_result(answer.authentication_result, None),
    }
}
