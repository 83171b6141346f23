//! The signed-in user's own account: `POST /auth/account` and the routes below it.

use std::time::Duration;

use e2e::{Answer, Mode, Person, ROUTES, Stack, Tokens};
use serde_json::json;

fn account(stack: &Stack, token: &str) -> Answer {
    stack.post_as(token, "/account", json!({}))
}

fn change(stack: &Stack, token: &str, old: &str, new: &str) -> Answer {
    let body = json!({ "password": old, "newPassword": new });
    stack.post_as(token, "/account/password", body)
}

fn delete(stack: &Stack, token: &str, username: &str) -> Answer {
    stack.post_as(token, "/account/delete", json!({ "username": username }))
}

/// A new user, signed in.
fn signed_in(stack: &Stack) -> (Person, Tokens) {
    let person = stack.confirmed_user();
    let tokens = stack.tokens_of(&person);
    (person, tokens)
}

#[test]
fn account_returns_only_the_callers_data() {
    for mode in Mode::BOTH {
        let stack = Stack::of(mode);
        let (person, tokens) = signed_in(&stack);
        signed_in(&stack);
        let contact = match mode {
            Mode::UserPassword => {
                json!({ "role": "User", "email": person.username, "emailVerified": true })
            }
            Mode::Passwordless => {
                json!({ "role": "User", "phoneNumber": person.username, "phoneNumberVerified": true })
            }
        };
        let expected = json!({
            "id": tokens.access_claims["sub"],
            "username": person.username,
            "userAttributes": contact,
            "roles": ["User"],
        });
        assert_eq!(account(&stack, &tokens.access).assert_ok(), expected);
        // The body may be missing.
        let answer = stack.post_with(&[&tokens.access], "/account", b"");
        assert_eq!(answer.assert_ok(), expected);
    }
}

#[test]
fn account_routes_require_one_access_token() {
    for route in ROUTES.iter().filter(|route| route.needs_token()) {
        let stack = Stack::of(route.mode);
        let (_, tokens) = signed_in(&stack);
        let assert_missing = |answer: Answer| {
            answer.assert_error_with(401, "NotAuthorizedException", "Access Token is missing");
            // API Gateway renames `WWW-Authenticate`.
            let challenge = answer.header("x-amzn-remapped-www-authenticate");
            assert_eq!(challenge, Some("Bearer"), "{answer:?}");
        };
        assert_missing(stack.post(route.path, json!({})));
        let twice = [&*tokens.access, &tokens.access];
        assert_missing(stack.post_with(&twice, route.path, b"{}"));
        for value in ["", &tokens.access, &format!("Basic {}", tokens.access)] {
            let headers = [("authorization", value)];
            assert_missing(stack.send_with("POST", route.path, headers, b"{}"));
        }
    }
}

#[test]
fn routes_reject_all_but_access_tokens_of_the_pool() {
    let (stack, other) = (Stack::standard(), Stack::strict());
    let (_, own) = signed_in(&stack);
    let member = other.member();
    let foreign = other.tokens_of(&member);
    let (rest, signature) = own.access.rsplit_once('.').unwrap();
    let forged = format!("{rest}.{}", signature.chars().rev().collect::<String>());
    for (token, kind) in [
        (&foreign.access, "another pool's"),
        (&own.id, "an ID token"),
        (&own.refresh, "a refresh token"),
        (&forged, "a changed signature"),
        (&"a.b.c".to_owned(), "three letters"),
    ] {
        println!("{kind}");
        account(&stack, token).assert_error(401, "NotAuthorizedException");
        delete(&stack, token, &member.username).assert_error(401, "NotAuthorizedException");
        let revoked = stack.post("/token/revoke", json!({ "accessToken": token }));
        revoked.assert_error(401, "NotAuthorizedException");
    }
    let revoked = stack.post("/token/revoke", json!({ "accessToken": own.id }));
    revoked.assert_documented_error(401, "NotAuthorizedException");
    account(&other, &foreign.access).assert_ok();
    account(&stack, &own.access).assert_ok();
    // Cognito checks the client of a refresh token: another client's token does not end its session.
    let body = json!({ "refreshToken": foreign.refresh });
    let answer = stack.post("/token/revoke", body);
    answer.assert_documented_error(401, "UnauthorizedException");
    other.refresh(&foreign.refresh).assert_ok();
}

#[test]
fn password_change_ends_every_session() {
    let stack = Stack::standard();
    let (person, tokens) = signed_in(&stack);
    let laptop = stack.tokens_of(&person);
    let password = Person::another_password();
    change(&stack, &tokens.access, &person.password, &password).assert_ok();
    for tokens in [&tokens, &laptop] {
        stack
            .refresh(&tokens.refresh)
            .assert_error(401, "NotAuthorizedException");
        account(&stack, &tokens.access).assert_error(401, "NotAuthorizedException");
    }
    let answer = stack.sign_in(&person);
    answer.assert_error(401, "NotAuthorizedException");
    let tokens = stack.tokens_of(&Person { password, ..person });
    account(&stack, &tokens.access).assert_ok();
}

