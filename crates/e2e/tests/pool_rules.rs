//! The rules for direct calls of Cognito's public operations with the client's id.

use e2e::{Person, Stack};
use serde_json::{Value, json};

#[test]
fn pool_rejects_direct_sign_ups_that_break_the_rules() {
    let stack = Stack::standard();
    let (email, phone) = (Person::with_email(), Person::with_phone());
    let abroad = Person::with_phone_in("+44");
    let closed = "The role does not exist or is not open to sign-up.";
    let not_by_phone = "The role does not allow sign-up with a phone number.";
    let one_contact = "Sign up with either an email address or a phone number.";
    let country = "Phone numbers of this country are not accepted.";
    for (person, role, more, message) in [
        (&email, "Admin", None, closed),
        (&phone, "User", None, not_by_phone),
        // Would send a message to a phone number that the role can't sign up with.
        (&email, "User", Some(&phone), one_contact),
        // Would verify a stranger's number or address, because the role skips confirmation.
        (&email, "Courier", Some(&phone), one_contact),
        (&phone, "Courier", Some(&email), one_contact),
        (&abroad, "Courier", None, country),
    ] {
        let more = more.map(|other: &Person| (other.attribute(), &*other.username));
        let attributes: Vec<_> = more.into_iter().chain([("custom:role", role)]).collect();
        let answer = stack.sign_up_directly(person, &attributes);
        assert_eq!(answer.status, 400, "{attributes:?}: {answer:?}");
        let body = answer.json();
        assert_eq!(body["__type"], "UserLambdaValidationException", "{body}");
        let text = body["message"].as_str().unwrap();
        assert!(text.contains(message), "{attributes:?}: {text}");
        assert!(!stack.has_user(&person.username), "{attributes:?}");
    }
    let answer = stack.sign_up_directly(&email, &[("custom:role", "User")]);
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn cognito_rejects_changes_of_role_and_verified_flags() {
    for stack in [Stack::standard(), Stack::passwordless()] {
        let person = stack.confirmed_user();
        let access = stack.tokens_of(&person).access;
        let update = |name: &str, value: &str| {
            let body = json!({
                "AccessToken": access, "UserAttributes": [{ "Name": name, "Value": value }],
            });
            stack.cognito_public("UpdateUserAttributes", body)
        };
        for (name, value, code) in [
            ("custom:role", "Admin", "InvalidParameterException"),
            ("email_verified", "true", "NotAuthorizedException"),
            ("phone_number_verified", "true", "NotAuthorizedException"),
        ] {
            let before = stack.user(&person.username);
            let answer = update(name, value);
            assert_eq!(answer.status, 400, "{name}: {answer:?}");
            assert_eq!(answer.json()["__type"], code, "{name}");
            assert_eq!(stack.user(&person.username), before, "{name}");
        }
        // An attribute that the client may write is accepted, so the token is valid.
        let answer = update("phone_number", &Person::with_phone().username);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[test]
fn contact_changes_refused_sends_no_code() {
    for stack in [Stack::strict(), Stack::passwordless_strict()] {
        let (person, other) = (stack.member(), Person::of(stack.mode()));
        let access = stack.tokens_of(&person).access;
        let before = stack.user(&person.username);
        let contact = json!({ "Name": other.attribute(), "Value": other.username });
        let body = json!({ "AccessToken": access, "UserAttributes": [contact] });
        let answer = stack.cognito_public("UpdateUserAttributes", body);
        assert_eq!(answer.status, 400, "{answer:?}");
        let error = answer.json();
        assert_eq!(error["__type"], "UserLambdaValidationException");
        let text = error["message"].as_str().unwrap();
        assert!(text.contains("can't be changed"), "{text}");
        assert_eq!(stack.user(&person.username), before);
    }
}

#[test]
fn contact_changes_refused_still_allows_deletion() {
    let stack = Stack::strict();
    let delete = |person: &Person, operation: &str, mut contact: Value| {
        contact["AccessToken"] = stack.tokens_of(person).access.into();
        stack.cognito_public(operation, contact)
    };
    let blank = json!({ "UserAttributes": [{ "Name": "email", "Value": "" }] });
    let named = json!({ "UserAttributeNames": ["email"] });
    for (operation, contact) in [
        ("UpdateUserAttributes", blank),
        ("DeleteUserAttributes", named),
    ] {
        let person = stack.member();
        let answer = delete(&person, operation, contact);
        assert_eq!(answer.status, 200, "{operation}: {answer:?}");
        assert!(!stack.has_user(&person.username), "{operation}");
    }
}

#[test]
fn administrator_assigns_any_role() {
    let stack = Stack::standard();
    let person = Person::with_email();
    let username = &*person.username;
    stack.create_user(&person, &[("custom:role", "Admin")]);
    assert_eq!(stack.user(username)["custom:role"], "Admin");
}
