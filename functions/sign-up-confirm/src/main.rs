//! `POST /auth/sign-up/confirm`.

use auth_core::clients::UserPool;
use auth_core::http::Route;
use auth_core::sign_up_confirm::{Request, sign_up_confirm};
use auth_core::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let route = Route::from_env(env!("CARGO_PKG_NAME"), env)?;
    let pool = UserPool::from_env(env)?;
    route
        .serve(Request::parse, async |request| {
            sign_up_confirm(&pool, request).await
        })
        .await
}
