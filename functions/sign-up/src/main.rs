//! `POST /auth/sign-up`.

use auth_core::clients::UserPool;
use auth_core::http::Route;
use auth_core::sign_up::{Request, Rules, sign_up};
use auth_core::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = telemetry::start()?;
    let route = Route::from_env(env!("CARGO_PKG_NAME"), env)?;
    let pool = UserPool::signed_from_env(env)?;
    let user_pool_id = env.required("USER_POOL_ID")?;
    let rules = Rules::from_env(env)?;
    route
        .serve(
            |fields| Request::parse(fields, &rules),
            async |request| sign_up(&pool, &user_pool_id, request).await,
        )
        .await
}
