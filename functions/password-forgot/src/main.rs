//! `POST /auth/password/forgot`.

use auth_core::http;
use auth_core::password_forgot::PasswordForgot;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    http::serve::<PasswordForgot>().await
}
