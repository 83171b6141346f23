//! `POST /auth/token/revoke`.

use e2e::{Answer, Stack};
use serde_json::json;

fn revoke(stack: &Stack, token: &str) -> Answer {
    stack.post("/token/revoke", json!({ "accessToken": token }))
}

#[test]
fn sign_out_ends_every_session_of_only_this_user() {
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
fn sign_out_revokes_the_token_and_allows_a_new_sign_in() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    let old = stack.tokens_of(&person);
    revoke(&stack, &old.access).assert_ok();
    revoke(&stack, &old.access).assert_error(401, "NotAuthorizedException");
    let new = stack.tokens_of(&person);
    stack
        .post("/token/refresh", json!({ "refreshToken": new.refresh }))
        .assert_ok();
    // A valid token with a changed signature.
    let (rest, signature) = new.access.rsplit_once('.').unwrap();
    let forged = format!("{rest}.{}", signature.chars().rev().collect::<String>());
    revoke(&stack, &forged).assert_error(401, "NotAuthorizedException");
}

#[test]
fn revoke_rejects_all_but_access_tokens() {
    let stack = Stack::standard();
    let tokens = stack.tokens_of(&stack.confirmed_user());
    for (token, kind) in [
        ("nonsense", "a word"),
        ("a.b.c", "three letters"),
        (&tokens.id, "an ID token"),
        (&tokens.refresh, "a refresh token"),
    ] {
        println!("{kind}");
        revoke(&stack, token).assert_documented_error(401, "NotAuthorizedException");
    }
}
