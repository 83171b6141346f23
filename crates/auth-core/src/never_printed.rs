//! Nothing of a request can be printed by accident: not by `{:?}`, which logs and panics use, and not
//! by an error, which is told and logged.

use std::fmt::Debug;
use std::marker::PhantomData;

use serde_json::{Value, json};

use crate::challenge::Code;
use crate::config::{Env, Mode};
use crate::error::{Error, Result};
use crate::request::Fields;
use crate::testing::{env, event, parsed};
use crate::{
    http, message, password_change, password_forgot, sign_in, sign_up, sign_up_confirm,
    sign_up_resend_code, token, token_refresh, token_revoke, tokens,
};

/// A function's parser, with a print of the request in place of the request.
type Parse = fn(&Fields<'_>) -> Result<String>;

fn print<T: Debug>(request: Result<T>) -> Result<String> {
    request.map(|request| format!("{request:?} {request:#?}"))
}

fn sign_up_rules(mode: &str) -> sign_up::Rules {
    sign_up::Rules::from_env(Env::new(&env(&[
        ("MODE", mode),
        ("ROLES", "User"),
        ("EMAIL_SIGN_UP_ROLES", "User"),
        ("PHONE_SIGN_UP_ROLES", "User"),
    ])))
    .unwrap()
}

const PARSERS: [(&str, Parse); 11] = [
    ("sign_up", |fields| {
        print(sign_up::Request::parse(
            fields,
            &sign_up_rules("UserPassword"),
        ))
    }),
    ("sign_up, Passwordless", |fields| {
        print(sign_up::Request::parse(
            fields,
            &sign_up_rules("Passwordless"),
        ))
    }),
    ("sign_up_confirm", |fields| {
        print(sign_up_confirm::Request::parse(fields))
    }),
    ("sign_up_resend_code", |fields| {
        print(sign_up_resend_code::Request::parse(fields))
    }),
    ("sign_in", |fields| {
        print(sign_in::Request::parse(fields, Mode::UserPassword))
    }),
    ("sign_in, Passwordless", |fields| {
        print(sign_in::Request::parse(fields, Mode::Passwordless))
    }),
    ("token", |fields| print(token::Request::parse(fields))),
    ("token_refresh", |fields| {
        print(token_refresh::Request::parse(fields))
    }),
    ("token_revoke", |fields| {
        print(token_revoke::Request::parse(fields))
    }),
    ("password_forgot", |fields| {
        print(password_forgot::Request::parse(fields))
    }),
    ("password_change", |fields| {
        print(password_change::Request::parse(fields))
    }),
];

/// A body that every route takes, whose values are found in no text of ours.
fn body() -> Value {
    json!({
        "username": "+19175550123",
        "password": "Zebra-password",
        "confirmationCode": "Zebra-code",
        "session": "Zebra-session",
        "accessToken": "Zebra.access.token",
        "refreshToken": "Zebra-refresh-token",
        "userAttributes": { "role": "User" },
    })
}

fn assert_holds_nothing_of_a_request(text: &str, what: &str) {
    for value in ["Zebra", "9175550123"] {
        assert!(!text.contains(value), "{what}: {text}");
    }
}

#[test]
fn no_request_is_printed_with_its_values() {
    for (route, parse) in PARSERS {
        let print = parsed(&body(), parse).unwrap();
        assert_holds_nothing_of_a_request(&print, route);
        assert!(
            print.contains("Request") || print.contains("Passw"),
            "{route}: {print}"
        );
    }
}

#[test]
fn no_refusal_of_a_request_holds_its_values() {
    let bad = [
        json!("Zebra value with spaces \u{e9}"),
        json!("+0 9175550123"),
        json!(["Zebra"]),
        json!({ "Zebra": 9175550123u64, "role": "Zebra" }),
        json!({ "role": ["Zebra"] }),
        json!(9175550123u64),
    ];
    for (route, parse) in PARSERS {
        for key in body().as_object().unwrap().keys() {
            for value in &bad {
                let mut body = body();
                body[key] = value.clone();
                let outcome = parsed(&body, parse);
                let print = outcome.unwrap_or_else(|error| {
                    format!("{error:?} {} {:?}", error.message, error.cause)
                });
                assert_holds_nothing_of_a_request(&print, route);
            }
        }
    }
    for body in [r#"{"Zebra":1,"Zebra":2}"#, "Zebra", r#"{"password":"Zebra"#] {
        let error = Fields::parse(body.as_bytes()).err().unwrap();
        assert_holds_nothing_of_a_request(&format!("{error:?}"), body);
    }
}

#[test]
fn the_session_of_an_error_a_code_and_a_triggers_event_are_not_printed() {
    let session = "Zebra-session".to_owned().into();
    let error = Error::not_authorized("no").with_session(session);
    assert_holds_nothing_of_a_request(&format!("{error:?}"), "a session");
    assert_holds_nothing_of_a_request(&format!("{:?}", Code::new("Zebra")), "a code");
    let request = json!({
        "userAttributes": { "phone_number": "+19175550123" },
        "privateChallengeParameters": { "code": "Zebra" },
        "challengeAnswer": "Zebra",
    });
    let event = event("VerifyAuthChallengeResponse_Authentication", request);
    assert_eq!(
        format!("{event:?}"),
        "Event(\"VerifyAuthChallengeResponse_Authentication\")"
    );
}

/// Whether `{:?}` takes a `T`: the constant of `Of` itself goes before the trait's, where there is one.
struct Of<T: ?Sized>(PhantomData<T>);

trait Printed {
    const PRINTED: bool = false;
}

impl<T: ?Sized> Printed for Of<T> {}

impl<T: ?Sized + Debug> Of<T> {
    const PRINTED: bool = true;
}

#[test]
fn what_holds_tokens_bodies_or_names_can_not_be_printed_at_all() {
    for (name, printed, expected) in [
        (
            "an error, which shows that the question is right",
            Of::<Error>::PRINTED,
            true,
        ),
        ("tokens", Of::<tokens::Tokens>::PRINTED, false),
        (
            "the response of a sign-in",
            Of::<sign_in::Response>::PRINTED,
            false,
        ),
        (
            "the response of a sign-up",
            Of::<sign_up::Response>::PRINTED,
            false,
        ),
        ("a message", Of::<message::Message>::PRINTED, false),
        ("a body's fields", Of::<Fields<'static>>::PRINTED, false),
        ("API Gateway's event", Of::<http::Event>::PRINTED, false),
        ("API Gateway's answer", Of::<http::Answer>::PRINTED, false),
    ] {
        assert_eq!(printed, expected, "{name}");
    }
}
