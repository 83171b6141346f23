//! `POST /auth/token/refresh`.

use e2e::{Stack, Tokens};

#[test]
fn refresh_returns_new_tokens_with_and_without_rotation() {
    let (rotating, fixed) = (Stack::standard(), Stack::strict());
    for (stack, person, rotates) in [
        (&rotating, rotating.confirmed_user(), true),
        (&fixed, fixed.member(), false),
    ] {
        let first = stack.tokens_of(&person);
        let second = Tokens::read(stack, &stack.refresh(&first.refresh).assert_ok());
        assert_ne!(second.access, first.access);
        assert_eq!(second.refresh != first.refresh, rotates);
        for claim in ["sub", "cognito:groups"] {
            assert_eq!(second.access_claims[claim], first.access_claims[claim]);
        }
        // The returned token works next time, whether it was rotated or not.
        Tokens::read(stack, &stack.refresh(&second.refresh).assert_ok());
    }
}

#[test]
fn refresh_rejects_all_but_refresh_tokens_of_the_pool() {
    let (stack, other) = (Stack::standard(), Stack::strict());
    let tokens = stack.tokens_of(&stack.confirmed_user());
    let foreign = other.tokens_of(&other.member());
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
        stack
            .refresh(token)
            .assert_documented_error(401, "NotAuthorizedException");
    }
}
