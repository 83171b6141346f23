//! Cognito's define-auth-challenge trigger.

use auth_core::define_auth_challenge::define_auth_challenge;
use auth_core::{telemetry, trigger};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start()?;
    trigger::serve(env!("CARGO_PKG_NAME"), async |event| {
        define_auth_challenge(event)
    })
    .await
}
