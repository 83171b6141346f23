//! Lambda's deadline. A function answers 503 shortly before it, because Lambda would end the function without an answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;

use crate::error::{Error, Result};

/// The time before the deadline that is reserved for the answer.
const RESERVE: Duration = Duration::from_millis(500);

/// The time limit if the deadline has long passed, as with `cargo lambda watch`: the template's `Timeout`. Lambda would
/// have ended the function by then.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(20);

/// The operation's result, if it is there before Lambda's deadline.
///
/// # Errors
/// The operation's error; unavailable if the operation takes longer.
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
