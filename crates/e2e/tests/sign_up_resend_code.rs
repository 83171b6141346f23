//! `POST /auth/sign-up/resend-code`.

use e2e::{Person, SIGN_UP_CODE, Stack};
use serde_json::json;

fn resend(stack: &Stack, username: &str) -> e2e::Answer {
    stack.post("/sign-up/resend-code", json!({ "username": username }))
}

#[test]
fn a_user_who_is_not_confirmed_gets_another_code_that_is_good() {
    let stack = Stack::standard();
    for (person, role) in [
        (Person::with_email(), "User"),
        (Person::with_phone(), "Driver"),
    ] {
        stack.sign_up(&person, role).granted();
        let username = &person.username;
        resend(&stack, username).granted();
        let confirmation = json!({ "username": username, "confirmationCode": SIGN_UP_CODE });
        stack.post("/sign-up/confirm", confirmation).granted();
    }
}
