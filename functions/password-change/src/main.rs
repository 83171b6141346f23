//! `POST /auth/password/change`.

use auth_core::http;
use auth_core::password_change::PasswordChange;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    http::serve::<PasswordChange>().await
}
