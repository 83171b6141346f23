//! Whether an answer is the code that was sent.

use crate::challenge::{CODE_PARAMETER, Code, USERNAME_METADATA};
use crate::error::Result;
use crate::limits::Limits;
use crate::trigger::{self, Event};
use crate::username::UsernameKind;

/// Compares the answer with the code, if this user may still have answers compared.
///
/// The answer is counted before it is compared, so that no number of answers at once gets past the limit;
/// a right one spends its code.
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
        && !event.user_not_found()
        && limits.spend(&user, &code).await?;
    event.respond("answerCorrect", correct);
    Ok(())
}

/// Whether the one who answers for a username, where `token` says for which, is the session's user.
fn is_owner(event: &Event) -> bool {
    let claimed = event.text(&["request", "clientMetadata", USERNAME_METADATA]);
    claimed.is_none_or(|claimed| event.attribute(UsernameKind::Phone.attribute()) == Some(claimed))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Env;
    use crate::testing::{LIMITS, answer, env, event, exception};

    async fn verify(writes: &Rule, request: Value) -> Result<Value> {
        let table = env(&LIMITS);
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [writes]);
        let limits = Limits::from_env(Env::new(&table), dynamodb).unwrap();
        let mut event = event("VerifyAuthChallengeResponse_Authentication", request);
        verify_auth_challenge_response(&mut event, &limits).await?;
        Ok(Value::Object(event.into_json()))
    }

    fn request(answer: Value) -> Value {
        json!({
            "userAttributes": { "sub": "s-1", "phone_number": "+34999999999" },
            "privateChallengeParameters": { "code": "012345" },
            "challengeAnswer": answer,
        })
    }

    fn counted() -> Rule {
        mock!(Client::update_item).then_http_response(|| answer(200, "{}"))
    }

    #[tokio::test]
    async fn only_the_code_itself_from_its_own_user_is_right() {
        let mut unknown = request(json!("012345"));
        unknown["userNotFound"] = json!(true);
        let mut other = request(json!("012345"));
        other["clientMetadata"] = json!({ "username": "+34888888888" });
        let mut own = request(json!("012345"));
        own["clientMetadata"] = json!({ "username": "+34999999999" });
        let mut direct = request(json!("012345"));
        direct["clientMetadata"] = Value::Null;
        for (why, request, right) in [
            ("the code", request(json!("012345")), true),
            ("the code for the session's own user", own, true),
            ("a direct call without metadata", direct, true),
            ("another code", request(json!("012346")), false),
            ("no zero in front", request(json!("12345")), false),
            ("a number", request(json!(12345)), false),
            ("nothing", request(Value::Null), false),
            ("an empty answer", request(json!("")), false),
            ("a session under another user's name", other, false),
            ("a user who does not exist", unknown, false),
        ] {
            let writes = counted();
            let event = verify(&writes, request).await.unwrap();
            assert_eq!(event["response"]["answerCorrect"], right, "{why}");
            assert_eq!(event["aFieldOfTomorrow"]["kept"], true, "{why}");
            assert_eq!(
                writes.num_calls(),
                if right { 2 } else { 1 },
                "{why}: counted, and spent where right"
            );
        }
    }

    #[tokio::test]
    async fn the_right_code_is_wrong_beyond_the_limit() {
        let full = mock!(Client::update_item).then_http_response(|| {
            exception(
                "ConditionalCheckFailedException",
                "The conditional request failed",
            )
        });
        let event = verify(&full, request(json!("012345"))).await.unwrap();
        assert_eq!(event["response"]["answerCorrect"], false);
    }

    #[tokio::test]
    async fn a_code_that_is_spent_is_wrong() {
        let counted = counted();
        let spent = mock!(Client::update_item).then_http_response(|| {
            exception(
                "ConditionalCheckFailedException",
                "The conditional request failed",
            )
        });
        let table = env(&LIMITS);
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&counted, &spent]);
        let limits = Limits::from_env(Env::new(&table), dynamodb).unwrap();
        let mut event = event(
            "VerifyAuthChallengeResponse_Authentication",
            request(json!("012345")),
        );
        verify_auth_challenge_response(&mut event, &limits)
            .await
            .unwrap();
        assert_eq!(
            event.at(&["response", "answerCorrect"]),
            Some(&json!(false))
        );
        assert_eq!(spent.num_calls(), 1);
    }

    #[tokio::test]
    async fn an_answer_that_can_not_be_counted_is_not_compared() {
        let down =
            mock!(Client::update_item).then_http_response(|| exception("InternalServerError", ""));
        let error = verify(&down, request(json!("012345"))).await.unwrap_err();
        assert_eq!(error.name, "ServiceUnavailableException");
    }

    #[tokio::test]
    async fn an_event_without_a_user_or_a_code_is_our_fault() {
        for request in [
            json!({ "privateChallengeParameters": { "code": "012345" }, "challengeAnswer": "012345" }),
            json!({ "userAttributes": { "sub": "s" }, "challengeAnswer": "" }),
            json!({ "userAttributes": { "sub": "s" }, "privateChallengeParameters": { "code": "" }, "challengeAnswer": "" }),
        ] {
            let error = verify(&counted(), request).await.unwrap_err();
            assert_eq!(error.name, "InternalErrorException");
        }
    }
}
