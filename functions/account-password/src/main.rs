//! `POST /auth/account/password`.

use auth_core::account_password::AccountPassword;
use auth_core::http;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    http::serve::<AccountPassword>().await
}
