//! `POST /auth/token/revoke`.

use auth_core::http;
use auth_core::token_revoke::TokenRevoke;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    http::serve::<TokenRevoke>().await
}
