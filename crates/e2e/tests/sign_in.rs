//! `POST /auth/sign-in`.

use e2e::{Person, Stack};
use serde_json::json;

#[test]
fn sign_in_rejects_wrong_password() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    for password in [
        Person::another_password(),
        person.password.to_lowercase(),
        format!("{} ", person.password),
        format!("{}\u{0}", person.password),
    ] {
        let answer = stack.sign_in(&Person {
            password,
            ..person.clone()
        });
        answer.assert_documented_error(401, "NotAuthorizedException");
    }
}

#[test]
fn sign_in_says_why_it_rejects_a_user() {
    let stack = Stack::standard();
    let answer = stack.sign_in(&stack.unconfirmed_user());
    answer.assert_documented_error(403, "UserNotConfirmedException");
    let person = stack.confirmed_user();
    let named = json!({ "Username": person.username });
    stack.cognito_admin("AdminResetUserPassword", named.clone());
    let answer = stack.sign_in(&person);
    answer.assert_error(403, "PasswordResetRequiredException");
    stack.cognito_admin("AdminDisableUser", named);
    let answer = stack.sign_in(&person);
    answer.assert_error_with(401, "NotAuthorizedException", "User is disabled.");
}

#[test]
fn sign_in_rejects_unsupported_challenge() {
    let stack = Stack::standard();
    let person = Person::with_email();
    stack.create_user(&person, &[]);
    stack.sign_in(&person).assert_error_with(
        403,
        "UnsupportedChallengeException",
        "Cognito asks for the challenge NEW_PASSWORD_REQUIRED, which this API does not answer.",
    );
}
