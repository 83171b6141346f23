//! Sign-in: tokens for a password, or a session for the one-time code that is sent.

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ChallengeNameType};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::clients::{self, UserPool};
use crate::config::Mode;
use crate::error::{Error, Result};
use crate::request::Fields;
use crate::telemetry;
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
    let outcome = match request {
        Request::UserPassword { username, password } => {
            with_password(pool, &username, &password).await
        }
        Request::Passwordless { username } => with_code(pool, &username).await,
    };
    outcome.inspect_err(telemetry::count_sign_in_failure)
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
        None => Tokens::of_sign_in(answer.authentication_result).map(Response::Tokens),
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

#[cfg(test)]
mod user_password_tests {
    use aws_sdk_cognitoidentityprovider::Client;
    use aws_sdk_cognitoidentityprovider::operation::initiate_auth::InitiateAuthInput;
    use aws_smithy_mocks::{Rule, mock};
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Kind;
    use crate::testing::{answer, assert_required, parsed, pool, seen};

    fn parse(fields: &Fields<'_>) -> Result<Request> {
        Request::parse(fields, Mode::UserPassword)
    }

    fn body(username: &str) -> Value {
        json!({ "username": username, "password": " pass word " })
    }

    fn cognito_says(body: Value) -> Rule {
        mock!(Client::initiate_auth).then_http_response(move || answer(200, &body.to_string()))
    }

    async fn ask(rule: &Rule) -> Result<Value> {
        let request = parsed(&body("user@example.com"), parse)?;
        sign_in(&pool([rule]), request).await.map(seen)
    }

    #[tokio::test]
    async fn the_password_as_it_came_gets_the_tokens() {
        for username in ["user@example.com", "+34999999999"] {
            let sent = InitiateAuthInput::builder()
                .client_id("client")
                .auth_flow(AuthFlowType::UserPasswordAuth)
                .auth_parameters("USERNAME", username)
                .auth_parameters("PASSWORD", " pass word ")
                .build()
                .unwrap();
            let rule = mock!(Client::initiate_auth)
                .match_requests(move |input| *input == sent)
                .then_http_response(|| {
                    answer(200, r#"{"AuthenticationResult":{"AccessToken":"a","IdToken":"i","RefreshToken":"r","ExpiresIn":3600,"TokenType":"Bearer"},"ChallengeParameters":{}}"#)
                });
            let request = parsed(&body(username), parse).unwrap();
            let response = sign_in(&pool([&rule]), request).await.map(seen).unwrap();
            assert_eq!(
                response,
                json!({ "accessToken": "a", "tokenId": "i", "refreshToken": "r", "expiresIn": 3600, "tokenType": "Bearer" })
            );
            assert_eq!(rule.num_calls(), 1);
        }
    }

    #[tokio::test]
    async fn a_challenge_is_refused_by_its_name_and_its_session_is_not_told() {
        for challenge in [
            "NEW_PASSWORD_REQUIRED",
            "SMS_MFA",
            "EMAIL_OTP",
            "SOFTWARE_TOKEN_MFA",
            "SELECT_MFA_TYPE",
            "MFA_SETUP",
            "CUSTOM_CHALLENGE",
            "A_CHALLENGE_OF_TOMORROW",
        ] {
            let rule = cognito_says(json!({ "ChallengeName": challenge, "Session": "s" }));
            let error = ask(&rule).await.unwrap_err();
            assert_eq!(
                (error.kind, &*error.name, &*error.message),
                (
                    Kind::Forbidden,
                    "UnsupportedChallengeException",
                    &*format!(
                        "Cognito asks for the challenge {challenge}, which this API does not answer."
                    )
                )
            );
            assert!(error.session.is_none(), "{challenge}");
        }
    }

    #[tokio::test]
    async fn an_answer_without_tokens_is_not_a_success() {
        for (why, answer) in [
            ("nothing", json!({})),
            ("no tokens", json!({ "AuthenticationResult": {} })),
            (
                "no refresh token",
                json!({ "AuthenticationResult": { "AccessToken": "a", "IdToken": "i" } }),
            ),
        ] {
            let error = ask(&cognito_says(answer)).await.unwrap_err();
            assert_eq!(error.name, "ServiceUnavailableException", "{why}");
        }
    }

    #[test]
    fn each_field_is_required() {
        assert_required(&body("user@example.com"), parse);
    }
}

#[cfg(test)]
mod passwordless_tests {
    use aws_sdk_cognitoidentityprovider::Client;
    use aws_smithy_mocks::{Rule, mock};
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Kind;
    use crate::testing::{answer, exception, parsed, pool, seen};

