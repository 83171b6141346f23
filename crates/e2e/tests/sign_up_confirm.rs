//! `POST /auth/sign-up/confirm`.

use e2e::{SIGN_UP_CODE, Stack};
use serde_json::json;

fn confirm(stack: &Stack, username: &str, code: &str) -> e2e::Answer {
    let body = json!({ "username": username, "confirmationCode": code });
    stack.post("/sign-up/confirm", body)
}

#[test]
fn wrong_code_is_rejected_and_right_code_stays_valid() {
    let stack = Stack::standard();
    let person = stack.unconfirmed_user();
    let answer = confirm(&stack, &person.username, "000000");
    answer.assert_documented_error(400, "CodeMismatchException");
    assert_eq!(stack.user(&person.username)["status"], "UNCONFIRMED");
    confirm(&stack, &person.username, SIGN_UP_CODE).assert_ok();
}

#[test]
fn second_confirmation_is_rejected() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    let answer = confirm(&stack, &person.username, SIGN_UP_CODE);
    answer.assert_documented_error(401, "NotAuthorizedException");
}
