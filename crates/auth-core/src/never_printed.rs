//! Nothing of a request can be printed by accident: neither by `{:?}`, which logs and panics use, nor by an error, which
//! callers and logs get.

use std::fmt::Debug;
use std::marker::PhantomData;

use aws_smithy_http_client::test_util::NeverClient;
use serde_json::{Value, json};

use crate::challenge::Code;
use crate::error::{Error, Result};
use crate::http::AnyRoute;
use crate::request::Fields;
use crate::testing::{self, MODES, bodies, event, over};
use crate::{ROUTES, access_token, account, challenge, http, message, sign_in, sign_up, tokens};

/// Every route, in each mode.
fn routes() -> impl Iterator<Item = Box<dyn AnyRoute>> {
    let modes = MODES.into_iter();
    modes.flat_map(|mode| (0..ROUTES.len()).map(move |route| over(NeverClient::new(), route, mode)))
}

/// The request, printed.
fn print(route: &dyn AnyRoute, body: &Value) -> Result<String> {
    let request = route.parse(&testing::access_token(), body.to_string().as_bytes())?;
    Ok(format!("{request:?} {request:#?}"))
}

fn assert_holds_nothing_of_a_request(text: &str, what: &str) {
    let token = testing::access_token();
    for value in ["Zebra", "9175550123", token.split('.').nth(1).unwrap()] {
        assert!(!text.contains(value), "{what}: {text}");
    }
}

#[test]
fn no_request_is_printed_with_its_values() {
    for route in routes() {
        let bodies = bodies().into_iter();
        let printed: Vec<_> = bodies
            .filter_map(|body| print(&*route, &body).ok())
            .collect();
        assert!(!printed.is_empty(), "{}", route.name());
        assert_holds_nothing_of_a_request(&printed.concat(), route.name());
    }
}

#[test]
fn no_error_of_a_request_holds_its_values() {
    let bad = [
        json!("Zebra value with spaces \u{e9}"),
        json!("+0 9175550123"),
        json!(["Zebra"]),
        json!({ "Zebra": 9175550123u64, "role": "Zebra" }),
        json!({ "role": ["Zebra"] }),
        json!(9175550123u64),
    ];
    for route in routes() {
        let changes = bodies().into_iter().flat_map(|body| {
            let keys: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
            keys.into_iter().map(move |key| (body.clone(), key))
        });
        for (body, key) in changes {
            for value in &bad {
                let mut body = body.clone();
                body[&key] = value.clone();
                let print = print(&*route, &body)
                    .unwrap_or_else(|error| format!("{error:?} {error} {:?}", error.cause));
                assert_holds_nothing_of_a_request(&print, route.name());
            }
        }
    }
    for body in [r#"{"Zebra":1,"Zebra":2}"#, "Zebra", r#"{"password":"Zebra"#] {
        let error = Fields::parse(body.as_bytes()).err().unwrap();
        assert_holds_nothing_of_a_request(&format!("{error:?} {error}"), body);
    }
}

#[test]
fn debug_output_hides_sessions_codes_and_events() {
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

/// Whether `T` implements `Debug`: the constant of `Of` itself hides the trait's, if it exists.
struct Of<T: ?Sized>(PhantomData<T>);

trait Printed {
    const PRINTED: bool = false;
}

impl<T: ?Sized> Printed for Of<T> {}

impl<T: ?Sized + Debug> Of<T> {
    const PRINTED: bool = true;
}

#[test]
fn types_with_tokens_bodies_or_names_have_no_debug() {
    let printed = [
        Of::<tokens::Tokens>::PRINTED,
        Of::<sign_in::Response>::PRINTED,
        Of::<sign_up::Response>::PRINTED,
        Of::<account::Response>::PRINTED,
        Of::<access_token::Claims>::PRINTED,
        Of::<message::Message>::PRINTED,
        Of::<Fields<'static>>::PRINTED,
        Of::<http::Event>::PRINTED,
        Of::<http::Answer>::PRINTED,
        Of::<challenge::Request<'static>>::PRINTED,
        // It has `Debug`, and shows that the others could.
        Of::<Error>::PRINTED,
    ];
    assert_eq!(printed, std::array::from_fn(|index| index == 10));
}
