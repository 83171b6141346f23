//! `POST /auth/account`.

use auth_core::account::Account;
use auth_core::http;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    http::serve::<Account>().await
}
