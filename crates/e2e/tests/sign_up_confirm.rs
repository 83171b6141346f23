//! `POST /auth/sign-up/confirm`.

use e2e::{Person, SIGN_UP_CODE, Stack};
use serde_json::json;

fn confirm(stack: &Stack, username: &str, code: &str) -> e2e::Answer {
    let body = json!({ "username": username, "confirmationCode": code });
    stack.post("/sign-up/confirm", body)
}

#[test]
fn the_right_code_confirms_the_user_who_can_then_sign_in() {
    let stack = Stack::standard();
    for (person, role) in [
        (Person::with_email(), "User"),
        (Person::with_phone(), "Driver"),
    ] {
        stack.sign_up(&person, role).granted();
        let username = &person.username;
        let body = confirm(&stack, username, SIGN_UP_CODE).granted();
        let message = format!("The username: {username} has been confirmed.");
        assert_eq!(body, json!({ "message": message }));
        let tokens = stack.tokens_of(&person);
        assert_eq!(tokens.access_claims["cognito:groups"], json!([role]));
    }
}

#[test]
fn a_wrong_code_is_refused_and_the_right_one_stays_good() {
    let stack = Stack::standard();
    let person = stack.unconfirmed_user();
    confirm(&stack, &person.username, "000000").refused_with(
        400,
        "CodeMismatchException",
        "Invalid verification code provided, please try again.",
    );
    assert_eq!(stack.user(&person.username)["status"], "UNCONFIRMED");
    confirm(&stack, &person.username, SIGN_UP_CODE).granted();
}

#[test]
fn a_code_that_cognito_could_not_have_sent_is_refused() {
    let stack = Stack::standard();
    let person = stack.unconfirmed_user();
    for code in ["123 456", "123456\n", &"1".repeat(2049)] {
        confirm(&stack, &person.username, code).refused(400, "InvalidParameterException");
    }
}

#[test]
fn an_unknown_user_is_not_found() {
    let stack = Stack::standard();
    confirm(&stack, &Person::with_email().username, SIGN_UP_CODE).refused_with(
        404,
        "UserNotFoundException",
        "Username/client id combination not found.",
    );
}

#[test]
fn a_second_confirmation_is_not_authorized() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    confirm(&stack, &person.username, SIGN_UP_CODE).refused_with(
        401,
        "NotAuthorizedException",
        "User cannot be confirmed. Current status is CONFIRMED",
    );
}
