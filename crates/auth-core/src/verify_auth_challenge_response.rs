//! Whether an answer is the code that was sent.

use crate::challenge::{Code, Request};
use crate::error::Result;
use crate::limits::Limits;
use crate::trigger::{self, Event, View};

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
    let view: View<Request> = event.view()?;
    let user = view.limits_key()?;
    let request = view.request;
    let code = request.private_challenge_parameters.code;
    let code = Code::new(code.required("request.privateChallengeParameters.code")?);
    let answer = request.challenge_answer.get().unwrap_or_default();
    let correct = limits.reserve_answer(&user).await?
        && code.matches(answer)
        && is_owner(&request)
        && !request.user_not_found
        && limits.spend(&user, &code).await?;
    event.respond("answerCorrect", correct);
    Ok(())
}

/// Whether the username that `token` names is that of the session's user. A direct call to Cognito names none.
fn is_owner(request: &Request<'_>) -> bool {
    let claimed = request.client_metadata.username.get();
    claimed.is_none() || claimed == request.user_attributes.phone_number.get()
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, Reply};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{event, with_setup};

    async fn verify(aws: &FakeAws, request: Value) -> Result<Value> {
        let limits = with_setup(aws.http_client(), &[], Limits::new).unwrap();
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

    /// A table that refuses to write from the write of this number on.
    fn refusing_from(write: usize) -> FakeAws {
        let refusal = json!({ "__type": "ConditionalCheckFailedException" });
        let mut replies = vec![Reply::text(200, "{}"); write];
        replies.push(Reply::json(400, &refusal));
        FakeAws::in_turn("UpdateItem", replies)
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
            ("nothing", request(Value::Null), false),
            ("an empty answer", request(json!("")), false),
            ("a session under another user's name", other, false),
            ("a user who does not exist", unknown, false),
        ] {
            let aws = FakeAws::default();
            let event = verify(&aws, request).await.unwrap();
            assert_eq!(event["response"]["answerCorrect"], right, "{why}");
            assert_eq!(event["aFieldOfTomorrow"]["kept"], true, "{why}");
            assert_eq!(
                aws.calls().len(),
                if right { 2 } else { 1 },
                "{why}: counted, and spent where right"
            );
        }
    }

    #[tokio::test]
    async fn the_right_code_is_wrong_beyond_the_limit_or_if_spent() {
        for write in [0, 1] {
            let aws = refusing_from(write);
            let event = verify(&aws, request(json!("012345"))).await.unwrap();
            assert_eq!(event["response"]["answerCorrect"], false, "{write}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_can_not_be_counted_is_not_compared() {
        let aws = FakeAws::failing("UpdateItem", "InternalServerError", "");
        let error = verify(&aws, request(json!("012345"))).await.unwrap_err();
        assert_eq!(error.name, "ServiceUnavailableException");
    }

    #[tokio::test]
    async fn an_event_without_a_user_or_a_code_is_our_fault() {
        let code = json!({ "code": "012345" });
        let user = json!({ "sub": "s" });
        for request in [
            json!({ "privateChallengeParameters": code, "challengeAnswer": "012345" }),
            json!({ "userAttributes": user, "challengeAnswer": "" }),
            json!({ "userAttributes": user, "privateChallengeParameters": { "code": "" }, "challengeAnswer": "" }),
            json!({ "userAttributes": user, "privateChallengeParameters": code, "challengeAnswer": 12345 }),
        ] {
            let error = verify(&FakeAws::default(), request.clone())
                .await
                .unwrap_err();
            assert_eq!(error.name, "InternalErrorException", "{request}");
        }
    }
}
