//! `POST /auth/account/delete`.

use auth_core::account_delete::AccountDelete;
use auth_core::http;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    http::serve::<AccountDelete>().await
}
