//! Request bodies, good and bad, through the real gateway to every route.

use e2e::{Answer, ROUTES, Route, Stack};
use serde_json::{Map, Value, json};

const KIB_16: usize = 16 * 1024;

/// A body with all that the route requires, which comes to nothing: no role is called so.
fn complete(route: &Route) -> Map<String, Value> {
    let mut body = route.body();
    body.insert("userAttributes".to_owned(), json!({ "role": "Nobody" }));
    body
}

fn pascal_case(key: &str) -> String {
    key[..1].to_uppercase() + &key[1..]
}

#[test]
fn a_body_that_is_not_one_json_object_is_refused_on_every_route() {
    for route in ROUTES {
        let (stack, path) = (Stack::of(route.mode), route.path);
        let twice = format!("{{\"{0}\":\"a\",\"{0}\":\"b\"}}", route.fields[0]);
        for (body, what) in [
            ("", "nothing"),
            ("username=nobody", "a form"),
            ("null", "null"),
            ("\"text\"", "a string"),
            ("[{\"username\":\"nobody@example.com\"}]", "an array"),
            ("{\"username\":\"nobody@example.com\"", "cut short"),
            (&twice, "a key twice"),
        ] {
            let answer = stack.post_bytes(path, body.as_bytes());
            assert_eq!(
                answer.refused(400, "SerializationException"),
                "The request body must be one JSON object in UTF-8, with each key once.",
                "{path}: {what}"
            );
        }
    }
}

#[test]
fn every_required_field_is_named_when_it_is_missing_null_or_empty() {
    for route in ROUTES {
        let (stack, path) = (Stack::of(route.mode), route.path);
        for key in route.fields {
            let bodies = [None, Some(Value::Null), Some(json!(""))].map(|value| {
                let mut body = complete(&route);
                body.remove(*key);
                body.extend(value.map(|value| ((*key).to_owned(), value)));
                Value::Object(body)
            });
            for body in bodies {
                let message = format!("Missing required key '{}' in params", pascal_case(key));
                let answer = stack.post(path, body.clone());
                assert_eq!(
                    answer.refused(400, "MissingRequiredParameter"),
                    message,
                    "{path} {body}"
                );
            }
        }
    }
}

#[test]
fn a_field_of_another_json_type_is_refused_on_every_route() {
    for route in ROUTES {
        let (stack, path) = (Stack::of(route.mode), route.path);
        for key in route.fields {
            for value in [json!(1), json!(true), json!(["a"]), json!({ "a": "b" })] {
                let mut body = complete(&route);
                body.insert((*key).to_owned(), value.clone());
                let message = format!("Expected params.{} to be a string", pascal_case(key));
                let answer = stack.post(path, Value::Object(body));
                assert_eq!(
                    answer.refused(400, "InvalidParameterType"),
                    message,
                    "{path} {key} {value}"
                );
            }
        }
    }
    let stack = Stack::standard();
    for (attributes, message) in [
        (
            json!("User"),
            "Expected params.UserAttributes to be an object",
        ),
        (
            json!(["User"]),
            "Expected params.UserAttributes to be an object",
        ),
        (json!({ "role": 1 }), "Expected params.Role to be a string"),
        (
            json!({ "role": ["User"] }),
            "Expected params.Role to be a string",
        ),
    ] {
        let body = json!({ "username": "nobody@example.com", "password": "Secret!1", "userAttributes": attributes });
        stack
            .post("/sign-up", body)
            .refused_with(400, "InvalidParameterType", message);
    }
}

#[test]
fn a_username_that_is_neither_an_email_address_nor_a_phone_number_is_refused_on_every_route() {
    for route in ROUTES {
        let (stack, path) = (Stack::of(route.mode), route.path);
        if route.fields[0] != "username" {
            continue;
        }
        for username in [
            "nobody",
            "nobody@localhost",
            " nobody@example.com",
            "+34 999 999 999",
            "0034999999999",
        ] {
            let mut body = complete(&route);
            body.insert("username".to_owned(), json!(username));
            let answer = stack.post(path, Value::Object(body));
            assert_eq!(
                answer.refused(400, "InvalidParameterException"),
                "Username should be an email address or a phone number in E.164 format, such as +34999999999.",
                "{path} {username:?}"
            );
        }
    }
}

#[test]
fn a_body_is_read_up_to_16_kib_and_not_a_byte_further() {
    let padded = |route: &Route, size: usize| {
        let mut body = Value::Object(complete(route)).to_string().into_bytes();
        body.resize(size, b' ');
        body
    };
    for route in ROUTES {
        let (stack, path) = (Stack::of(route.mode), route.path);
        let answer = stack.post_bytes(path, &padded(&route, KIB_16 + 1));
        answer.refused_with(
            413,
            "RequestEntityTooLargeException",
            "The request body is larger than 16384 bytes.",
        );
        assert_reaches_cognito_or_its_rules(path, &stack.post_bytes(path, &padded(&route, KIB_16)));
    }
}

#[test]
fn fields_that_nobody_asks_for_are_ignored_on_every_route() {
    for route in ROUTES {
        let (stack, path) = (Stack::of(route.mode), route.path);
        let mut body = complete(&route);
        body.insert("__proto__".to_owned(), json!({ "role": "Admin" }));
        body.insert("nested".to_owned(), json!([[[{ "a": [1, null, true] }]]]));
        body.insert("Username".to_owned(), json!(1));
        assert_reaches_cognito_or_its_rules(path, &stack.post(path, Value::Object(body)));
    }
}

/// The body was read: what it says is refused, as it names nobody and nothing.
#[track_caller]
fn assert_reaches_cognito_or_its_rules(path: &str, answer: &Answer) {
    let (status, error_type) = match path {
        "/sign-up" => (400, "InvalidParameterException"),
        // The embedded AWS's word for a session that is none; Cognito says `NotAuthorizedException`.
        "/token" => (400, "InvalidParameterException"),
        "/token/refresh" | "/token/revoke" => (401, "NotAuthorizedException"),
        _ => (404, "UserNotFoundException"),
    };
    answer.refused(status, error_type);
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
