//! What comes next in a sign-in with a one-time code: a code, the tokens, or the end.

use serde_json::Value;

use crate::challenge::{ANSWERS_PER_CODE, CUSTOM_CHALLENGE, user_not_confirmed};
use crate::error::Result;
use crate::trigger::{self, Event};

/// Decides by the answers so far: a right one gets the tokens, the third wrong one ends it.
///
/// # Errors
/// `UserNotConfirmedException`, as Cognito itself lets unconfirmed users into challenges of one's own;
/// internal for another trigger's event.
pub fn define_auth_challenge(event: &mut Event) -> Result<()> {
    if event.source() != "DefineAuthChallenge_Authentication" {
        return Err(trigger::unknown_source());
    }
    if event.attribute("cognito:user_status") == Some("UNCONFIRMED") {
        return Err(user_not_confirmed());
    }
    let session = event.rounds();
    let only_codes = session
        .iter()
        .all(|round| round["challengeName"] == CUSTOM_CHALLENGE);
    let answered = session
        .last()
        .is_some_and(|round| round["challengeResult"] == true);
    let issue_tokens = only_codes && answered && !event.user_not_found();
    let fail = !only_codes || (!issue_tokens && session.len() >= ANSWERS_PER_CODE);
    event.respond("issueTokens", issue_tokens);
    event.respond("failAuthentication", fail);
    event.respond(
        "challengeName",
        match issue_tokens || fail {
            true => Value::Null,
            false => CUSTOM_CHALLENGE.into(),
        },
    );
    Ok(())
}
