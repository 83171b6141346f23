//! `POST /auth/token`.

use auth_core::http;
use auth_core::token::Token;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    http::serve::<Token>().await
}
