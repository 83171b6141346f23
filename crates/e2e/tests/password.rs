//! `POST /auth/password/forgot` and `POST /auth/password/change`.

use e2e::{Answer, PASSWORD_CODE, Person, SIGN_UP_CODE, Stack, Tokens};
use serde_json::json;

fn forgot(stack: &Stack, username: &str) -> Answer {
    stack.post("/password/forgot", json!({ "username": username }))
}

fn change(stack: &Stack, username: &str, password: &str, code: &str) -> Answer {
    let body = json!({ "username": username, "password": password, "confirmationCode": code });
    stack.post("/password/change", body)
}

fn refresh(stack: &Stack, tokens: &Tokens) -> Answer {
    stack.post("/token/refresh", json!({ "refreshToken": tokens.refresh }))
}

#[test]
fn forgotten_password_is_replaced_with_the_code() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    let username = &person.username;
    forgot(&stack, username).assert_ok();
    let renewed = Person {
        password: Person::another_password(),
        ..person.clone()
    };
    change(&stack, username, &renewed.password, PASSWORD_CODE).assert_ok();
    stack.tokens_of(&renewed);
    stack
        .sign_in(&person)
        .assert_error(401, "NotAuthorizedException");
    // A code works once.
    change(&stack, username, &person.password, PASSWORD_CODE)
        .assert_documented_error(400, "ExpiredCodeException");
}

#[test]
fn password_reset_ends_every_session() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    let [first, second] = [(); 2].map(|()| stack.tokens_of(&person));
    forgot(&stack, &person.username).assert_ok();
    let renewed = Person {
        password: Person::another_password(),
        ..person
    };
    change(&stack, &renewed.username, &renewed.password, PASSWORD_CODE).assert_ok();
    for tokens in [first, second] {
        refresh(&stack, &tokens).assert_error(401, "NotAuthorizedException");
    }
    let after = stack.tokens_of(&renewed);
    refresh(&stack, &after).assert_ok();
}

/// The steps of SECURITY.md: the owner confirms, then resets the password.
#[test]
fn owner_recovers_an_address_that_a_stranger_signed_up_with() {
    let stack = Stack::standard();
    let stranger = Person::with_email();
    stack.sign_up(&stranger, "User").assert_ok();
    let username = &stranger.username;
    let body = json!({ "username": username });
    stack.post("/sign-up/resend-code", body).assert_ok();
    let body = json!({ "username": username, "confirmationCode": SIGN_UP_CODE });
    stack.post("/sign-up/confirm", body).assert_ok();
    // The stranger still knows the password.
    let stolen = stack.tokens_of(&stranger);
    forgot(&stack, username).assert_ok();
    let owner = Person {
        password: Person::another_password(),
        ..stranger.clone()
    };
    change(&stack, username, &owner.password, PASSWORD_CODE).assert_ok();
    refresh(&stack, &stolen).assert_error(401, "NotAuthorizedException");
    stack
        .sign_in(&stranger)
        .assert_error(401, "NotAuthorizedException");
    stack.tokens_of(&owner);
}

#[test]
fn role_without_confirmation_can_reset_the_password() {
    let stack = Stack::standard();
    for person in [Person::with_email(), Person::with_phone()] {
        stack.sign_up(&person, "Courier").assert_ok();
        forgot(&stack, &person.username).assert_ok();
    }
}

#[test]
fn password_reset_rejects_wrong_and_unrequested_codes() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    let change = |code: &str| change(&stack, &person.username, &Person::another_password(), code);
    change(PASSWORD_CODE).assert_documented_error(400, "ExpiredCodeException");
    forgot(&stack, &person.username).assert_ok();
    change("000000").assert_documented_error(400, "CodeMismatchException");
    stack.tokens_of(&person);
}

#[test]
fn reset_code_stays_valid_after_a_rejected_password() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    forgot(&stack, &person.username).assert_ok();
    let change = |password: &str| change(&stack, &person.username, password, PASSWORD_CODE);
    change("password").assert_error(400, "InvalidPasswordException");
    change(&Person::another_password()).assert_ok();
}

#[test]
fn forgot_password_answers_unknown_users_like_known_ones() {
    let stack = Stack::strict();
    let (known, unknown) = (Person::with_email(), Person::with_email());
    stack.sign_up(&known, "Member").assert_ok();
    for (person, code) in [(&known, "000000"), (&unknown, PASSWORD_CODE)] {
        forgot(&stack, &person.username).assert_ok();
        let password = Person::another_password();
        change(&stack, &person.username, &password, code)
            .assert_documented_error(400, "CodeMismatchException");
    }
}
