//! `POST /auth/sign-in`.

use e2e::Stack;
use serde_json::json;

#[test]
fn a_confirmed_user_gets_tokens_that_the_stack_s_keys_verify() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    let tokens = stack.tokens_of(&person);
    assert_eq!(tokens.access_claims["cognito:groups"], json!(["User"]));
    assert_eq!(tokens.id_claims["cognito:groups"], json!(["User"]));
    assert_eq!(tokens.id_claims["custom:role"], "User");
    assert_eq!(tokens.id_claims["email"], person.username);
}
