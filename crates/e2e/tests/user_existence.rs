//! `UserExistenceErrors=ENABLED`: nobody learns from the API who has an account.

use e2e::{PASSWORD_CODE, Person, Stack};
use serde_json::{Value, json};

/// The answers to someone who has an account and to someone who has none, with the names taken out.
#[track_caller]
fn assert_same_answer(stack: &Stack, route: &str, body: impl Fn(&Person) -> Value) {
    let known = Person::with_email();
    stack.sign_up(&known, "Member").granted();
    let unknown = Person::with_email();
    let [to_known, to_unknown] = [&known, &unknown].map(|person| {
        let stranger = Person {
            password: Person::another_password(),
            ..person.clone()
        };
        let answer = stack.post(route, body(&stranger));
        (answer.status, answer.text.replace(&person.username, "…"))
    });
    assert_eq!(to_known, to_unknown, "{route}");
}

#[test]
fn sign_in_answers_an_unknown_user_as_a_wrong_password() {
    let stack = Stack::strict();
    assert_same_answer(
        &stack,
        "/sign-in",
        |person| json!({ "username": person.username, "password": person.password }),
    );
    stack.sign_in(&Person::with_email()).refused_with(
        401,
        "NotAuthorizedException",
        "Incorrect username or password.",
    );
}

#[test]
fn forgot_answers_an_unknown_user_as_a_known_one() {
    let stack = Stack::strict();
    assert_same_answer(
        &stack,
        "/password/forgot",
        |person| json!({ "username": person.username }),
    );
    let nobody = Person::with_email().username;
    stack
        .post("/password/forgot", json!({ "username": nobody }))
        .granted();
}

#[test]
fn change_answers_an_unknown_user_as_a_wrong_code() {
    let stack = Stack::strict();
    let known = Person::with_email();
    stack.sign_up(&known, "Member").granted();
    stack
        .post("/password/forgot", json!({ "username": known.username }))
        .granted();
    for (person, code) in [(&known, "000000"), (&Person::with_email(), PASSWORD_CODE)] {
        let body = json!({
            "username": person.username,
            "password": Person::another_password(),
            "confirmationCode": code,
        });
        stack.post("/password/change", body).refused_with(
            400,
            "CodeMismatchException",
            "Invalid verification code provided, please try again.",
        );
    }
}

#[test]
fn confirm_and_resend_do_not_tell_an_unknown_user_either() {
    let stack = Stack::strict();
    let nobody = Person::with_email().username;
    stack
        .post(
            "/sign-up/confirm",
            json!({ "username": nobody, "confirmationCode": "000000" }),
        )
        .refused(400, "CodeMismatchException");
    stack
        .post("/sign-up/resend-code", json!({ "username": nobody }))
        .granted();
}

#[test]
fn the_stack_s_own_password_length_holds() {
    let stack = Stack::strict();
    let with_password = |password: &str| Person {
        password: password.to_owned(),
        ..Person::with_email()
    };
    stack
        .sign_up(&with_password("Aa1!aaaaaaa"), "Member")
        .refused(400, "InvalidPasswordException");
    stack
        .sign_up(&with_password("Aa1!aaaaaaaa"), "Member")
        .granted();
}