#[test]
fn rejected_password_change_keeps_password_and_session() {
    let stack = Stack::standard();
    let (person, tokens) = signed_in(&stack);
    let (wrong, new) = (Person::another_password(), Person::another_password());
    let answer = change(&stack, &tokens.access, &wrong, &new);
    answer.assert_documented_error(401, "NotAuthorizedException");
    let answer = change(&stack, &tokens.access, &person.password, "password");
    answer.assert_error(400, "InvalidPasswordException");
    let answer = change(&stack, &tokens.access, &person.password, &"a".repeat(257));
    answer.assert_error(400, "InvalidParameterException");
    account(&stack, &tokens.access).assert_ok();
    stack.refresh(&tokens.refresh).assert_ok();
    stack.tokens_of(&person);
}

#[test]
fn revoking_a_refresh_token_ends_only_its_session() {
    for mode in Mode::BOTH {
        let stack = Stack::of(mode);
        let (person, phone) = signed_in(&stack);
        if mode == Mode::Passwordless {
            let sub = phone.access_claims["sub"].as_str().unwrap();
            stack.let_time_pass(sub, 60);
        }
        let laptop = stack.tokens_of(&person);
        let body = json!({ "refreshToken": phone.refresh });
        let answer = stack.post("/token/revoke", body).assert_ok();
        assert_eq!(answer, json!({ "message": "Signed out" }));
        stack
            .refresh(&phone.refresh)
            .assert_error(401, "NotAuthorizedException");
        account(&stack, &phone.access).assert_error(401, "NotAuthorizedException");
        account(&stack, &laptop.access).assert_ok();
        stack.refresh(&laptop.refresh).assert_ok();
        let both = json!({ "accessToken": laptop.access, "refreshToken": laptop.refresh });
        let answer = stack.post("/token/revoke", both);
        answer.assert_documented_error(400, "InvalidParameterException");
        account(&stack, &laptop.access).assert_ok();
    }
}

#[test]
fn deleted_account_frees_its_username_without_its_roles() {
    for mode in Mode::BOTH {
        let stack = Stack::of(mode);
        let (person, _) = signed_in(&stack);
        let admin = json!({ "Username": person.username, "GroupName": "Admin" });
        stack.cognito_admin("AdminAddUserToGroup", admin);
        if mode == Mode::Passwordless {
            stack.let_time_pass(&stack.user(&person.username)["sub"], 60);
        }
        let tokens = stack.tokens_of(&person);
        let roles = account(&stack, &tokens.access).assert_ok()["roles"].take();
        assert!(
            roles.as_array().unwrap().contains(&json!("Admin")),
            "{roles}"
        );

        let nobody = Person::of(mode).username;
        let answer = delete(&stack, &tokens.access, &nobody);
        answer.assert_documented_error(400, "InvalidParameterException");
        account(&stack, &tokens.access).assert_ok();

        let answer = delete(&stack, &tokens.access, &person.username.to_uppercase());
        assert_eq!(
            answer.assert_ok(),
            json!({ "message": "Your account has been deleted." })
        );
        assert!(!stack.has_user(&person.username));
        let assert_revoked = |answer: Answer| answer.assert_error(401, "NotAuthorizedException");
        assert_revoked(account(&stack, &tokens.access));
        assert_revoked(delete(&stack, &tokens.access, &person.username));
        let answer = stack.refresh(&tokens.refresh);
        assert!([401, 404].contains(&answer.status), "{answer:?}");
        stack
            .sign_in(&person)
            .assert_error(404, "UserNotFoundException");

        let body = stack.sign_up(&person, "User").assert_ok();
        assert_ne!(body["id"], tokens.access_claims["sub"]);
        let code = json!({ "username": person.username, "confirmationCode": e2e::SIGN_UP_CODE });
        stack.post("/sign-up/confirm", code).assert_ok();
        let new = stack.tokens_of(&person);
        let account = account(&stack, &new.access).assert_ok();
        assert_eq!(account["roles"], json!(["User"]));
        assert_eq!(account["id"], body["id"]);
        assert_eq!(stack.groups_of(&person.username), ["User"]);
    }
}

#[test]
fn account_deletion_rejects_a_stale_sign_in() {
    std::thread::scope(|scope| {
        // These stacks need a sign-in of the last minute.
        for stack in [Stack::strict(), Stack::passwordless_strict()] {
            scope.spawn(move || {
                let person = stack.member();
                let old = stack.tokens_of(&person);
                std::thread::sleep(Duration::from_secs(61));
                // A refresh keeps the time of the sign-in.
                let renewed = Tokens::read(&stack, &stack.refresh(&old.refresh).assert_ok());
                for token in [&old.access, &renewed.access] {
                    let answer = delete(&stack, token, &person.username);
                    answer.assert_documented_error(403, "ReauthenticationRequiredException");
                }
                assert!(stack.has_user(&person.username));
                let new = stack.tokens_of(&person);
                delete(&stack, &new.access, &person.username).assert_ok();
                assert!(!stack.has_user(&person.username));
            });
        }
    });
}
