//! `POST /auth/sign-in`.

use auth_core::http;
use auth_core::sign_in::SignIn;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    http::serve::<SignIn>().await
}
