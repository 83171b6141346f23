//! `POST /auth/sign-up/resend-code`.

use auth_core::http;
use auth_core::sign_up_resend_code::SignUpResendCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    http::serve::<SignUpResendCode>().await
}
