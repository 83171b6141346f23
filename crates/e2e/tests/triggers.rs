//! The pool's triggers, in cases in which Cognito calls them but the embedded AWS does not.

use e2e::{Person, Stack, trigger_event};
use serde_json::{Value, json};

/// An event for this user as AWS sends it, with an additional unknown field.
fn event(stack: &Stack, trigger: &str, person: &Person) -> Value {
    let mut event = trigger_event(trigger);
    let user = stack.user(&person.username);
    event["userPoolId"] = stack.pool_id().into();
    event["userName"] = user["sub"].clone().into();
    event["request"]["userAttributes"] = json!(user);
    event["request"]["unknownField"] = json!([1, 2]);
    event
}

#[test]
fn post_confirmation_adds_a_missing_group_once() {
    let stack = Stack::standard();
    // A user with a role but without its group, as after an interrupted sign-up.
    let person = Person::with_email();
    let email = &*person.username;
    stack.create_user(&person, &[("custom:role", "User")]);
    assert!(stack.groups_of(email).is_empty());
    let event = event(&stack, "post-confirmation", &person);
    for _ in 0..2 {
        // Cognito rejects an answer other than the event that it sent.
        let answer = stack.invoke(&stack.trigger("PostConfirmation"), &event);
        assert_eq!(answer.as_ref(), Ok(&event));
        assert_eq!(stack.groups_of(email), ["User"]);
    }
}

#[test]
fn create_auth_challenge_sends_once_for_a_repeated_event() {
    let stack = Stack::passwordless();
    let function = stack.trigger("CreateAuthChallenge");
    let person = stack.confirmed_user();
    let mut event = event(&stack, "create-auth-challenge", &person);
    // Cognito sends every field with a null value.
    event["response"] = json!({
        "publicChallengeParameters": null,
        "privateChallengeParameters": null,
        "challengeMetadata": null,
    });
    let answers = [(); 3].map(|()| stack.invoke(&function, &event).unwrap());
    let [code] = &stack.codes_sent_to(&person)[..] else {
        panic!("not one message");
    };
    event["response"] = json!({
        "publicChallengeParameters": {},
        "privateChallengeParameters": { "code": code },
        "challengeMetadata": code,
    });
    for answer in answers {
        assert_eq!(answer, event);
    }
}
