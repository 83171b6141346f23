//! The second step of a sign-in with a one-time code: the code gets the tokens.

use aws_sdk_cognitoidentityprovider::types::ChallengeNameType;
use secrecy::{ExposeSecret as _, SecretString};

use crate::challenge::USERNAME_METADATA;
use crate::clients::{Setup, UserPool};
use crate::config;
use crate::error::{Error, Name, Result};
use crate::request::Fields;
use crate::route::{Anyone, Route};
use crate::tokens::Tokens;
use crate::username::{Username, UsernameKinds};

/// `POST /auth/token`.
#[derive(Debug)]
pub struct Token {
    pool: UserPool,
    kinds: UsernameKinds,
}

/// A user, the session of the sign-in and the code that was sent.
#[derive(Debug)]
pub struct Request {
    username: Username,
    session: SecretString,
    confirmation_code: SecretString,
}

impl Route for Token {
    const NAME: &'static str = "token";
    type Caller = Anyone;
    type Request = Request;
    type Response = Tokens;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        Ok(Self {
            pool: setup.user_pool()?,
            kinds: UsernameKinds::from_env(setup.env)?,
        })
    }

    fn parse(&self, _: Anyone, fields: &Fields<'_>) -> Result<Request> {
        Ok(Request {
            username: self.kinds.check(fields.username()?)?,
            session: fields.session("session")?,
            confirmation_code: fields.code("confirmationCode")?,
        })
    }

    /// After a wrong code that was not the last one, the error has the session to use next.
    async fn run(&self, request: Request) -> Result<Tokens> {
        let Request {
            username,
            session,
            confirmation_code,
        } = request;
        let response = self
            .pool
            .cognito
            .respond_to_auth_challenge()
            .client_id(&self.pool.client_id)
            .challenge_name(ChallengeNameType::CustomChallenge)
            .session(session.expose_secret())
            .challenge_responses("USERNAME", username.as_str())
            .challenge_responses("ANSWER", confirmation_code.expose_secret())
            .client_metadata(USERNAME_METADATA, username.as_str())
            .send()
            .await?;
        match (response.challenge_name, response.session) {
            (Some(ChallengeNameType::CustomChallenge), Some(session)) => Err(Error::new(
                Name::CodeMismatchException,
                "Invalid verification code provided, please try again.",
            )
            .with_session(session.into())),
            (Some(challenge), _) => Err(Error::unsupported_challenge(challenge.as_str())),
            (None, _) => Tokens::of_sign_in(response.authentication_result),
        }
    }
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, Reply};
    use serde_json::json;

    use super::*;
    use crate::error::Kind;
    use crate::testing::{assert_error, route, run};

    /// The error for this next challenge of Cognito's.
    async fn error_for(challenge: &str) -> Error {
        let next = json!({ "ChallengeName": challenge, "Session": "the-next-one" });
        let aws = FakeAws::with("RespondToAuthChallenge", Reply::json(200, &next));
        let route = route::<Token>(&aws, &[("MODE", "Passwordless")]);
        let body = json!({ "username": "+34999999999", "session": "a-session", "confirmationCode": "012345" });
        run(&route, &body).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_wrong_code_gets_the_session_to_use_next() {
        let error = error_for("CUSTOM_CHALLENGE").await;
        let message = "Invalid verification code provided, please try again.";
        assert_error(&error, "CodeMismatchException", message, "a wrong code");
        assert_eq!(error.kind, Kind::Unauthenticated);
        assert_eq!(error.session.unwrap().expose_secret(), "the-next-one");
    }

    #[tokio::test]
    async fn another_challenge_is_rejected_without_its_session() {
        let error = error_for("SMS_MFA").await;
        assert_eq!(error.name, "UnsupportedChallengeException");
        assert!(error.session.is_none());
    }
}
