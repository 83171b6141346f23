//! `POST /auth/password/change`.

use auth_core::clients::UserPool;
use auth_core::http::Route;
use auth_core::password_change::{Request, password_change};
use auth_core::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let route = Route::from_env(env!("CARGO_PKG_NAME"), env)?;
    let pool = UserPool::from_env(env)?;
    route
        .serve(Request::parse, async |request| {
            password_change(&pool, request).await
        })
        .await
}
