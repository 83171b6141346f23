//! The pool's triggers, called as Cognito calls them where the embedded AWS does not.

use e2e::{Person, Stack};
use serde_json::{Value, json};

/// An event as AWS sends it, with a field that nobody knows yet.
fn event(stack: &Stack, source: &str, mut request: Value, response: Value) -> Value {
    request["unknownField"] = json!([1, 2]);
    json!({
        "version": "1",
        "region": "us-east-1",
        "userPoolId": stack.pool_id(),
        "userName": request["userAttributes"]["sub"],
        "callerContext": {
            "awsSdkVersion": "aws-sdk-rust-1.144.0",
            "clientId": stack.client_id(),
        },
        "triggerSource": source,
        "request": request,
        "response": response,
    })
}

#[test]
fn post_confirmation_adds_a_missing_group_and_a_second_call_changes_nothing() {
    let stack = Stack::standard();
    // A user who has a role but not its group, as after a sign-up that ended half-way.
    let email = Person::with_email().username;
    let attributes = [("email", &*email), ("custom:role", "User")];
    let attributes = attributes.map(|(name, value)| json!({ "Name": name, "Value": value }));
    stack.cognito_admin(
        "AdminCreateUser",
        json!({ "Username": email, "MessageAction": "SUPPRESS", "UserAttributes": attributes }),
    );
    let attributes = stack.user(&email);
    assert!(stack.groups_of(&email).is_empty());
    let event = event(
        &stack,
        "PostConfirmation_ConfirmSignUp",
        json!({ "userAttributes": attributes }),
        json!({}),
    );
    for _ in 0..2 {
        // Cognito refuses an answer that is not the event it sent.
        let answer = stack.invoke(&stack.trigger("PostConfirmation"), &event);
        assert_eq!(answer.as_ref(), Ok(&event));
        assert_eq!(stack.groups_of(&email), ["User"]);
    }
}

#[test]
fn create_called_again_for_the_same_event_sends_no_second_message_and_keeps_the_code() {
    let stack = Stack::passwordless();
    let function = stack.trigger("CreateAuthChallenge");
    let person = stack.confirmed_user();
    let mut event = event(
        &stack,
        "CreateAuthChallenge_Authentication",
        json!({
            "userAttributes": stack.user(&person.username),
            "challengeName": "CUSTOM_CHALLENGE",
            "session": [],
        }),
        // Every field is there already, without a value.
        json!({
            "publicChallengeParameters": null,
            "privateChallengeParameters": null,
            "challengeMetadata": null,
        }),
    );
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
