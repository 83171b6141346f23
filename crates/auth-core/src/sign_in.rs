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
mod tests {
    use fake_aws::{FakeAws, Reply};
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Kind;
    use crate::testing::{Changes, MODES, assert_error, parse, route, run};

    const PASSWORDLESS: Changes<'_> = &[("MODE", "Passwordless")];

    async fn sign_in(mode: Mode, username: &str, aws: &FakeAws) -> Result<Value> {
        let route = route::<SignIn>(aws, &[("MODE", &format!("{mode:?}"))]);
        let body = json!({ "username": username, "password": "pass word" });
        run(&route, &body).await
    }

    #[tokio::test]
    async fn each_contact_is_the_username_at_cognito() {
        for mode in MODES {
            for (username, channel) in [("user@example.com", "email"), ("+34999999999", "SMS")] {
                let aws = FakeAws::default();
                let response = sign_in(mode, username, &aws).await.unwrap();
                let [request] = &aws.bodies("InitiateAuth")[..] else {
                    panic!("{mode:?}: one request");
                };
                assert_eq!(request["AuthParameters"]["USERNAME"], username);
                if mode == Mode::Passwordless {
                    let message = response["message"].as_str().unwrap();
                    assert!(message.contains(&format!("via {channel} ")), "{message}");
                }
            }
        }
    }

    #[tokio::test]
    async fn another_challenge_is_rejected_by_its_name() {
        for (mode, challenge) in [
            (Mode::UserPassword, "NEW_PASSWORD_REQUIRED"),
            (Mode::UserPassword, "CUSTOM_CHALLENGE"),
            (Mode::UserPassword, "A_CHALLENGE_OF_TOMORROW"),
            (Mode::Passwordless, "NEW_PASSWORD_REQUIRED"),
            (Mode::Passwordless, "A_CHALLENGE_OF_TOMORROW"),
        ] {
            let reply = json!({ "ChallengeName": challenge, "Session": "s" });
            let aws = FakeAws::with("InitiateAuth", Reply::json(200, &reply));
            let error = sign_in(mode, "+34999999999", &aws).await.unwrap_err();
            let message = format!(
                "Cognito asks for the challenge {challenge}, which this API does not answer."
            );
            assert_error(&error, "UnsupportedChallengeException", &message, challenge);
            assert_eq!(error.kind, Kind::Forbidden);
            assert!(error.session.is_none(), "{challenge}");
        }
    }

    #[tokio::test]
    async fn a_response_without_a_session_is_unavailable() {
        for session in [Value::Null, json!("")] {
            let reply = json!({ "ChallengeName": "CUSTOM_CHALLENGE", "Session": session });
            let aws = FakeAws::with("InitiateAuth", Reply::json(200, &reply));
            let error = sign_in(Mode::Passwordless, "+34999999999", &aws).await;
            assert_eq!(error.unwrap_err().kind, Kind::Unavailable, "{reply}");
        }
    }

    #[test]
    fn a_number_outside_the_prefixes_is_rejected_without_a_call() {
        let route = route::<SignIn>(&FakeAws::default(), PASSWORDLESS);
        let error = parse(&route, &json!({ "username": "+447700900000" })).unwrap_err();
        let message = "Phone numbers of this country are not accepted.";
        assert_eq!(error.message, message);
    }
}
