//! `POST /auth/sign-in`.

use auth_core::clients::UserPool;
use auth_core::http::Route;
use auth_core::sign_in::{Request, sign_in};
use auth_core::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let route = Route::from_env(env!("CARGO_PKG_NAME"), env)?;
    let pool = UserPool::from_env(env)?;
    let mode = env.parsed("MODE")?;
    route
        .serve(
            |fields| Request::parse(fields, mode),
            async |request| sign_in(&pool, request).await,
        )
        .await
}
