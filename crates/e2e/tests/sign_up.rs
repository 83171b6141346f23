//! `POST /auth/sign-up`.

use e2e::{Person, Stack};
use serde_json::{Value, json};

fn sign_up_body(person: &Person, attributes: Value) -> Value {
    json!({ "username": person.username, "password": person.password, "userAttributes": attributes })
}

#[test]
fn sign_up_answers_with_the_new_user_and_adds_the_role_s_group() {
    let stack = Stack::standard();
    for (person, role, attribute) in [
        (Person::with_email(), "User", "email"),
        (Person::with_phone(), "Driver", "phone_number"),
    ] {
        let body = stack.sign_up(&person, role).granted();
        let user = stack.user(&person.username);
        assert_eq!(
            body,
            json!({ "id": user["sub"], "username": person.username, "userAttributes": { "role": role } })
        );
        assert_eq!(user["status"], "UNCONFIRMED");
        assert_eq!(user["custom:role"], role);
        assert_eq!(user[attribute], person.username);
        assert_eq!(stack.groups_of(&person.username), [role]);
    }
}

#[test]
fn an_account_that_exists_is_a_conflict_whatever_the_password() {
    let stack = Stack::standard();
    let person = stack.unconfirmed_user();
    stack
        .sign_up(&person, "User")
        .refused(409, "UsernameExistsException");
    let stranger = Person {
        password: Person::another_password(),
        ..person
    };
    stack
        .sign_up(&stranger, "User")
        .refused(409, "UsernameExistsException");
}

#[test]
fn a_password_that_breaks_the_pool_s_policy_is_refused_and_makes_no_user() {
    let stack = Stack::standard();
    for (password, why) in [
        ("Aa1!aaa", "seven characters"),
        ("aa1!aaaa", "no capital letter"),
        ("AA1!AAAA", "no small letter"),
        ("Aaa!aaaa", "no digit"),
        ("Aa1aaaaa", "no symbol"),
    ] {
        let person = Person {
            password: password.to_owned(),
            ..Person::with_email()
        };
        let message = stack
            .sign_up(&person, "User")
            .refused(400, "InvalidPasswordException");
        assert!(
            message.starts_with("Password did not conform with policy: "),
            "{why}: {message}"
        );
        assert!(!stack.has_user(&person.username), "{why}");
    }
}

#[test]
fn a_role_that_skips_confirmation_can_sign_in_and_reset_the_password_at_once() {
    let stack = Stack::standard();
    for (person, verified) in [
        (Person::with_email(), "email_verified"),
        (Person::with_phone(), "phone_number_verified"),
    ] {
        stack.sign_up(&person, "Courier").granted();
        let user = stack.user(&person.username);
        assert_eq!((&*user["status"], &*user[verified]), ("CONFIRMED", "true"));
        let tokens = stack.tokens_of(&person);
        assert_eq!(tokens.access_claims["cognito:groups"], json!(["Courier"]));
        stack
            .post("/password/forgot", json!({ "username": person.username }))
            .granted();
    }
}

#[test]
fn a_role_that_is_missing_is_asked_for() {
    let stack = Stack::standard();
    let person = Person::with_email();
    for attributes in [
        Value::Null,
        json!({}),
        json!({ "role": null }),
        json!({ "role": "" }),
        json!({ "Role": "User" }),
    ] {
        stack
            .post("/sign-up", sign_up_body(&person, attributes))
            .refused_with(
                400,
                "InvalidParameterException",
                "userAttributes.role is required.",
            );
    }
    stack
        .post(
            "/sign-up",
            json!({ "username": person.username, "password": person.password }),
        )
        .refused_with(
            400,
            "InvalidParameterException",
            "userAttributes.role is required.",
        );
    assert!(!stack.has_user(&person.username));
}

#[test]
fn a_role_that_is_not_open_to_this_kind_of_username_is_refused_and_makes_no_user() {
    let stack = Stack::standard();
    let closed = "The role does not exist or is not open to sign-up.";
    for (person, role, message) in [
        (Person::with_email(), "Admin", closed),
        (Person::with_phone(), "Admin", closed),
        (Person::with_email(), "Nobody", closed),
        (Person::with_email(), "user", closed),
        (Person::with_email(), "User,Admin", closed),
        (Person::with_email(), " User", closed),
        (
            Person::with_email(),
            "Driver",
            "The role does not allow sign-up with an email address.",
        ),
        (
            Person::with_phone(),
            "User",
            "The role does not allow sign-up with a phone number.",
        ),
    ] {
        stack
            .sign_up(&person, role)
            .refused_with(400, "InvalidParameterException", message);
        assert!(!stack.has_user(&person.username), "{role:?}");
    }
}

#[test]
fn a_phone_number_outside_the_allowed_prefixes_is_refused_and_makes_no_user() {
    let stack = Stack::standard();
    stack
        .sign_up(&Person::with_phone_in("+1"), "Driver")
        .granted();
    for prefix in ["+44", "+35", "+33"] {
        let person = Person::with_phone_in(prefix);
        stack.sign_up(&person, "Driver").refused_with(
            400,
            "InvalidParameterException",
            "Phone numbers of this country are not accepted.",
        );
        assert!(!stack.has_user(&person.username), "{prefix}");
    }
}

#[test]
fn attributes_other_than_the_role_are_not_the_caller_s_to_give() {
    let stack = Stack::standard();
    let person = Person::with_email();
    let attributes = json!({
        "role": "User", "custom:role": "Admin", "email_verified": "true", "phone_number": "+34999999999",
    });
    let body = stack
        .post("/sign-up", sign_up_body(&person, attributes))
        .granted();
    assert_eq!(body["userAttributes"], json!({ "role": "User" }));
    let user = stack.user(&person.username);
    assert_eq!(user["custom:role"], "User");
    assert_eq!(user.get("phone_number"), None);
    assert_ne!(user.get("email_verified").map(String::as_str), Some("true"));
    assert_eq!(stack.groups_of(&person.username), ["User"]);
}
