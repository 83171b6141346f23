//! Sign-in: tokens for a password, or a session for the one-time code that is sent.

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ChallengeNameType};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::clients::{self, Setup, UserPool};
use crate::config::{self, Mode};
use crate::error::{Error, Result};
use crate::request::Fields;
use crate::roles::{check_phone_prefix, phone_prefixes};
use crate::route::{Anyone, Route};
use crate::telemetry;
use crate::tokens::Tokens;
use crate::username::{Username, UsernameKind, UsernameKinds};

/// `POST /auth/sign-in`.
#[derive(Debug)]
pub struct SignIn {
    pool: UserPool,
    mode: Mode,
    kinds: UsernameKinds,
    phone_prefixes: Vec<String>,
}

/// The username, and the password if the mode has one.
#[derive(Debug)]
pub enum Request {
    /// With a password.
    UserPassword {
        /// The user.
        username: Username,
        /// The user's password.
        password: SecretString,
    },
    /// With a code that is sent to the user.
    Passwordless {
        /// The user.
        username: Username,
    },
}

/// The response of a sign-in.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Response {
    /// The tokens.
    Tokens(Tokens),
    /// The first of two steps.
    Session {
        /// To send with the code. It is valid for one use.
        session: String,
        /// What to do with it.
        message: &'static str,
    },
}

impl Route for SignIn {
    const NAME: &'static str = "sign-in";
    type Caller = Anyone;
    type Request = Request;
    type Response = Response;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        Ok(Self {
            pool: setup.user_pool()?,
            mode: setup.env.parsed("MODE")?,
            kinds: UsernameKinds::from_env(setup.env)?,
            phone_prefixes: phone_prefixes(setup.env)?,
        })
    }

    fn parse(&self, _: Anyone, fields: &Fields<'_>) -> Result<Request> {
        let username = self.kinds.check(fields.username()?)?;
        match self.mode {
            Mode::UserPassword => Ok(Request::UserPassword {
                username,
                password: fields.secret("password")?,
            }),
            Mode::Passwordless => {
                // The trigger checks it too. But Cognito does not send it the number of a user who does not exist.
                if username.is_phone() {
                    check_phone_prefix(&self.phone_prefixes, username.as_str())?;
                }
                Ok(Request::Passwordless { username })
            }
        }
    }

    async fn run(&self, request: Request) -> Result<Response> {
        let outcome = match request {
            Request::UserPassword { username, password } => {
                with_password(&self.pool, &username, &password).await
            }
            Request::Passwordless { username } => with_code(&self.pool, &username).await,
        };
        outcome.inspect_err(telemetry::count_sign_in_failure)
    }
}

async fn with_password(
    pool: &UserPool,
    username: &Username,
    password: &SecretString,
) -> Result<Response> {
    let response = pool
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
    match response.challenge_name {
        Some(challenge) => Err(Error::unsupported_challenge(challenge.as_str())),
        None => Tokens::of_sign_in(response.authentication_result).map(Response::Tokens),
    }
}

async fn with_code(pool: &UserPool, username: &Username) -> Result<Response> {
    let response = pool
        .cognito
        .initiate_auth()
        .client_id(&pool.client_id)
        .auth_flow(AuthFlowType::CustomAuth)
        .auth_parameters("USERNAME", username.as_str())
        .send()
        .await?;
    match (response.challenge_name, response.session) {
        (Some(ChallengeNameType::CustomChallenge), Some(session)) if !session.is_empty() => {
            Ok(Response::Session {
                session,
                message: match username.kind() {
                    UsernameKind::Phone => {
                        "Use the session and the code we have sent you via SMS to get your access tokens via POST /token."
                    }
                    UsernameKind::Email => {
                        "Use the session and the code we have sent you via email to get your access tokens via POST /token."
                    }
                },
            })
        }
        (Some(ChallengeNameType::CustomChallenge) | None, _) => {
            Err(Error::unavailable("Cognito's response has no session"))
        }
        (Some(challenge), _) => Err(Error::unsupported_challenge(challenge.as_str())),
    }
}

#[cfg(test)]
mod user_password_tests {
    use fake_aws::{FakeAws, Reply};
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Kind;
    use crate::testing::{assert_error, assert_required, route, run};

    fn body(username: &str) -> Value {
        json!({ "username": username, "password": " pass word " })
    }

    #[tokio::test]
    async fn the_password_as_it_came_gets_the_tokens() {
        for username in ["user@example.com", "+34999999999"] {
            let tokens = json!({ "AccessToken": "a", "IdToken": "i", "RefreshToken": "r", "ExpiresIn": 3600, "TokenType": "Bearer" });
            let reply = json!({ "AuthenticationResult": tokens, "ChallengeParameters": {} });
            let aws = FakeAws::with("InitiateAuth", Reply::json(200, &reply));
            assert_eq!(
                run(&route::<SignIn>(&aws, &[]), &body(username))
                    .await
                    .unwrap(),
                json!({ "accessToken": "a", "tokenId": "i", "refreshToken": "r", "expiresIn": 3600, "tokenType": "Bearer" })
            );
            assert_eq!(
                aws.bodies("InitiateAuth"),
                [json!({
                    "ClientId": "client",
                    "AuthFlow": "USER_PASSWORD_AUTH",
                    "AuthParameters": { "USERNAME": username, "PASSWORD": " pass word " },
                })]
            );
        }
    }

