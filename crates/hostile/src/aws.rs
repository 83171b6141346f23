//! The AWS behind the functions, in this process: it answers at once, and keeps what Cognito is asked.

use std::sync::{Arc, Mutex};

use auth_core::clients::{ChallengeClients, UserPool};
use auth_core::config::Env;
use aws_smithy_http_client::test_util::infallible_client_fn;
use http::Response;
use serde_json::{Value, json};

/// What Cognito says where it refuses: unlikely, and nothing that may break an answer.
pub(crate) const REFUSAL: &str =
    "\"No\", said Cognito: \\ \r\nSet-Cookie: a=b\r\n\r\n</script>\u{202e}\0\u{1f680}";

/// What is other than in the environment of the tests' functions: more roles, and more countries.
const VARIABLES: [(&str, &str); 6] = [
    ("ROLES", "User,Driver,Guest,Admin"),
    ("EMAIL_SIGN_UP_ROLES", "User,Guest"),
    ("PHONE_SIGN_UP_ROLES", "User,Driver"),
    ("SKIP_CONFIRMATION_ROLES", "Guest"),
    ("ALLOWED_PHONE_PREFIXES", "+34,+1"),
    ("SMS_SENDER_ID", "Rocket"),
];

/// Reads a configuration from an environment in which every function starts, in this mode.
pub(crate) fn configured<T>(mode: &str, read: impl FnOnce(Env<'_>) -> T) -> T {
    read(Env::new(&|name| {
        let own = [("MODE", mode)].into_iter().chain(VARIABLES);
        let mut variables = own.chain(e2e::ENVIRONMENT);
        let (_, value) = variables.find(|(key, _)| *key == name)?;
        Some(value.to_owned())
    }))
}

#[derive(Debug, Default)]
struct State {
    refuses: bool,
    asked: Vec<Value>,
}

/// Cognito, DynamoDB with an empty table, and SNS.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aws(Arc<Mutex<State>>);

impl Aws {
    /// The functions' own client, with this Cognito behind it.
    pub(crate) fn pool(&self) -> UserPool {
        let pool = configured("UserPassword", UserPool::signed_from_env).unwrap();
        let aws = self.clone();
        let http = infallible_client_fn(move |request| {
            let target = request.headers()["x-amz-target"].to_str().unwrap();
            aws.cognito(target, request.body().bytes().unwrap())
        });
        let config = pool.cognito.config().to_builder().http_client(http);
        UserPool {
            cognito: aws_sdk_cognitoidentityprovider::Client::from_conf(config.build()),
            ..pool
        }
    }

    /// The challenge triggers' own clients, with an AWS behind them that grants everything.
    pub(crate) fn challenge_clients() -> ChallengeClients {
        let clients = configured("Passwordless", ChallengeClients::from_env).unwrap();
        let dynamodb = infallible_client_fn(|_| Response::new("{}"));
        let sns = infallible_client_fn(|_| {
            Response::new(
                "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>",
            )
        });
        let dynamodb = clients.dynamodb.config().to_builder().http_client(dynamodb);
        let sns = clients.sns.config().to_builder().http_client(sns);
        ChallengeClients {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            sns: aws_sdk_sns::Client::from_conf(sns.build()),
        }
    }

    /// From now on Cognito refuses everything, or grants it, and has been asked nothing.
    pub(crate) fn reset(&self, refuses: bool) {
        *self.0.lock().unwrap() = State {
            refuses,
            asked: Vec::new(),
        };
    }

    /// What Cognito was asked, as JSON.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.0.lock().unwrap().asked.clone()
    }

    fn cognito(&self, target: &str, body: &[u8]) -> Response<String> {
        let sent = serde_json::from_slice(body).expect("Cognito is sent JSON");
        let (status, answer) = {
            let mut state = self.0.lock().unwrap();
            let answer = match state.refuses {
                true => (
                    400,
                    json!({ "__type": "InvalidParameterException", "message": REFUSAL }),
                ),
                false => (200, granted(target, &sent)),
            };
            state.asked.push(sent);
            answer
        };
        let answer = Response::builder().status(status).body(answer.to_string());
        answer.unwrap()
    }
}

fn granted(target: &str, sent: &Value) -> Value {
    match target.rsplit('.').next().unwrap() {
        "SignUp" => json!({ "UserSub": "the-sub", "UserConfirmed": false }),
        "InitiateAuth" if sent["AuthFlow"] == "CUSTOM_AUTH" => {
            json!({ "ChallengeName": "CUSTOM_CHALLENGE", "Session": "the-session" })
        }
        "InitiateAuth" | "RespondToAuthChallenge" | "GetTokensFromRefreshToken" => json!({
            "AuthenticationResult": {
                "AccessToken": "a", "IdToken": "i", "RefreshToken": "r", "ExpiresIn": 3600, "TokenType": "Bearer",
            },
        }),
        _ => json!({}),
    }
}
