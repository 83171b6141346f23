//! `POST /auth/token/refresh`.

use e2e::{Answer, Person, Stack, Tokens};
use serde_json::json;

fn refresh(stack: &Stack, token: &str) -> Answer {
    stack.post("/token/refresh", json!({ "refreshToken": token }))
}

fn member(stack: &Stack) -> Person {
    let person = Person::with_email();
    stack.sign_up(&person, "Member").assert_ok();
    person
}

#[test]
fn refresh_returns_new_tokens_with_and_without_rotation() {
    let (rotating, fixed) = (Stack::standard(), Stack::strict());
    for (stack, person, rotates) in [
        (&rotating, rotating.confirmed_user(), true),
        (&fixed, member(&fixed), false),
    ] {
        let first = stack.tokens_of(&person);
        let second = Tokens::read(stack, &refresh(stack, &first.refresh).assert_ok());
        assert_ne!(second.access, first.access);
        assert!(rotates || second.refresh == first.refresh);
        for claim in ["sub", "cognito:groups"] {
            assert_eq!(second.access_claims[claim], first.access_claims[claim]);
        }
        // The returned token works next time, whether it was rotated or not.
        Tokens::read(stack, &refresh(stack, &second.refresh).assert_ok());
    }
}

#[test]
fn refresh_rejects_all_but_refresh_tokens_of_the_pool() {
    let (stack, other) = (Stack::standard(), Stack::strict());
    let tokens = stack.tokens_of(&stack.confirmed_user());
    let foreign = other.tokens_of(&member(&other));
    let middle = tokens.refresh.len() / 2;
    let mut forged = tokens.refresh.clone().into_bytes();
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    for (token, kind) in [
        ("nonsense", "a word"),
        (&tokens.access, "an access token"),
        (&tokens.id, "an ID token"),
        (&foreign.refresh, "another pool's"),
        (&forged, "one with a changed character"),
    ] {
        println!("{kind}");
        refresh(&stack, token).assert_documented_error(401, "NotAuthorizedException");
    }
}
