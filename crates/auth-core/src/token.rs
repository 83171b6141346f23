//! Tokens for the one-time code of a sign-in.

use aws_sdk_cognitoidentityprovider::types::ChallengeNameType;
use secrecy::{ExposeSecret as _, SecretString};

use crate::challenge::USERNAME_METADATA;
use crate::clients::UserPool;
use crate::error::{Error, Kind, Result};
use crate::request::Fields;
use crate::telemetry;
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
    let outcome = answer_challenge(pool, request).await;
    outcome.inspect_err(telemetry::count_sign_in_failure)
}

async fn answer_challenge(pool: &UserPool, request: Request) -> Result<Tokens> {
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
        (None, _) => Tokens::of_sign_in(answer.authentication_result),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentityprovider::Client;
    use aws_smithy_mocks::{Rule, mock};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{answer, assert_required, exception, parsed, pool, seen};

    fn body() -> Value {
        json!({ "username": "+34999999999", "session": "a-session", "confirmationCode": "012345" })
    }

    async fn ask(rule: &Rule) -> Result<Value> {
        let request = parsed(&body(), Request::parse)?;
        token(&pool([rule]), request).await.map(seen)
    }

    fn cognito_says(status: u16, body: Value) -> Rule {
        mock!(Client::respond_to_auth_challenge)
            .then_http_response(move || answer(status, &body.to_string()))
    }

    #[tokio::test]
    async fn the_code_gets_the_tokens_and_cognito_is_told_whose_session_it_is() {
        let rule = mock!(Client::respond_to_auth_challenge)
            .match_requests(|sent| {
                let responses = sent.challenge_responses().unwrap();
                sent.client_id() == Some("client")
                    && sent.session() == Some("a-session")
                    && responses["USERNAME"] == "+34999999999"
                    && responses["ANSWER"] == "012345"
                    && sent.client_metadata().unwrap()["username"] == "+34999999999"
            })
            .then_http_response(|| {
                let tokens = json!({ "AccessToken": "a", "IdToken": "i", "RefreshToken": "r", "ExpiresIn": 3600, "TokenType": "Bearer" });
                answer(200, &json!({ "AuthenticationResult": tokens }).to_string())
            });
        assert_eq!(
            ask(&rule).await.unwrap(),
            json!({ "accessToken": "a", "tokenId": "i", "refreshToken": "r", "expiresIn": 3600, "tokenType": "Bearer" })
        );
    }

    #[tokio::test]
    async fn a_wrong_code_is_told_with_the_session_to_use_next() {
        let rule = cognito_says(
            200,
            json!({ "ChallengeName": "CUSTOM_CHALLENGE", "Session": "the-next-one" }),
        );
        let error = ask(&rule).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unauthenticated);
        assert_eq!(
            (&*error.name, &*error.message),
            (
                "CodeMismatchException",
                "Invalid verification code provided, please try again."
            )
        );
        assert_eq!(error.session.unwrap().expose_secret(), "the-next-one");
    }

    #[tokio::test]
    async fn what_is_no_success_is_told_by_name_and_never_repeated() {
        let exception = |code, message| {
            mock!(Client::respond_to_auth_challenge)
                .then_http_response(move || exception(code, message))
        };
        for (rule, name) in [
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
                exception(
                    "UserLambdaValidationException",
                    "VerifyAuthChallengeResponse failed with error ServiceUnavailableException: The service is not available at the moment.",
                ),
                "ServiceUnavailableException",
            ),
            (
                cognito_says(200, json!({ "ChallengeName": "SMS_MFA", "Session": "s" })),
                "UnsupportedChallengeException",
            ),
            (cognito_says(200, json!({})), "ServiceUnavailableException"),
            (cognito_says(500, json!({})), "ServiceUnavailableException"),
        ] {
            let error = ask(&rule).await.unwrap_err();
            assert_eq!(error.name, name);
            assert!(error.session.is_none());
            assert_eq!(rule.num_calls(), 1);
        }
    }

    #[test]
    fn an_email_address_is_refused() {
        let mut body = body();
        body["username"] = json!("user@example.com");
        let error = parsed(&body, Request::parse).unwrap_err();
        assert_eq!(
            error.message,
            "Username should be a phone number in E.164 format, such as +34999999999."
        );
    }

    #[test]
    fn each_field_is_required() {
        assert_required(&body(), Request::parse);
    }
}
