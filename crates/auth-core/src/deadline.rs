//! Lambda's deadline: whoever waits is told in time that it passed, as Lambda itself would only end the function.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;

use crate::error::{Error, Result};

/// What is kept back for telling.
const RESERVE: Duration = Duration::from_millis(500);

/// The time there is where the deadline has long passed, as with `cargo lambda watch`: Lambda would have ended
/// the function by then. It is the template's `Timeout`.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(20);

/// What the operation comes to before Lambda would end the function.
///
/// # Errors
/// The operation's; unavailable where it takes longer.
pub(crate) async fn within<T>(
    context: &Context,
    operation: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::time::timeout(remaining(context), operation)
        .await
        .unwrap_or_else(|_| Err(Error::unavailable("the function's deadline")))
}

fn remaining(context: &Context) -> Duration {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let left = Duration::from_millis(context.deadline).checked_sub(now);
    left.unwrap_or(WITHOUT_DEADLINE).saturating_sub(RESERVE)
}
