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
    for (stack, trigger, sources) in [
        (
            Stack::standard(),
            "PreSignUp",
            ["PostConfirmation_ConfirmSignUp", "PreSignUp_Unheard", ""],
        ),
        (
            Stack::standard(),
            "PostConfirmation",
            ["PreSignUp_SignUp", "PostConfirmation_Unheard", ""],
        ),
        (
            Stack::passwordless(),
            "DefineAuthChallenge",
            [
                "CreateAuthChallenge_Authentication",
                "DefineAuthChallenge_Unheard",
                "",
            ],
        ),
        (
            Stack::passwordless(),
            "CreateAuthChallenge",
            [
                "DefineAuthChallenge_Authentication",
                "CreateAuthChallenge_Unheard",
                "",
            ],
        ),
        (
            Stack::passwordless(),
            "VerifyAuthChallengeResponse",
            [
                "CreateAuthChallenge_Authentication",
                "VerifyAuthChallengeResponse_Unheard",
                "",
            ],
        ),
    ] {
        let function = stack.trigger(trigger);
        for source in sources {
            let mut event = event(
                &stack,
                source,
                "a-user",
                attributes("a@example.com", "a-user", "User"),
            );
            // What the challenge triggers would look at.
            event["request"]["challengeName"] = json!("CUSTOM_CHALLENGE");
            event["request"]["privateChallengeParameters"] = json!({ "code": "012345" });
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

// ── Passwordless ─────────────────────────────────────────────────────────────────────────────────────

/// Someone who can sign in, as the challenge triggers are told.
fn challenged(stack: &Stack) -> (Person, Value) {
    let person = stack.confirmed_user();
    let attributes = json!({
        "sub": stack.user(&person.username)["sub"],
        "phone_number_verified": "true",
        "cognito:user_status": "CONFIRMED",
        "custom:role": "User",
        "phone_number": person.username,
    });
    (person, attributes)
}

/// A challenge trigger's event as AWS sends it: this request besides the user, and every field of the
/// response there already, without a value.
fn challenge_event(
    stack: &Stack,
    trigger: &str,
    attributes: &Value,
    request: Value,
    response: &[&str],
) -> Value {
    let source = format!("{trigger}_Authentication");
    let sub = attributes["sub"].as_str().unwrap_or("nobody");
    let mut event = event(stack, &source, sub, attributes.clone());
    let fields = event["request"].as_object_mut().unwrap();
    fields.extend(request.as_object().unwrap().clone());
    for name in response {
        event["response"][*name] = Value::Null;
    }
    event
}

fn define_event(stack: &Stack, attributes: &Value, session: Value) -> Value {
    challenge_event(
        stack,
        "DefineAuthChallenge",
        attributes,
        json!({ "session": session }),
        &["challengeName", "issueTokens", "failAuthentication"],
    )
}

fn create_event(stack: &Stack, attributes: &Value, session: Value) -> Value {
    challenge_event(
        stack,
        "CreateAuthChallenge",
        attributes,
        json!({ "challengeName": "CUSTOM_CHALLENGE", "session": session }),
        &[
            "publicChallengeParameters",
            "privateChallengeParameters",
            "challengeMetadata",
        ],
    )
}

fn verify_event(stack: &Stack, attributes: &Value, answer: &str) -> Value {
    challenge_event(
        stack,
        "VerifyAuthChallengeResponse",
        attributes,
        json!({
            "privateChallengeParameters": { "code": "012345" },
            "challengeAnswer": answer,
            "clientMetadata": { "username": attributes["phone_number"] },
        }),
        &["answerCorrect"],
    )
}

fn round(result: bool) -> Value {
    json!({ "challengeName": "CUSTOM_CHALLENGE", "challengeResult": result, "challengeMetadata": "012345" })
}

#[test]
fn define_answers_the_whole_event_with_what_comes_next() {
    let stack = Stack::passwordless();
    let function = stack.trigger("DefineAuthChallenge");
    let (_, attributes) = challenged(&stack);
    for (session, next, tokens, end) in [
        (json!([]), json!("CUSTOM_CHALLENGE"), false, false),
        (
            json!([round(false)]),
            json!("CUSTOM_CHALLENGE"),
            false,
            false,
        ),
        (json!([round(false), round(true)]), Value::Null, true, false),
        (
            json!([round(false), round(false), round(false)]),
            Value::Null,
            false,
            true,
        ),
    ] {
        let mut event = define_event(&stack, &attributes, session);
        let answer = stack.invoke(&function, &event).unwrap();
        event["response"] =
            json!({ "challengeName": next, "issueTokens": tokens, "failAuthentication": end });
        assert_eq!(answer, event);
    }
}

#[test]
fn define_refuses_a_user_who_is_not_confirmed() {
    let stack = Stack::passwordless();
    let (_, mut attributes) = challenged(&stack);
    attributes["cognito:user_status"] = json!("UNCONFIRMED");
    let event = define_event(&stack, &attributes, json!([]));
    let error = stack
        .invoke(&stack.trigger("DefineAuthChallenge"), &event)
        .unwrap_err();
    assert_eq!(error["errorType"], "UserNotConfirmedException");
    assert_eq!(
        error["errorMessage"],
        "UserNotConfirmedException: User is not confirmed."
    );
}

#[test]
fn create_called_again_for_the_same_event_sends_no_second_message_and_keeps_the_code() {
    let stack = Stack::passwordless();
    let function = stack.trigger("CreateAuthChallenge");
    let (person, attributes) = challenged(&stack);
    let mut event = create_event(&stack, &attributes, json!([]));
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

#[test]
fn create_called_several_times_at_once_for_the_same_event_sends_one_message() {
    let stack = Stack::passwordless();
    let function = stack.trigger("CreateAuthChallenge");
    let (person, attributes) = challenged(&stack);
    let event = create_event(&stack, &attributes, json!([]));
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| stack.invoke(&function, &event).unwrap());
        }
    });
    assert_eq!(stack.codes_sent_to(&person).len(), 1);
}

