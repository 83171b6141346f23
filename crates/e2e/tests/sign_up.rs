//! `POST /auth/sign-up`.

use e2e::{Person, Stack};
use serde_json::json;

const CLOSED: &str = "The role does not exist or is not open to sign-up.";
const NOT_BY_EMAIL: &str = "The role does not allow sign-up with an email address.";
const NOT_BY_PHONE: &str = "The role does not allow sign-up with a phone number.";

#[test]
fn confirmed_sign_up_has_the_attributes_and_group_of_its_role() {
    let stack = Stack::standard();
    for (person, role) in [
        (Person::with_email(), "User"),
        (Person::with_phone(), "Driver"),
    ] {
        let attribute = person.attribute();
        let body = stack.sign_up(&person, role).assert_ok();
        let user = stack.user(&person.username);
        assert_eq!(
            body,
            json!({ "id": user["sub"], "username": person.username, "userAttributes": { "role": role } })
        );
        assert_eq!(user["status"], "UNCONFIRMED");
        assert_eq!(user[attribute], person.username);
        assert_eq!(stack.groups_of(&person.username), [role]);

        let tokens = stack.tokens_of(&stack.confirm(person.clone()));
        for claims in [&tokens.access_claims, &tokens.id_claims] {
            assert_eq!(claims["sub"], user["sub"]);
            assert_eq!(claims["cognito:groups"], json!([role]));
        }
        assert_eq!(tokens.id_claims["custom:role"], role);
        assert_eq!(tokens.id_claims[attribute], person.username);
    }
}

#[test]
fn sign_up_rejects_existing_username_with_any_password() {
    let stack = Stack::standard();
    let person = stack.unconfirmed_user();
    let stranger = Person {
        password: Person::another_password(),
        ..person.clone()
    };
    for person in [person, stranger] {
        let answer = stack.sign_up(&person, "User");
        answer.assert_error(409, "UsernameExistsException");
    }
}

#[test]
fn sign_up_rejects_passwords_that_break_the_policy() {
    let (standard, strict) = (Stack::standard(), Stack::strict());
    for (stack, role, password, why) in [
        (&standard, "User", "Aa1!aaa", "seven characters"),
        (&standard, "User", "aa1!aaaa", "no capital letter"),
        (&standard, "User", "AA1!AAAA", "no small letter"),
        (&standard, "User", "Aaa!aaaa", "no digit"),
        (&standard, "User", "Aa1aaaaa", "no symbol"),
        (&strict, "Member", "Aa1!aaaaaaa", "eleven characters"),
    ] {
        let mut person = Person::with_email();
        person.password = password.to_owned();
        let answer = stack.sign_up(&person, role);
        let message = answer.assert_error(400, "InvalidPasswordException");
        let expected = "Password did not conform with policy: ";
        assert!(message.starts_with(expected), "{why}: {message}");
        assert!(!stack.has_user(&person.username), "{why}");
    }
    let mut person = Person::with_email();
    person.password = "Aa1!aaaaaaaa".to_owned();
    strict.sign_up(&person, "Member").assert_ok();
}

#[test]
fn role_without_confirmation_signs_in_at_once() {
    let stack = Stack::standard();
    for person in [Person::with_email(), Person::with_phone()] {
        stack.sign_up(&person, "Courier").assert_ok();
        let user = stack.user(&person.username);
        assert_eq!(user["status"], "CONFIRMED");
        assert_eq!(user[&format!("{}_verified", person.attribute())], "true");
        let tokens = stack.tokens_of(&person);
        assert_eq!(tokens.access_claims["cognito:groups"], json!(["Courier"]));
    }
}

#[test]
fn sign_up_rejects_closed_role() {
    let stack = Stack::standard();
    for (person, role, message) in [
        (Person::with_email(), "", "userAttributes.role is required."),
        (Person::with_email(), "Admin", CLOSED),
        (Person::with_phone(), "Admin", CLOSED),
        (Person::with_email(), "User,Admin", CLOSED),
        (Person::with_email(), " User", CLOSED),
        (Person::with_email(), "Driver", NOT_BY_EMAIL),
        (Person::with_phone(), "User", NOT_BY_PHONE),
    ] {
        let answer = stack.sign_up(&person, role);
        answer.assert_error_with(400, "InvalidParameterException", message);
        assert!(!stack.has_user(&person.username), "{role:?}");
    }
}

#[test]
fn sign_up_ignores_attributes_other_than_role() {
    let stack = Stack::standard();
    let person = Person::with_email();
    let attributes = json!({
        "role": "User", "custom:role": "Admin", "email_verified": "true", "phone_number": "+34999999999",
    });
    let Person { username, password } = &person;
    let body = json!({ "username": username, "password": password, "userAttributes": attributes });
    let body = stack.post("/sign-up", body).assert_ok();
    assert_eq!(body["userAttributes"], json!({ "role": "User" }));
    let user = stack.user(&person.username);
    assert_eq!(user["custom:role"], "User");
    assert_eq!(user.get("phone_number"), None);
    assert_ne!(user.get("email_verified").map(String::as_str), Some("true"));
    assert_eq!(stack.groups_of(&person.username), ["User"]);
}