    fn parse(fields: &Fields<'_>) -> Result<Request> {
        Request::parse(fields, Mode::Passwordless)
    }

    async fn ask(rule: &Rule) -> Result<Value> {
        let body = json!({ "username": "+34999999999", "password": "ignored" });
        sign_in(&pool([rule]), parsed(&body, parse)?)
            .await
            .map(seen)
    }

    #[tokio::test]
    async fn a_phone_number_gets_a_session_and_is_told_what_to_do_with_it() {
        let rule = mock!(Client::initiate_auth)
            .match_requests(|sent| {
                let parameters = sent.auth_parameters().unwrap();
                sent.auth_flow() == Some(&AuthFlowType::CustomAuth)
                    && parameters.len() == 1
                    && parameters["USERNAME"] == "+34999999999"
            })
            .then_http_response(|| answer(200, r#"{"ChallengeName":"CUSTOM_CHALLENGE","Session":"a-session","ChallengeParameters":{}}"#));
        assert_eq!(
            ask(&rule).await.unwrap(),
            json!({
                "session": "a-session",
                "message": "Use the session and the code we have sent you via SMS to get your access tokens via POST /token."
            })
        );
    }

    #[tokio::test]
    async fn a_challenge_triggers_refusal_is_told_as_our_own_however_cognito_wraps_it() {
        for (refusal, kind, name, retry_after) in [
            (
                "UserNotConfirmedException: User is not confirmed.",
                Kind::Forbidden,
                "UserNotConfirmedException",
                None,
            ),
            (
                "TooManyRequestsException: Please wait before you ask for another code. Retry after 27 s.",
                Kind::Throttled,
                "TooManyRequestsException",
                Some(27),
            ),
            (
                "InvalidParameterException: Phone numbers of this country are not accepted.",
                Kind::Invalid,
                "InvalidParameterException",
                None,
            ),
            (
                "ServiceUnavailableException: no matter",
                Kind::Unavailable,
                "ServiceUnavailableException",
                Some(5),
            ),
            (
                "InternalErrorException: no matter",
                Kind::Internal,
                "InternalErrorException",
                None,
            ),
        ] {
            for (code, message) in [
                (
                    "UserLambdaValidationException",
                    format!("CreateAuthChallenge failed with error {refusal}."),
                ),
                (
                    "InvalidLambdaResponseException",
                    format!(
                        "DefineAuthChallenge returned error: {{'errorType': 'x', 'errorMessage': '{refusal}'}}"
                    ),
                ),
            ] {
                let rule = mock!(Client::initiate_auth)
                    .then_http_response(move || exception(code, &message));
                let error = ask(&rule).await.unwrap_err();
                assert_eq!(
                    (error.kind, &*error.name, error.retry_after),
                    (kind, name, retry_after)
                );
                assert_eq!(rule.num_calls(), 1, "a repeat would ask for a second code");
            }
        }
    }

    #[tokio::test]
    async fn a_trigger_that_fails_without_a_word_of_ours_is_cognitos_to_tell() {
        for (code, kind) in [
            ("UserLambdaValidationException", Kind::Invalid),
            ("UnexpectedLambdaException", Kind::Internal),
            ("InvalidLambdaResponseException", Kind::Internal),
        ] {
            let rule = mock!(Client::initiate_auth)
                .then_http_response(move || exception(code, "Unrecognizable lambda output"));
            assert_eq!(ask(&rule).await.unwrap_err().kind, kind, "{code}");
        }
    }

    #[tokio::test]
    async fn an_answer_without_a_session_is_not_a_success() {
        for (body, name) in [
            (
                r#"{"ChallengeName":"CUSTOM_CHALLENGE"}"#,
                "ServiceUnavailableException",
            ),
            (
                r#"{"ChallengeName":"CUSTOM_CHALLENGE","Session":""}"#,
                "ServiceUnavailableException",
            ),
            ("{}", "ServiceUnavailableException"),
            (
                r#"{"ChallengeName":"NEW_PASSWORD_REQUIRED","Session":"s"}"#,
                "UnsupportedChallengeException",
            ),
        ] {
            let rule = mock!(Client::initiate_auth).then_http_response(move || answer(200, body));
            assert_eq!(ask(&rule).await.unwrap_err().name, name, "{body}");
        }
    }

    #[test]
    fn an_email_address_is_refused() {
        let error = parsed(&json!({ "username": "user@example.com" }), parse).unwrap_err();
        assert_eq!(
            error.message,
            "Username should be a phone number in E.164 format, such as +34999999999."
        );
    }
}
