//! `POST /auth/password/forgot` and `POST /auth/password/change`.

use e2e::{Answer, PASSWORD_CODE, Person, Stack};
use serde_json::json;

fn forgot(stack: &Stack, username: &str) -> Answer {
    stack.post("/password/forgot", json!({ "username": username }))
}

fn change(stack: &Stack, username: &str, password: &str, code: &str) -> Answer {
    let body = json!({ "username": username, "password": password, "confirmationCode": code });
    stack.post("/password/change", body)
}

#[test]
fn a_forgotten_password_is_replaced_with_the_code_that_was_sent() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    let username = &person.username;
    let body = forgot(&stack, username).granted();
    let message =
        format!("The confirmation code to change your password has been sent to: {username}.");
    assert_eq!(body, json!({ "message": message }));

    let renewed = Person {
        password: Person::another_password(),
        ..person.clone()
    };
    let body = change(&stack, username, &renewed.password, PASSWORD_CODE).granted();
    assert_eq!(
        body,
        json!({ "message": "Your password has been successfully changed." })
    );
    stack.tokens_of(&renewed);
    stack
        .sign_in(&person)
        .refused(401, "NotAuthorizedException");
}

#[test]
fn a_code_is_good_for_one_change() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    forgot(&stack, &person.username).granted();
    let change = || {
        change(
            &stack,
            &person.username,
            &Person::another_password(),
            PASSWORD_CODE,
        )
    };
    change().granted();
    change().refused(400, "ExpiredCodeException");
}

#[test]
fn a_wrong_code_is_refused_and_changes_nothing() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    forgot(&stack, &person.username).granted();
    change(
        &stack,
        &person.username,
        &Person::another_password(),
        "000000",
    )
    .refused_with(
        400,
        "CodeMismatchException",
        "Invalid verification code provided, please try again.",
    );
    stack.tokens_of(&person);
}

#[test]
fn a_code_that_nobody_asked_for_is_refused() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    change(
        &stack,
        &person.username,
        &Person::another_password(),
        PASSWORD_CODE,
    )
    .refused(400, "ExpiredCodeException");
    stack.tokens_of(&person);
}

#[test]
fn a_new_password_that_breaks_the_policy_is_refused_and_the_code_stays_good() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    forgot(&stack, &person.username).granted();
    change(&stack, &person.username, "password", PASSWORD_CODE)
        .refused(400, "InvalidPasswordException");
    change(
        &stack,
        &person.username,
        &Person::another_password(),
        PASSWORD_CODE,
    )
    .granted();
}

#[test]
fn an_unknown_user_is_not_found() {
    let stack = Stack::standard();
    let username = Person::with_email().username;
    let message = "Username/client id combination not found.";
    forgot(&stack, &username).refused_with(404, "UserNotFoundException", message);
    change(
        &stack,
        &username,
        &Person::another_password(),
        PASSWORD_CODE,
    )
    .refused_with(404, "UserNotFoundException", message);
}