#[test]
fn create_after_a_wrong_answer_keeps_the_code_and_sends_nothing() {
    let stack = Stack::passwordless();
    let (person, attributes) = challenged(&stack);
    let event = create_event(&stack, &attributes, json!([round(false)]));
    let answer = stack
        .invoke(&stack.trigger("CreateAuthChallenge"), &event)
        .unwrap();
    assert_eq!(
        answer["response"]["privateChallengeParameters"]["code"],
        "012345"
    );
    assert!(stack.messages_to(&person).is_empty());
}

#[test]
fn verify_answers_the_whole_event_with_whether_the_answer_is_right() {
    let stack = Stack::passwordless();
    let function = stack.trigger("VerifyAuthChallengeResponse");
    let (_, attributes) = challenged(&stack);
    for (answer, right) in [
        ("012346", false),
        ("12345", false),
        ("012345", true),
        // It was answered already.
        ("012345", false),
    ] {
        let mut event = verify_event(&stack, &attributes, answer);
        let verified = stack.invoke(&function, &event).unwrap();
        event["response"]["answerCorrect"] = right.into();
        assert_eq!(verified, event, "{answer}");
    }
}

#[test]
fn the_challenge_triggers_never_let_an_unknown_user_in_or_send_a_message() {
    let stack = Stack::passwordless();
    let invoke = |trigger: &str, mut event: Value| {
        event["request"]["userNotFound"] = true.into();
        event["userName"] = Person::with_phone().username.into();
        stack.invoke(&stack.trigger(trigger), &event).unwrap()["response"].clone()
    };
    let nobody = json!({});
    let defined = invoke(
        "DefineAuthChallenge",
        define_event(&stack, &nobody, json!([round(true)])),
    );
    assert_eq!(defined["issueTokens"], false);
    let created = invoke(
        "CreateAuthChallenge",
        create_event(&stack, &nobody, json!([])),
    );
    assert_eq!(created["publicChallengeParameters"], json!({}));
    let verified = invoke(
        "VerifyAuthChallengeResponse",
        verify_event(&stack, &nobody, "012345"),
    );
    assert_eq!(verified["answerCorrect"], false);
}

#[track_caller]
fn assert_internal(error: &Value) {
    assert_eq!(error["errorType"], "InternalErrorException", "{error}");
    assert_eq!(
        error["errorMessage"],
        "InternalErrorException: Something went wrong on our side. Please try again later."
    );
}
