//! `POST /auth/sign-up/confirm`.

use auth_core::http;
use auth_core::sign_up_confirm::SignUpConfirm;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    http::serve::<SignUpConfirm>().await
}
