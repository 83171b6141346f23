//! Every route in each mode: the fields that it requires, what it sends to Cognito, and its response. They are in one
//! snapshot.

use std::collections::{BTreeMap, BTreeSet};

use aws_smithy_http_client::test_util::NeverClient;
use fake_aws::FakeAws;
use serde_json::{Value, json};

use crate::ROUTES;
use crate::config::Mode;
use crate::http::AnyRoute;
use crate::testing::{MODES, access_token, bodies, over};

/// Each mode, route and body.
fn cases() -> impl Iterator<Item = (Mode, usize, Value)> {
    MODES.into_iter().flat_map(|mode| {
        let routes = (0..ROUTES.len()).flat_map(|route| bodies().map(|body| (route, body)));
        routes.map(move |(route, body)| (mode, route, body))
    })
}

/// The fields without which the route rejects this body, in the words of AWS's own check.
fn required<'a>(route: &dyn AnyRoute, body: &'a Value) -> BTreeSet<&'a str> {
    let keys = body.as_object().unwrap().keys().map(String::as_str);
    let is_required = |key: &&str| {
        let field = key[..1].to_uppercase() + &key[1..];
        let message = format!("Missing required key '{field}' in params");
        let absent = [None, Some(Value::Null), Some(json!(""))];
        absent.into_iter().all(|absent| {
            let mut body = body.clone();
            body.as_object_mut().unwrap().remove(*key);
            if let Some(absent) = absent {
                body[*key] = absent;
            }
            let parsed = route.parse(&access_token(), body.to_string().as_bytes());
            parsed.is_err_and(|error| error.message == message)
        })
    };
    keys.filter(is_required).collect()
}

/// The calls of Cognito, without what differs in each run or is long.
fn requests(aws: &FakeAws) -> String {
    let calls = aws.calls().into_iter().map(|mut call| {
        call.body.sort_all_objects();
        let password = call.body["Password"].as_str();
        if password.is_some_and(|password| password.ends_with("aA1!")) {
            call.body["Password"] = "<random>".into();
        }
        format!("{} {}\n", call.operation, call.body)
    });
    let calls: String = calls.collect();
    calls.replace(&access_token(), "<access token>")
}

#[tokio::test]
async fn each_route_sends_cognito_exactly_this() {
    let mut exchanges = BTreeMap::<String, BTreeSet<String>>::new();
    for (mode, route, body) in cases() {
        let aws = FakeAws::default();
        let route = over(aws.http_client(), route, mode);
        let response = route
            .run(&access_token(), body.to_string().as_bytes())
            .await;
        // Otherwise, the body lacks the route's token.
        if let Ok(mut response) = response {
            response.sort_all_objects();
            let response = response.to_string().replace("----", "");
            let (name, required) = (route.name(), required(&*route, &body));
            let text = format!("{name} {required:?}\n{}{response}\n", requests(&aws));
            let modes = exchanges.entry(text).or_default();
            modes.insert(format!("{mode:?}"));
        }
    }
    let exchanges = exchanges.into_iter();
    let texts = exchanges.map(|(text, modes)| format!("{modes:?} {text}"));
    insta::assert_snapshot!(texts.collect::<Vec<_>>().join("\n"));
}

#[test]
fn email_addresses_need_a_role_that_signs_up_with_one() {
    let message = "Username should be a phone number in E.164 format, such as +34999999999.";
    let mut routes = BTreeSet::new();
    for (_, route, mut body) in cases() {
        body["username"] = "user@example.com".into();
        let route = over(NeverClient::new(), route, Mode::Passwordless);
        let parsed = route.parse(&access_token(), body.to_string().as_bytes());
        if parsed.is_err_and(|error| error.message == message) {
            routes.insert(route.name());
        }
    }
    assert_eq!(routes, BTreeSet::from(["sign-in", "sign-up", "token"]));
}
