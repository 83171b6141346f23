//! Cognito's pre-sign-up trigger.

use auth_core::pre_sign_up::pre_sign_up;
use auth_core::roles::SignUpRules;
use auth_core::{telemetry, trigger};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let rules = SignUpRules::from_env(env)?;
    trigger::serve(env!("CARGO_PKG_NAME"), async |event| {
        pre_sign_up(event, &rules)
    })
    .await
}
