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
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Changes, assert_error, assert_required, parse, route, run};
    use crate::trigger_error;

    const PASSWORDLESS: Changes<'_> = &[("MODE", "Passwordless"), ("EMAIL_SIGN_UP_ROLES", "")];

    const OPERATION: &str = "RespondToAuthChallenge";

    fn body() -> Value {
        json!({ "username": "+34999999999", "session": "a-session", "confirmationCode": "012345" })
    }

    async fn run_over(aws: &FakeAws) -> Result<Value> {
        run(&route::<Token>(aws, PASSWORDLESS), &body()).await
    }

    #[tokio::test]
    async fn the_code_gets_the_tokens_and_names_its_user() {
        let tokens = json!({ "AccessToken": "a", "IdToken": "i", "RefreshToken": "r", "ExpiresIn": 3600, "TokenType": "Bearer" });
        let reply = Reply::json(200, &json!({ "AuthenticationResult": tokens }));
        let aws = FakeAws::with(OPERATION, reply);
        assert_eq!(
            run_over(&aws).await.unwrap(),
            json!({ "accessToken": "a", "tokenId": "i", "refreshToken": "r", "expiresIn": 3600, "tokenType": "Bearer" })
        );
        assert_eq!(
            aws.bodies(OPERATION),
            [json!({
                "ClientId": "client",
                "ChallengeName": "CUSTOM_CHALLENGE",
                "Session": "a-session",
                "ChallengeResponses": { "USERNAME": "+34999999999", "ANSWER": "012345" },
                "ClientMetadata": { "username": "+34999999999" },
            })]
        );
    }

    #[tokio::test]
    async fn a_wrong_code_gets_the_session_to_use_next() {
        let next = json!({ "ChallengeName": "CUSTOM_CHALLENGE", "Session": "the-next-one" });
        let aws = FakeAws::with(OPERATION, Reply::json(200, &next));
        let error = run_over(&aws).await.unwrap_err();
        assert_eq!(error.kind, crate::error::Kind::Unauthenticated);
        assert_error(
            &error,
            "CodeMismatchException",
            "Invalid verification code provided, please try again.",
            "a wrong code",
        );
        assert_eq!(error.session.unwrap().expose_secret(), "the-next-one");
    }

    #[tokio::test]
    async fn every_other_answer_is_an_error_and_sent_once() {
        let unavailable = trigger_error::encode(&Error::unavailable("why"));
        let report = format!("VerifyAuthChallengeResponse failed with error {unavailable}.");
        let exception = |name, text: &str| FakeAws::failing(OPERATION, name, text);
        let reply = |status, body: Value| FakeAws::with(OPERATION, Reply::json(status, &body));
        for (aws, name) in [
            (
                exception("NotAuthorizedException", "Incorrect username or password."),
                "NotAuthorizedException",
            ),
            (
                exception("NotAuthorizedException", "Invalid session for the user."),
                "NotAuthorizedException",
            ),
            (
                exception("UserNotFoundException", "User does not exist."),
                "UserNotFoundException",
            ),
            (
                exception("UserLambdaValidationException", &report),
                "ServiceUnavailableException",
            ),
            (
                reply(200, json!({ "ChallengeName": "SMS_MFA", "Session": "s" })),
                "UnsupportedChallengeException",
            ),
            (reply(200, json!({})), "ServiceUnavailableException"),
            (reply(500, json!({})), "ServiceUnavailableException"),
        ] {
            let error = run_over(&aws).await.unwrap_err();
            assert_eq!(error.name, name);
            assert!(error.session.is_none());
            assert_eq!(aws.calls().len(), 1);
        }
    }

    #[test]
    fn an_email_address_needs_roles_that_sign_up_with_one() {
        let mut body = body();
        body["username"] = json!("user@example.com");
        let by_email = route::<Token>(&FakeAws::default(), &[("MODE", "Passwordless")]);
        assert!(parse(&by_email, &body).is_ok());
        let error = parse(&route::<Token>(&FakeAws::default(), PASSWORDLESS), &body).unwrap_err();
        assert_eq!(
            error.message,
            "Username should be a phone number in E.164 format, such as +34999999999."
        );
    }

    #[test]
    fn each_field_is_required() {
        assert_required(&route::<Token>(&FakeAws::default(), PASSWORDLESS), &body());
    }
}
