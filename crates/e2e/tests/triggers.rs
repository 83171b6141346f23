//! The pool's triggers, called as Cognito calls them.

use e2e::{Person, Stack};
use serde_json::{Value, json};

/// A user who has a role but not its group, as after a sign-up that ended half-way.
fn user_without_a_group(stack: &Stack) -> (String, String) {
    let email = Person::with_email().username;
    stack.cognito_admin(
        "AdminCreateUser",
        json!({
            "Username": email,
            "MessageAction": "SUPPRESS",
            "UserAttributes": [
                { "Name": "email", "Value": email },
                { "Name": "custom:role", "Value": "User" },
            ],
        }),
    );
    let sub = stack.user(&email)["sub"].clone();
    assert!(stack.groups_of(&email).is_empty());
    (email, sub)
}

/// An event as AWS sends it, with a field that nobody knows yet.
fn event(stack: &Stack, source: &str, sub: &str, attributes: Value) -> Value {
    json!({
        "version": "1",
        "region": "us-east-1",
        "userPoolId": stack.pool_id(),
        "userName": sub,
        "callerContext": {
            "awsSdkVersion": "aws-sdk-rust-1.144.0",
            "clientId": stack.client_id(),
        },
        "triggerSource": source,
        "request": { "userAttributes": attributes, "unknownField": [1, 2] },
        "response": {},
    })
}

fn attributes(email: &str, sub: &str, role: &str) -> Value {
    json!({
        "sub": sub,
        "email_verified": "true",
        "cognito:user_status": "CONFIRMED",
        "custom:role": role,
        "email": email,
    })
}

#[test]
fn post_confirmation_adds_a_missing_group_and_a_second_call_changes_nothing() {
    let stack = Stack::standard();
    let function = stack.trigger("PostConfirmation");
    let (email, sub) = user_without_a_group(&stack);
    let event = event(
        &stack,
        "PostConfirmation_ConfirmSignUp",
        &sub,
        attributes(&email, &sub, "User"),
    );
    for _ in 0..2 {
        // Cognito refuses an answer that is not the event it sent.
        assert_eq!(stack.invoke(&function, &event).as_ref(), Ok(&event));
        assert_eq!(stack.groups_of(&email), ["User"]);
    }
}

#[test]
fn post_confirmation_after_a_password_change_adds_no_group() {
    let stack = Stack::standard();
    let (email, sub) = user_without_a_group(&stack);
    let event = event(
        &stack,
        "PostConfirmation_ConfirmForgotPassword",
        &sub,
        attributes(&email, &sub, "User"),
    );
    let answer = stack.invoke(&stack.trigger("PostConfirmation"), &event);
    assert_eq!(answer.as_ref(), Ok(&event));
    assert!(stack.groups_of(&email).is_empty());
}

#[test]
fn post_confirmation_fails_for_a_role_that_does_not_exist_and_tells_no_cause() {
    let stack = Stack::standard();
    let (email, sub) = user_without_a_group(&stack);
    let event = event(
        &stack,
        "PostConfirmation_ConfirmSignUp",
        &sub,
        attributes(&email, &sub, "Nobody"),
    );
    let error = stack
        .invoke(&stack.trigger("PostConfirmation"), &event)
        .unwrap_err();
    assert_internal(&error);
    assert!(stack.groups_of(&email).is_empty());
}

#[test]
fn a_source_that_a_trigger_is_not_made_for_is_refused() {
    let stack = Stack::standard();
    for (trigger, sources) in [
        (
            "PreSignUp",
            ["PostConfirmation_ConfirmSignUp", "PreSignUp_Unheard", ""],
        ),
        (
            "PostConfirmation",
            ["PreSignUp_SignUp", "PostConfirmation_Unheard", ""],
        ),
    ] {
        let function = stack.trigger(trigger);
        for source in sources {
            let event = event(
                &stack,
                source,
                "a-user",
                attributes("a@example.com", "a-user", "User"),
            );
            let error = stack.invoke(&function, &event).unwrap_err();
            assert_internal(&error);
        }
        for nothing in [json!({}), json!([]), json!("text"), Value::Null] {
            assert_internal(&stack.invoke(&function, &nothing).unwrap_err());
        }
    }
}

#[test]
fn pre_sign_up_confirms_only_the_roles_that_skip_confirmation() {
    let stack = Stack::standard();
    let function = stack.trigger("PreSignUp");
    for (role, response) in [
        (
            "User",
            json!({ "autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false }),
        ),
        (
            "Courier",
            json!({ "autoConfirmUser": true, "autoVerifyEmail": true, "autoVerifyPhone": false }),
        ),
    ] {
        let attributes = json!({ "email": "a@example.com", "custom:role": role });
        let mut event = event(&stack, "PreSignUp_SignUp", "a-user", attributes);
        event["response"] =
            json!({ "autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false });
        let answer = stack.invoke(&function, &event).unwrap();
        event["response"] = response;
        assert_eq!(answer, event, "{role}");
    }
}

#[track_caller]
fn assert_internal(error: &Value) {
    assert_eq!(error["errorType"], "InternalErrorException", "{error}");
    assert_eq!(
        error["errorMessage"],
        "InternalErrorException: Something went wrong on our side. Please try again later."
    );
}
