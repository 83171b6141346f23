//! `POST /auth/token/revoke`.

use e2e::{Answer, Stack};
use serde_json::json;

fn revoke(stack: &Stack, token: &str) -> Answer {
    stack.post("/token/revoke", json!({ "accessToken": token }))
}

#[test]
fn sign_out_ends_every_session_of_the_user_and_of_nobody_else() {
    let stack = Stack::standard();
    let (person, bystander) = (stack.confirmed_user(), stack.confirmed_user());
    let (phone, laptop) = (stack.tokens_of(&person), stack.tokens_of(&person));
    let others = stack.tokens_of(&bystander);
    revoke(&stack, &phone.access).assert_ok();
    for tokens in [&phone, &laptop] {
        stack
            .post("/token/refresh", json!({ "refreshToken": tokens.refresh }))
            .assert_error(401, "NotAuthorizedException");
    }
    stack
        .post("/token/refresh", json!({ "refreshToken": others.refresh }))
        .assert_ok();
}

#[test]
fn after_sign_out_the_user_signs_in_again_and_the_token_is_over() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    let old = stack.tokens_of(&person);
    revoke(&stack, &old.access).assert_ok();
    revoke(&stack, &old.access).assert_error(401, "NotAuthorizedException");
    let new = stack.tokens_of(&person);
    stack
        .post("/token/refresh", json!({ "refreshToken": new.refresh }))
        .assert_ok();
    // Of a token that is good, with a changed signature.
    let (rest, signature) = new.access.rsplit_once('.').unwrap();
    let forged = format!("{rest}.{}", signature.chars().rev().collect::<String>());
    revoke(&stack, &forged).assert_error(401, "NotAuthorizedException");
}

#[test]
fn what_is_no_access_token_is_invalid() {
    let stack = Stack::standard();
    let tokens = stack.tokens_of(&stack.confirmed_user());
    for (token, what) in [
        ("nonsense", "a word"),
        ("a.b.c", "three letters"),
        (&tokens.id, "an ID token"),
        (&tokens.refresh, "a refresh token"),
    ] {
        println!("{what}");
        revoke(&stack, token).assert_documented_error(401, "NotAuthorizedException");
    }
}
