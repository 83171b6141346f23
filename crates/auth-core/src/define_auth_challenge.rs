//! What comes next in a sign-in with a one-time code: a code, the tokens, or the end.

use serde_json::Value;

use crate::challenge::{ANSWERS_PER_CODE, CUSTOM_CHALLENGE, Request};
use crate::error::Result;
use crate::trigger::{self, Event};
use crate::trigger_error;

/// Decides by the answers so far: a right one gets the tokens, the third wrong one ends it.
///
/// # Errors
/// `UserNotConfirmedException`, because Cognito itself allows custom challenges to unconfirmed users;
/// internal for another trigger's event.
pub fn define_auth_challenge(event: &mut Event) -> Result<()> {
    if event.source() != "DefineAuthChallenge_Authentication" {
        return Err(trigger::unknown_source());
    }
    let Request {
        user_attributes,
        session,
        user_not_found,
        ..
    } = event.view()?.request;
    if user_attributes.user_status.get() == Some("UNCONFIRMED") {
        return Err(trigger_error::user_not_confirmed());
    }
    let only_codes = session
        .iter()
        .all(|round| round.challenge_name.get() == Some(CUSTOM_CHALLENGE));
    let answered = session.last().is_some_and(|round| round.challenge_result);
    let issue_tokens = only_codes && answered && !user_not_found;
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::event;

    fn define(request: Value) -> Result<Value> {
        let mut event = event("DefineAuthChallenge_Authentication", request);
        define_auth_challenge(&mut event)?;
        Ok(Value::Object(event.into_json()))
    }

    #[test]
    fn the_answers_so_far_decide_what_comes_next() {
        let round = |result: Value| json!({ "challengeName": "CUSTOM_CHALLENGE", "challengeResult": result, "challengeMetadata": "012345" });
        let (no, yes, open) = (round(json!(false)), round(json!(true)), round(Value::Null));
        let password = json!({ "challengeName": "PASSWORD_VERIFIER", "challengeResult": true, "challengeMetadata": null });
        let code = ("CUSTOM_CHALLENGE", false, false);
        let (tokens, end) = (("", true, false), ("", false, true));
        for (why, session, user_not_found, expected) in [
            ("nothing yet", json!([]), false, code),
            ("no session at all", Value::Null, false, code),
            ("right at once", json!([yes]), false, tokens),
            ("two wrong", json!([no, no]), false, code),
            ("right at the last", json!([no, no, yes]), false, tokens),
            ("three wrong", json!([no, no, no]), false, end),
            ("right before, wrong now", json!([yes, no]), false, code),
            ("no result", json!([open, open]), false, code),
            ("three unanswered", json!([open, open, open]), false, end),
            ("another challenge", json!([password]), false, end),
            ("a code after another", json!([password, yes]), false, end),
            ("an unknown user's first code", json!([]), true, code),
            ("an unknown user's right answer", json!([yes]), true, code),
            ("unknown, three answers", json!([no, no, yes]), true, end),
        ] {
            let event = define(json!({
                "userAttributes": { "sub": "s", "cognito:user_status": "CONFIRMED" },
                "session": session,
                "userNotFound": user_not_found,
            }))
            .unwrap();
            let response = &event["response"];
            let found = (
                response["challengeName"].as_str().unwrap_or_default(),
                response["issueTokens"].as_bool().unwrap(),
                response["failAuthentication"].as_bool().unwrap(),
            );
            assert_eq!(found, expected, "{why}");
            assert_eq!(event["aFieldOfTomorrow"]["kept"], true, "{why}");
        }
    }

    #[test]
    fn a_user_who_has_not_confirmed_is_refused() {
        let error = define(
            json!({ "userAttributes": { "cognito:user_status": "UNCONFIRMED" }, "session": [] }),
        )
        .unwrap_err();
        assert_eq!(
            (&*error.name, &*error.message),
            ("UserNotConfirmedException", "User is not confirmed.")
        );
    }

    #[test]
    fn another_triggers_event_is_refused() {
        for source in [
            "",
            "CreateAuthChallenge_Authentication",
            "DefineAuthChallenge_Tomorrow",
        ] {
            let error =
                define_auth_challenge(&mut event(source, json!({ "session": [] }))).unwrap_err();
            assert_eq!(error.name, "InternalErrorException", "{source}");
        }
    }
}
