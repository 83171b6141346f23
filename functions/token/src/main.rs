//! `POST /auth/token`.

use auth_core::clients::UserPool;
use auth_core::http::Route;
use auth_core::telemetry;
use auth_core::token::{Request, token};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let route = Route::from_env(env!("CARGO_PKG_NAME"), env)?;
    let pool = UserPool::from_env(env)?;
    route
        .serve(Request::parse, async |request| token(&pool, request).await)
        .await
}
