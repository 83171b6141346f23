//! Cognito's post-confirmation trigger.

use auth_core::clients::Setup;
use auth_core::post_confirmation::post_confirmation;
use auth_core::roles::Roles;
use auth_core::{telemetry, trigger};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let admin = Setup::from_env(env)?.user_pool_admin()?;
    let roles = Roles::from_env(env)?;
    trigger::serve(env!("CARGO_PKG_NAME"), async |event| {
        post_confirmation(event, &admin, &roles).await
    })
    .await
}
