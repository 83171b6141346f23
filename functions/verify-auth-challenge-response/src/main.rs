//! Cognito's verify-auth-challenge-response trigger.

use auth_core::clients::Setup;
use auth_core::limits::OtpTable;
use auth_core::verify_auth_challenge_response::verify_auth_challenge_response;
use auth_core::{telemetry, trigger};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let table = OtpTable::new(&Setup::from_env(env)?)?;
    trigger::serve(env!("CARGO_PKG_NAME"), async |event| {
        verify_auth_challenge_response(event, &table).await
    })
    .await
}
