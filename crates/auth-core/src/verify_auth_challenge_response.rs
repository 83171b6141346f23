//! Whether an answer is the code that was sent.

use crate::challenge::{Code, Request};
use crate::error::Result;
use crate::limits::{Answer, OtpTable};
use crate::telemetry::{self, Metric};
use crate::trigger::{self, Event, View};
use crate::trigger_error;

/// Compares the answer with the code, and counts it.
///
/// # Errors
/// `NotAuthorizedException` if no answer is left to the code; unavailable if the answer can't be counted; internal for
/// another trigger's event.
pub async fn verify_auth_challenge_response(event: &mut Event, table: &OtpTable) -> Result<()> {
    if event.source() != "VerifyAuthChallengeResponse_Authentication" {
        return Err(trigger::unknown_source());
    }
    let view: View<Request> = event.view()?;
    let user = view.limits_key()?;
    let request = view.request;
    let code = request.private_challenge_parameters.code;
    let code = Code::new(code.required("request.privateChallengeParameters.code")?);
    let answer = request.challenge_answer.get().unwrap_or_default();
    let is_right = code.matches(answer) && is_owner(&request) && !request.user_not_found;
    let answer = table.count_answer(&user, &code, is_right).await?;
    if answer != Answer::Right {
        telemetry::count(Metric::SignInFailures);
    }
    if answer == Answer::Over {
        return Err(trigger_error::no_answer_left());
    }
    event.respond("answerCorrect", answer == Answer::Right);
    Ok(())
}

/// Whether the username that `token` names is that of the session's user. A direct call to Cognito names none.
fn is_owner(request: &Request<'_>) -> bool {
    let Some(claimed) = request.client_metadata.username.get() else {
        return true;
    };
    let user = &request.user_attributes;
    let is_email = |email: &str| email.eq_ignore_ascii_case(claimed);
    user.phone_number.get() == Some(claimed) || user.email.get().is_some_and(is_email)
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, Reply};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{event, metrics, with_setup};

    async fn verify(aws: &FakeAws, request: Value) -> Result<Value> {
        let table = with_setup(aws.http_client(), &[], OtpTable::new).unwrap();
        let mut event = event("VerifyAuthChallengeResponse_Authentication", request);
        verify_auth_challenge_response(&mut event, &table).await?;
        Ok(Value::Object(event.into_json()))
    }

    fn request(answer: Value) -> Value {
        json!({
            "userAttributes": { "sub": "s-1", "phone_number": "+34999999999" },
            "privateChallengeParameters": { "code": "012345" },
            "challengeAnswer": answer,
        })
    }

    /// A table that holds this many answers to the code after a wrong one.
    fn answers_left(left: u32) -> FakeAws {
        let codes = json!({ "answersLeft": { "M": { "012345": { "N": left.to_string() } } } });
        let reply = Reply::json(200, &json!({ "Attributes": codes }));
        FakeAws::with("UpdateItem", reply)
    }

    #[tokio::test]
    async fn only_the_code_itself_from_its_own_user_is_right() {
        let code = json!("012345");
        let with = |name: &str, value: Value| {
            let mut request = request(code.clone());
            request[name] = value;
            request
        };
        let as_user = |username: &str| with("clientMetadata", json!({ "username": username }));
        let mut address = as_user("User@Example.com");
        address["userAttributes"] = json!({ "sub": "s-1", "email": "user@example.com" });
        for (why, request, right) in [
            ("the code", request(code.clone()), true),
            ("for the session's own user", as_user("+34999999999"), true),
            ("for the session's own address", address, true),
            ("a direct call", with("clientMetadata", Value::Null), true),
            ("another code", request(json!("012346")), false),
            ("no zero in front", request(json!("12345")), false),
            ("nothing", request(Value::Null), false),
            ("an empty answer", request(json!("")), false),
            ("for another user's name", as_user("+34888888888"), false),
            ("an unknown user", with("userNotFound", json!(true)), false),
        ] {
            let aws = answers_left(1);
            let (metrics, _guard) = metrics();
            let event = verify(&aws, request).await.unwrap();
            assert_eq!(event["response"]["answerCorrect"], right, "{why}");
            assert_eq!(event["aFieldOfTomorrow"]["kept"], true, "{why}");
            let failures = metrics.take();
            assert_eq!(failures.len(), usize::from(!right), "{why}: {failures:?}");
            let updates = aws.bodies("UpdateItem");
            assert_eq!(updates.len(), 1, "{why}");
            let update = updates[0]["UpdateExpression"].as_str().unwrap();
            assert_eq!(update.starts_with("REMOVE "), right, "{why}");
        }
    }

    #[tokio::test]
    async fn the_last_wrong_answer_and_any_after_it_end_the_sign_in() {
        let refusal = json!({ "__type": "ConditionalCheckFailedException" });
        let none_left = || FakeAws::with("UpdateItem", Reply::json(400, &refusal));
        for (aws, answer) in [
            (answers_left(0), "999999"),
            (none_left(), "999999"),
            (none_left(), "012345"),
        ] {
            let (metrics, _guard) = metrics();
            let error = verify(&aws, request(json!(answer))).await.unwrap_err();
            assert_eq!(
                error.to_string(),
                trigger_error::no_answer_left().to_string()
            );
            assert_eq!(metrics.take(), [("SignInFailures".to_owned(), 1)]);
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
