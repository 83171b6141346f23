//! Request bodies, good and bad, through the real gateway to every route.

use std::collections::BTreeSet;

use e2e::{Answer, ROUTES, Route, Specification, Stack};
use serde_json::{Map, Value, json};

const KIB_16: usize = 16 * 1024;

/// A body with all that the route requires, which comes to nothing: no role is called so.
fn complete(route: &Route) -> Map<String, Value> {
    let mut body = route.body();
    body.insert("userAttributes".to_owned(), json!({ "role": "Nobody" }));
    body
}

fn with(route: &Route, field: &str, value: Value) -> Value {
    let mut body = complete(route);
    body.insert(field.to_owned(), value);
    body.into()
}

fn pascal_case(key: &str) -> String {
    key[..1].to_uppercase() + &key[1..]
}

#[test]
fn a_body_that_is_not_one_json_object_is_refused_on_every_route() {
    for route in ROUTES.iter() {
        let (stack, path) = (Stack::of(route.mode), route.path);
        for body in [
            "",
            "username=nobody",
            "null",
            "\"text\"",
            "[{\"username\":\"nobody@example.com\"}]",
            "{\"username\":\"nobody@example.com\"",
            "{\"username\":\"a\",\"username\":\"b\"}",
        ] {
            println!("{path} {body}");
            let answer = stack.post_bytes(path, body.as_bytes());
            answer.refused_as_documented(400, "SerializationException");
        }
    }
}

/// Checks that a route refuses each of these bodies for the field with this message, and that `openapi.yaml` shows
/// it for one of the fields.
#[track_caller]
fn assert_refuses_fields(
    route: &Route,
    error_type: &str,
    message: impl Fn(&str) -> String,
    bodies: impl Fn(&'static str) -> Vec<Value>,
) {
    let mut messages = BTreeSet::new();
    for field in route.fields {
        let message = message(&pascal_case(field));
        for body in bodies(field) {
            println!("{} {body}", route.path);
            let answer = Stack::of(route.mode).post(route.path, body);
            answer.refused_with(400, error_type, &message);
        }
        messages.insert(message);
    }
    if !messages.is_empty() {
        let shown = Specification::of(route.mode).error_example(route.path, 400, error_type);
        let (path, shown) = (route.path, shown["error"]["message"].as_str().unwrap());
        assert!(
            messages.contains(shown),
            "openapi.yaml shows {shown:?} of {path}, which has {messages:?}"
        );
    }
}

#[test]
fn every_required_field_is_named_when_it_is_missing_null_or_empty() {
    for route in ROUTES.iter() {
        let message = |name: &str| format!("Missing required key '{name}' in params");
        assert_refuses_fields(route, "MissingRequiredParameter", message, |field| {
            let mut without = complete(route);
            without.remove(field);
            // The fields are looked at in their order.
            let mut without_later = without.clone();
            let later = route.fields.iter().skip_while(|name| **name != field);
            later.for_each(|name| drop(without_later.remove(*name)));
            let values = [Value::Null, json!("")].map(|value| with(route, field, value));
            let missing = [without.into(), without_later.into()];
            values.into_iter().chain(missing).collect()
        });
    }
}

#[test]
fn a_field_of_another_json_type_is_refused_on_every_route() {
    let values = [json!(1), json!(true), json!(["a"]), json!({ "a": "b" })];
    for route in ROUTES.iter() {
        let message = |name: &str| format!("Expected params.{name} to be a string");
        assert_refuses_fields(route, "InvalidParameterType", message, |field| {
            let values = values.iter();
            values
                .map(|value| with(route, field, value.clone()))
                .collect()
        });
    }
    let stack = Stack::standard();
    let an_object = "Expected params.UserAttributes to be an object";
    let a_string = "Expected params.Role to be a string";
    for (attributes, message) in [
        (json!("User"), an_object),
        (json!(["User"]), an_object),
        (json!({ "role": 1 }), a_string),
        (json!({ "role": ["User"] }), a_string),
    ] {
        let body = json!({ "username": "nobody@example.com", "password": "Secret!1", "userAttributes": attributes });
        stack
            .post("/sign-up", body)
            .refused_with(400, "InvalidParameterType", message);
    }
}

#[test]
fn a_username_that_is_neither_an_email_address_nor_a_phone_number_is_refused_on_every_route() {
    let has_username = |route: &&Route| route.fields.contains(&"username");
    for route in ROUTES.iter().filter(has_username) {
        for username in [
            "nobody",
            "nobody@localhost",
            " nobody@example.com",
            "+34 999 999 999",
            "0034999999999",
        ] {
            println!("{} {username:?}", route.path);
            let answer =
                Stack::of(route.mode).post(route.path, with(route, "username", json!(username)));
            answer.refused_with(
                400,
                "InvalidParameterException",
                "Username should be an email address or a phone number in E.164 format, such as +34999999999.",
            );
        }
    }
}

#[test]
fn a_body_is_read_up_to_16_kib_and_not_a_byte_further() {
    for route in ROUTES.iter() {
        let stack = Stack::of(route.mode);
        let answer = |size: usize| {
            let mut body = Value::from(complete(route)).to_string().into_bytes();
            body.resize(size, b' ');
            stack.post_bytes(route.path, &body)
        };
        println!("{}", route.path);
        answer(KIB_16 + 1).refused_as_documented(413, "RequestEntityTooLargeException");
        assert_was_read(&answer(KIB_16));
    }
}

#[test]
fn fields_that_nobody_asks_for_are_ignored_on_every_route() {
    for route in ROUTES.iter() {
        let mut body = complete(route);
        body.insert("__proto__".to_owned(), json!({ "role": "Admin" }));
        body.insert("nested".to_owned(), json!([[[{ "a": [1, null, true] }]]]));
        body.insert("Username".to_owned(), json!(1));
        println!("{}", route.path);
        assert_was_read(&Stack::of(route.mode).post(route.path, Value::Object(body)));
    }
}

/// What is wrong with the request is what it says: it names nobody and nothing.
#[track_caller]
fn assert_was_read(answer: &Answer) {
    let unread = [
        "SerializationException",
        "MissingRequiredParameter",
        "InvalidParameterType",
        "RequestEntityTooLargeException",
    ];
    let error = &answer.kept()["error"]["type"];
    assert!(answer.status < 500, "{answer:?}");
    assert!(!unread.iter().any(|unread| error == unread), "{answer:?}");
}

#[test]
fn letters_beyond_ascii_come_through_the_gateway_unharmed() {
    let stack = Stack::standard();
    let person = e2e::Person {
        password: "Contraseña-2🚀 más".to_owned(),
        ..e2e::Person::with_email()
    };
    stack.sign_up(&person, "Courier").granted();
    stack.tokens_of(&person);
}
