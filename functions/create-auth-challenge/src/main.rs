//! Cognito's create-auth-challenge trigger.

use auth_core::clients::Setup;
use auth_core::create_auth_challenge::{Channels, create_auth_challenge};
use auth_core::limits::Limits;
use auth_core::{telemetry, trigger};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let setup = Setup::from_env(env)?;
    let limits = Limits::new(&setup)?;
    let channels = Channels::new(&setup)?;
    trigger::serve(env!("CARGO_PKG_NAME"), async |event| {
        create_auth_challenge(event, &limits, &channels).await
    })
    .await
}
