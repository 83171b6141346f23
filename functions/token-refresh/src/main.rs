//! `POST /auth/token/refresh`.

use auth_core::http;
use auth_core::token_refresh::TokenRefresh;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    http::serve::<TokenRefresh>().await
}