    #[tokio::test]
    async fn a_challenge_is_rejected_by_its_name() {
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
            let reply = json!({ "ChallengeName": challenge, "Session": "s" });
            let aws = FakeAws::with("InitiateAuth", Reply::json(200, &reply));
            let error = run(&route::<SignIn>(&aws, &[]), &body("user@example.com")).await;
            let error = error.unwrap_err();
            let message = format!(
                "Cognito asks for the challenge {challenge}, which this API does not answer."
            );
            assert_error(&error, "UnsupportedChallengeException", &message, challenge);
            assert_eq!(error.kind, Kind::Forbidden);
            assert!(error.session.is_none(), "{challenge}");
        }
    }

    #[test]
    fn each_field_is_required() {
        let route = route::<SignIn>(&FakeAws::default(), &[]);
        assert_required(&route, &body("user@example.com"));
    }
}

#[cfg(test)]
mod passwordless_tests {
    use fake_aws::{FakeAws, Reply};
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Kind;
    use crate::testing::{parse, route, run};
    use crate::trigger_error;

    fn passwordless(aws: &FakeAws) -> SignIn {
        route(
            aws,
            &[("MODE", "Passwordless"), ("EMAIL_SIGN_UP_ROLES", "")],
        )
    }

    async fn run_over(aws: &FakeAws) -> Result<Value> {
        let body = json!({ "username": "+34999999999", "password": "ignored" });
        run(&passwordless(aws), &body).await
    }

    #[tokio::test]
    async fn a_phone_number_gets_a_session_and_what_to_do_with_it() {
        let reply = json!({ "ChallengeName": "CUSTOM_CHALLENGE", "Session": "a-session", "ChallengeParameters": {} });
        let aws = FakeAws::with("InitiateAuth", Reply::json(200, &reply));
        assert_eq!(
            run_over(&aws).await.unwrap(),
            json!({
                "session": "a-session",
                "message": "Use the session and the code we have sent you via SMS to get your access tokens via POST /token."
            })
        );
        assert_eq!(
            aws.bodies("InitiateAuth"),
            [json!({
                "ClientId": "client",
                "AuthFlow": "CUSTOM_AUTH",
                "AuthParameters": { "USERNAME": "+34999999999" },
            })]
        );
    }

    #[tokio::test]
    async fn a_challenge_triggers_error_is_ours_however_cognito_wraps_it() {
        for error in [
            trigger_error::user_not_confirmed(),
            trigger_error::too_many_codes(26_001),
            trigger_error::phone_not_allowed(),
            Error::unavailable("why"),
            Error::internal("why"),
        ] {
            let text = trigger_error::encode(&error);
            for (name, report) in [
                (
                    "UserLambdaValidationException",
                    format!("CreateAuthChallenge failed with error {text}."),
                ),
                (
                    "InvalidLambdaResponseException",
                    format!(
                        "DefineAuthChallenge returned error: {{'errorType': 'x', 'errorMessage': '{text}'}}"
                    ),
                ),
            ] {
                let aws = FakeAws::failing("InitiateAuth", name, report);
                let decoded = run_over(&aws).await.unwrap_err();
                assert_eq!(decoded.to_string(), error.to_string());
                assert_eq!(
                    (decoded.kind, decoded.retry_after),
                    (error.kind, error.retry_after)
                );
                assert_eq!(aws.calls().len(), 1, "a retry would send a second code");
            }
        }
    }

    #[tokio::test]
    async fn another_failure_of_a_trigger_has_the_exceptions_own_kind() {
        for (name, kind) in [
            ("UserLambdaValidationException", Kind::Invalid),
            ("UnexpectedLambdaException", Kind::Internal),
            ("InvalidLambdaResponseException", Kind::Internal),
        ] {
            let aws = FakeAws::failing("InitiateAuth", name, "Unrecognizable lambda output");
            assert_eq!(run_over(&aws).await.unwrap_err().kind, kind, "{name}");
        }
    }

    #[tokio::test]
    async fn a_response_without_a_session_is_an_error() {
        for (reply, name) in [
            (
                json!({ "ChallengeName": "CUSTOM_CHALLENGE" }),
                "ServiceUnavailableException",
            ),
            (
                json!({ "ChallengeName": "CUSTOM_CHALLENGE", "Session": "" }),
                "ServiceUnavailableException",
            ),
            (json!({}), "ServiceUnavailableException"),
            (
                json!({ "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "s" }),
                "UnsupportedChallengeException",
            ),
        ] {
            let aws = FakeAws::with("InitiateAuth", Reply::json(200, &reply));
            assert_eq!(run_over(&aws).await.unwrap_err().name, name, "{reply}");
        }
    }

    #[test]
    fn a_number_outside_the_prefixes_is_rejected_without_a_call() {
        let route = passwordless(&FakeAws::default());
        let error = parse(&route, &json!({ "username": "+447700900000" })).unwrap_err();
        assert_eq!(
            error.message,
            "Phone numbers of this country are not accepted."
        );
    }

    #[tokio::test]
    async fn an_email_address_gets_a_code_by_email() {
        let aws = FakeAws::default();
        let by_email = route::<SignIn>(&aws, &[("MODE", "Passwordless")]);
        let response = run(&by_email, &json!({ "username": "user@example.com" })).await;
        assert_eq!(
            response.unwrap()["message"],
            "Use the session and the code we have sent you via email to get your access tokens via POST /token."
        );
    }

    #[test]
    fn an_email_address_is_rejected_if_no_role_signs_up_with_one() {
        let route = passwordless(&FakeAws::default());
        let error = parse(&route, &json!({ "username": "user@example.com" })).unwrap_err();
        assert_eq!(
            error.message,
            "Username should be a phone number in E.164 format, such as +34999999999."
        );
    }
}
