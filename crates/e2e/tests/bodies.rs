//! Valid and invalid request bodies, through the gateway to every route.

use e2e::{ROUTES, Route, Specification, Stack};
use serde_json::{Map, Value, json};

const KIB_16: usize = 16 * 1024;

/// A body with every required field. It changes nothing, because the role does not exist.
fn complete(route: &Route) -> Map<String, Value> {
    let mut body = route.body();
    body.insert("userAttributes".to_owned(), json!({ "role": "Nobody" }));
    body
}

/// The access token of a new user, if the route needs one.
fn token(stack: &Stack, route: &Route) -> Option<String> {
    let token = || stack.tokens_of(&stack.confirmed_user()).access;
    route.needs_token().then(token)
}

fn pascal_case(key: &str) -> String {
    key[..1].to_uppercase() + &key[1..]
}

#[test]
fn every_route_rejects_unreadable_bodies() {
    for route in ROUTES.iter() {
        let stack = Stack::of(route.mode);
        let token = token(&stack, route);
        let tokens: Vec<&str> = token.as_deref().into_iter().collect();
        // With an access token, the body may be empty.
        let empty = Some("").filter(|_| tokens.is_empty());
        for body in empty.into_iter().chain([
            "username=nobody",
            "null",
            "\"text\"",
            "[{\"username\":\"nobody@example.com\"}]",
            "{\"username\":\"nobody@example.com\"",
            "{\"username\":\"a\",\"username\":\"b\"}",
        ]) {
            println!("{} {body}", route.path);
            let answer = stack.post_with(&tokens, route.path, body.as_bytes());
            answer.assert_documented_error(400, "SerializationException");
        }
        if route.fields.contains(&"username") {
            let latin_1 = b"{\"username\":\"us\xe9r@example.com\"}";
            let answer = stack.post_with(&tokens, route.path, latin_1);
            answer.assert_documented_error(400, "SerializationException");
        }
        let of_size = |size: usize| {
            let mut body = Value::from(complete(route)).to_string().into_bytes();
            body.resize(size, b' ');
            stack.post_with(&tokens, route.path, &body)
        };
        of_size(KIB_16 + 1).assert_documented_error(413, "RequestEntityTooLargeException");
        let error = &of_size(KIB_16).assert_contract()["error"]["type"];
        let unparsed = [
            "RequestEntityTooLargeException",
            "SerializationException",
            "InternalErrorException",
        ];
        assert!(
            !unparsed.iter().any(|unparsed| error == unparsed),
            "{error}"
        );
    }
}

#[test]
fn every_route_names_a_missing_or_mistyped_field() {
    for route in ROUTES.iter().filter(|route| !route.fields.is_empty()) {
        let (stack, path) = (Stack::of(route.mode), route.path);
        let token = token(&stack, route);
        let tokens: Vec<&str> = token.as_deref().into_iter().collect();
        let post = |body: Value| stack.post_with(&tokens, path, body.to_string().as_bytes());
        for (error_type, value) in [
            ("MissingRequiredParameter", Value::Null),
            ("InvalidParameterType", json!(1)),
        ] {
            let shown = Specification::of(route.mode).error_example(path, 400, error_type);
            let shown = shown["error"]["message"].as_str().unwrap();
            let named = |field: &&&str| shown.contains(&pascal_case(field));
            let field = route.fields.iter().find(named);
            let field = field.unwrap_or_else(|| panic!("{shown:?} names no field of {path}"));
            let mut body = complete(route);
            body.insert((*field).to_owned(), value.clone());
            post(body.into()).assert_documented_error(400, error_type);
            // The fields are checked in order.
            let all = route.fields.iter().map(|field| (*field, value.clone()));
            let message = post(all.collect()).assert_error(400, error_type);
            assert!(message.contains(&pascal_case(route.fields[0])), "{message}");
        }
    }
}

#[test]
fn gateway_preserves_characters_beyond_ascii() {
    let stack = Stack::standard();
    let person = e2e::Person {
        password: "Contraseña-2🚀 más".to_owned(),
        ..e2e::Person::with_email()
    };
    stack.sign_up(&person, "Courier").assert_ok();
    stack.tokens_of(&person);
}
