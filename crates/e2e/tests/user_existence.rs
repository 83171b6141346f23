//! `UserExistenceErrors`: with `ENABLED`, no answer shows whether a user exists.

use e2e::{Mode, Person, Route, Stack};
use serde_json::json;

#[test]
fn enabled_hides_unknown_users_on_every_route() {
    for stack in [Stack::strict(), Stack::passwordless_strict()] {
        for route in stack.mode().routes() {
            let mut body = route.body();
            body.insert(
                "username".to_owned(),
                json!(Person::of(stack.mode()).username),
            );
            body.insert("userAttributes".to_owned(), json!({ "role": "Nobody" }));
            let answer = stack.post(route.path, body.into());
            let error = &answer.assert_contract()["error"]["type"];
            assert_ne!(error, "UserNotFoundException", "{}", route.path);
        }
    }
}

#[test]
fn legacy_reports_unknown_users_on_every_route() {
    for mode in Mode::BOTH {
        // For another user's session, Cognito reports only the session.
        let reports_user = |route: &Route| {
            route.fields.contains(&"username")
                && !route.fields.contains(&"session")
                && !route.needs_token()
        };
        for route in mode
            .routes()
            .filter(reports_user)
            .filter(|route| route.path != "/sign-up")
        {
            let answer = Stack::of(mode).post(route.path, route.body().into());
            answer.assert_documented_error(404, "UserNotFoundException");
        }
    }
}

#[test]
fn confirmation_shows_users_even_with_enabled() {
    let stack = Stack::strict();
    let confirm = |person: &Person| {
        let body = json!({ "username": person.username, "confirmationCode": "000000" });
        stack.post("/sign-up/confirm", body)
    };
    let (known, unknown) = (stack.member(), Person::with_email());
    confirm(&known).assert_documented_error(401, "NotAuthorizedException");
    confirm(&unknown).assert_documented_error(400, "CodeMismatchException");
}

#[test]
fn sign_in_answers_unknown_user_like_wrong_password() {
    let stack = Stack::strict();
    let (known, unknown) = (stack.member(), Person::with_email());
    for username in [known.username, unknown.username] {
        let password = Person::another_password();
        let answer = stack.sign_in(&Person { username, password });
        answer.assert_documented_error(401, "NotAuthorizedException");
    }
}
