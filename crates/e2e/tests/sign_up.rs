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
    let stranger = Person {
        password: Person::another_password(),
        ..person.clone()
    };
    for person in [person, stranger] {
        let answer = stack.sign_up(&person, "User");
        answer.refused(409, "UsernameExistsException");
    }
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
fn the_stacks_own_password_length_holds() {
    let stack = Stack::strict();
    for (password, refused) in [("Aa1!aaaaaaa", true), ("Aa1!aaaaaaaa", false)] {
        let person = Person {
            password: password.to_owned(),
            ..Person::with_email()
        };
        let answer = stack.sign_up(&person, "Member");
        match refused {
            true => drop(answer.refused(400, "InvalidPasswordException")),
            false => drop(answer.granted()),
        }
    }
}

#[test]
fn a_role_that_skips_confirmation_can_sign_in_at_once() {
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
    }
}

#[test]
fn a_role_that_is_missing_is_asked_for() {
    let stack = Stack::standard();
    let person = Person::with_email();
    let mut without = sign_up_body(&person, Value::Null);
    without.as_object_mut().unwrap().remove("userAttributes");
    let with = [
        Value::Null,
        json!({}),
        json!({ "role": null }),
        json!({ "role": "" }),
        json!({ "Role": "User" }),
    ];
    let with = with.map(|attributes| sign_up_body(&person, attributes));
    for body in with.into_iter().chain([without]) {
        stack.post("/sign-up", body).refused_with(
            400,
            "InvalidParameterException",
            "userAttributes.role is required.",
        );
    }
    assert!(!stack.has_user(&person.username));
}

#[test]
fn a_role_that_is_not_open_to_this_kind_of_username_is_refused_and_makes_no_user() {
    let stack = Stack::standard();
    for (person, role, kind) in [
        (Person::with_email(), "Admin", None),
        (Person::with_phone(), "Admin", None),
        (Person::with_email(), "Nobody", None),
        (Person::with_email(), "user", None),
        (Person::with_email(), "User,Admin", None),
        (Person::with_email(), " User", None),
        (Person::with_email(), "Driver", Some("an email address")),
        (Person::with_phone(), "User", Some("a phone number")),
    ] {
        let answer = stack.sign_up(&person, role);
        match kind {
            None => answer.refused_as_documented(400, "InvalidParameterException"),
            Some(kind) => answer.refused_with(
                400,
                "InvalidParameterException",
                &format!("The role does not allow sign-up with {kind}."),
            ),
        }
        assert!(!stack.has_user(&person.username), "{role:?}");
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
