//! Whether an answer is the code that was sent.

use crate::challenge::{CODE_PARAMETER, Code, USERNAME_METADATA};
use crate::error::Result;
use crate::limits::Limits;
use crate::trigger::{self, Event};
use crate::username::UsernameKind;

/// Compares the answer with the code, if this user may still have answers compared.
///
/// The answer is counted before it is compared, so that no number of answers at once gets past the limit.
///
/// # Errors
/// Unavailable where the answer can't be counted; internal for another trigger's event.
pub async fn verify_auth_challenge_response(event: &mut Event, limits: &Limits) -> Result<()> {
    if event.source() != "VerifyAuthChallengeResponse_Authentication" {
        return Err(trigger::unknown_source());
    }
    let user = event.limits_key()?;
    let code =
        Code::new(event.required(&["request", "privateChallengeParameters", CODE_PARAMETER])?);
    let answer = event
        .text(&["request", "challengeAnswer"])
        .unwrap_or_default();
    let correct = limits.reserve_answer(&user).await?
        && code.matches(answer)
        && is_owner(event)
        && !event.user_not_found();
    if correct && let Err(error) = limits.forgive_answer(&user).await {
        tracing::error!(cause = error.cause, "a right answer counts as a wrong one");
    }
    event.respond("answerCorrect", correct);
    Ok(())
}

/// Whether the one who answers for a username, where `token` says for which, is the session's user.
fn is_owner(event: &Event) -> bool {
    let claimed = event.text(&["request", "clientMetadata", USERNAME_METADATA]);
    claimed.is_none_or(|claimed| event.attribute(UsernameKind::Phone.attribute()) == Some(claimed))
}
