//! `POST /auth/sign-up/resend-code`.

use auth_core::clients::UserPool;
use auth_core::http::Route;
use auth_core::sign_up_resend_code::{Request, sign_up_resend_code};
use auth_core::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let route = Route::from_env(env!("CARGO_PKG_NAME"), env)?;
    let pool = UserPool::from_env(env)?;
    route
        .serve(Request::parse, async |request| {
            sign_up_resend_code(&pool, request).await
        })
        .await
}
