//! Cognito's custom-message trigger.

use auth_core::custom_message::{Messages, custom_message};
use auth_core::{telemetry, trigger};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let messages = Messages::from_env(env)?;
    trigger::serve(env!("CARGO_PKG_NAME"), async |event| {
        custom_message(event, &messages)
    })
    .await
}
