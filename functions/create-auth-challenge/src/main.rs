//! Cognito's create-auth-challenge trigger.

use auth_core::clients::ChallengeClients;
use auth_core::create_auth_challenge::{Sms, create_auth_challenge};
use auth_core::limits::Limits;
use auth_core::{telemetry, trigger};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let clients = ChallengeClients::from_env(env)?;
    let limits = Limits::from_env(env, clients.dynamodb)?;
    let sms = Sms::from_env(env, clients.sns)?;
    trigger::serve(env!("CARGO_PKG_NAME"), async |event| {
        create_auth_challenge(event, &limits, &sms).await
    })
    .await
}
