//! `POST /auth/password/forgot` and `POST /auth/password/change`.

use e2e::{Answer, PASSWORD_CODE, Person, SIGN_UP_CODE, Stack};
use serde_json::json;

fn forgot(stack: &Stack, username: &str) -> Answer {
    stack.post("/password/forgot", json!({ "username": username }))
}

fn change(stack: &Stack, username: &str, password: &str, code: &str) -> Answer {
    let body = json!({ "username": username, "password": password, "confirmationCode": code });
    stack.post("/password/change", body)
}

/// The same person with another password.
fn renewed(person: &Person) -> Person {
    let password = Person::another_password();
    let username = person.username.clone();
    Person { username, password }
}

#[test]
fn password_reset_ends_every_session() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    let username = &person.username;
    let [first, second] = [(); 2].map(|()| stack.tokens_of(&person));
    forgot(&stack, username).assert_ok();
    let renewed = renewed(&person);
    change(&stack, username, &renewed.password, PASSWORD_CODE).assert_ok();
    for tokens in [first, second] {
        let answer = stack.refresh(&tokens.refresh);
        answer.assert_error(401, "NotAuthorizedException");
    }
    let answer = stack.sign_in(&person);
    answer.assert_error(401, "NotAuthorizedException");
    let after = stack.tokens_of(&renewed);
    stack.refresh(&after.refresh).assert_ok();
    // A code works once.
    let answer = change(&stack, username, &person.password, PASSWORD_CODE);
    answer.assert_documented_error(400, "ExpiredCodeException");
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
    let owner = renewed(&stranger);
    change(&stack, username, &owner.password, PASSWORD_CODE).assert_ok();
    for answer in [stack.refresh(&stolen.refresh), stack.sign_in(&stranger)] {
        answer.assert_error(401, "NotAuthorizedException");
    }
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
fn forgot_password_answers_unknown_users_like_known_ones() {
    let stack = Stack::strict();
    let (known, unknown) = (stack.member(), Person::with_email());
    for (person, code) in [(&known, "000000"), (&unknown, PASSWORD_CODE)] {
        forgot(&stack, &person.username).assert_ok();
        let password = Person::another_password();
        change(&stack, &person.username, &password, code)
            .assert_documented_error(400, "CodeMismatchException");
    }
}

/// Imported users have the status of this user, too.
#[test]
fn enabled_hides_that_a_user_must_reset_the_password() {
    let stack = Stack::strict();
    let person = stack.member();
    let username = &person.username;
    stack.cognito_admin("AdminResetUserPassword", json!({ "Username": username }));
    assert_eq!(stack.user(username)["status"], "RESET_REQUIRED");
    let answer = stack.sign_in(&person);
    answer.assert_documented_error(401, "NotAuthorizedException");

    // Nobody is locked out: the reset works.
    forgot(&stack, username).assert_ok();
    let renewed = renewed(&person);
    change(&stack, username, &renewed.password, PASSWORD_CODE).assert_ok();
    stack.sign_in(&renewed).assert_ok();
}
