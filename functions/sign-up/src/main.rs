//! `POST /auth/sign-up`.

use auth_core::http;
use auth_core::sign_up::SignUp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    http::serve::<SignUp>().await
}
