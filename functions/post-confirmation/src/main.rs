//! Cognito's post-confirmation trigger.

use auth_core::post_confirmation::post_confirmation;
use auth_core::roles::Roles;
use auth_core::{clients, telemetry, trigger};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let cognito = clients::cognito_from_env(env)?;
    let roles = Roles::from_env(env)?;
    trigger::serve(env!("CARGO_PKG_NAME"), async |event| {
        post_confirmation(event, &cognito, &roles).await
    })
    .await
}
