//! Each function's environment: a variable that is missing or bad ends its start with one line that names it.

use std::time::Duration;

use e2e::{ENVIRONMENT, Function, ROUTES, TRIGGERS};
use serde_json::json;

const ROUTE: &str = "LOG_LEVEL ALLOWED_ORIGIN AWS_REGION USER_POOL_CLIENT_ID";
const SIGNED: &str = "LOG_LEVEL AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY";
const LIMITS: &str =
    "OTP_TABLE_NAME OTP_COOLDOWN_SECONDS OTP_MAX_SENDS_PER_HOUR OTP_MAX_SENDS_PER_DAY";
const EMAIL: &str = "EMAIL_CODE_SUBJECT EMAIL_CODE_MESSAGE";
const SIGN_UP: &str =
    "EMAIL_SIGN_UP_ROLES PHONE_SIGN_UP_ROLES SKIP_CONFIRMATION_ROLES ALLOWED_PHONE_PREFIXES";
const AWS: &str = "METRICS_NAMESPACE AWS_CA_BUNDLE";

/// The variables that a function requires to start, and those that may be left out.
struct Reads(&'static [&'static str], &'static [&'static str]);

/// What a function reads, from the template and from Lambda.
fn reads(function: &str) -> Reads {
    match function {
        "sign-up" => Reads(&[ROUTE, SIGNED, "USER_POOL_ID MODE ROLES"], &[AWS, SIGN_UP]),
        "sign-in" | "token" => Reads(&[ROUTE, "MODE"], &[AWS]),
        "token-revoke" => Reads(&[ROUTE, "USER_POOL_ID"], &[AWS]),
        "account" => Reads(&[ROUTE, "USER_POOL_ID MODE"], &[AWS]),
        "account-delete" => Reads(&[ROUTE, "USER_POOL_ID REAUTHENTICATION_MINUTES"], &[AWS]),
        "pre-sign-up" => Reads(&["LOG_LEVEL ROLES"], &["METRICS_NAMESPACE", SIGN_UP]),
        "post-confirmation" => Reads(&[SIGNED, "ROLES"], &[AWS]),
        "define-auth-challenge" => Reads(&["LOG_LEVEL"], &["METRICS_NAMESPACE"]),
        "custom-message" => Reads(
            &["LOG_LEVEL RESET_EMAIL_SUBJECT CONTACT_CHANGES"],
            &["METRICS_NAMESPACE RESET_EMAIL_MESSAGE"],
        ),
        "create-auth-challenge" => Reads(
            &[SIGNED, LIMITS, "SMS_MESSAGE", EMAIL],
            &[AWS, "SMS_SENDER_ID ALLOWED_PHONE_PREFIXES EMAIL_FROM"],
        ),
        "verify-auth-challenge-response" => Reads(&[SIGNED, LIMITS], &[AWS]),
        _ if needs_token(function) => Reads(&[ROUTE, "USER_POOL_ID"], &[AWS]),
        _ => Reads(&[ROUTE], &[AWS]),
    }
}

/// Whether it is a route of the signed-in user.
fn needs_token(function: &str) -> bool {
    let mut routes = ROUTES.iter().filter(|route| route.needs_token());
    routes.any(|route| route.function() == function)
}

const NOT_A_LIMIT: &[&str] = &["0", "-1", "1.5", "many", "4294967296"];
const NOT_OF_ROLES: &[&str] = &["Nobody", "User,", "*"];

/// The variables that can have a bad value, each with some.
const BAD: [(&str, &[&str]); 19] = [
    ("LOG_LEVEL", &["info", "TRACE", "LOUD"]),
    (
        "ALLOWED_ORIGIN",
        &["example.com", "https://", "https://a\r\nb: c"],
    ),
    ("MODE", &["userpassword", "Both"]),
    ("REAUTHENTICATION_MINUTES", &["-1", "1.5", "five"]),
    ("ROLES", &["User,,Admin", "User;Admin", "Üser"]),
    (
        "OTP_COOLDOWN_SECONDS",
        &["0", "14", "-1", "half a minute", "4294967296"],
    ),
    ("OTP_MAX_SENDS_PER_HOUR", NOT_A_LIMIT),
    ("OTP_MAX_SENDS_PER_DAY", NOT_A_LIMIT),
    (
        "EMAIL_CODE_MESSAGE",
        &["Your code.", "{####} {####}", "{###}"],
    ),
    (
        "SMS_MESSAGE",
        &["Your code.", "{####} {####} {####}", "{###}"],
    ),
    // A file that is not there, a file without certificates, and one with a certificate cut short.
    (
        "AWS_CA_BUNDLE",
        &[
            "/nowhere.pem",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad-bundle.pem"),
        ],
    ),
    ("EMAIL_SIGN_UP_ROLES", NOT_OF_ROLES),
    ("PHONE_SIGN_UP_ROLES", NOT_OF_ROLES),
    ("SKIP_CONFIRMATION_ROLES", NOT_OF_ROLES),
    ("SMS_SENDER_ID", &["a sender", "Röcket", "TwelveSigns1"]),
    ("ALLOWED_PHONE_PREFIXES", &["34", "+", "+34,x", "*"]),
    (
        "METRICS_NAMESPACE",
        &["Auth Rocket", "Auth\"Rocket", "Räket"],
    ),
    ("CONTACT_CHANGES", &["refused", "true"]),
    ("RESET_EMAIL_MESSAGE", &["Your code.", "{####} {####}"]),
];

fn names(groups: &[&'static str]) -> impl Iterator<Item = &'static str> {
    groups.iter().flat_map(|group| group.split(' '))
}

/// Every function with all that it requires and nothing else, and what it reads.
fn functions() -> impl Iterator<Item = (String, Function, Reads)> {
    e2e::functions().into_iter().map(|name| {
        let reads = reads(&name);
        let required = |variable: &str| names(reads.0).any(|name| name == variable);
        let environment = ENVIRONMENT.iter().filter(|(name, _)| required(name));
        let function = environment.fold(Function::built(&*name), |function, (name, value)| {
            function.with(name, *value)
        });
        (name, function, reads)
    })
}

#[track_caller]
fn assert_ends_naming(function: &Function, variable: &str, what: &str) {
    let ended = function.run();
    assert!(
        !ended.success,
        "crates/e2e/tests/configuration.rs has {variable} for {function:?}, which starts: {ended:?}"
    );
    let [line] = &ended.lines[..] else {
        panic!("not one line for {variable}: {ended:?}");
    };
    let expected = format!("The environment variable {variable} {what}");
    assert!(line.contains(&expected), "{function:?}: {line}");
}

#[test]
fn functions_start_with_only_their_required_variables() {
    for (name, function, _) in functions() {
        let event = json!({ "httpMethod": "POST", "body": "" });
        let answer = function.answer(&event, Duration::from_secs(20));
        let answer = answer.unwrap_or_else(|| {
            panic!("{name} needs more to start: add its row to crates/e2e/tests/configuration.rs")
        });
        if TRIGGERS.contains(&&*name) {
            // The event is no trigger's.
            assert_eq!(answer["errorType"], "InternalErrorException", "{name}");
        } else {
            let status = if needs_token(&name) { 401 } else { 400 };
            assert_eq!(answer["statusCode"], status, "{name}: {answer}");
        }
    }
}

#[test]
fn functions_name_a_missing_variable_and_exit() {
    for (_, function, Reads(required, _)) in functions() {
        for variable in names(required) {
            let expected = "is missing: set it and deploy again.";
            let function = function.clone().without(variable);
            assert_ends_naming(&function, variable, expected);
            assert_ends_naming(&function.with(variable, ""), variable, expected);
        }
    }
}

#[test]
fn functions_name_a_bad_variable_and_exit() {
    for (_, function, Reads(required, optional)) in functions() {
        for variable in names(required).chain(names(optional)) {
            let bad = BAD.iter().filter(|(name, _)| *name == variable);
            for value in bad.flat_map(|(_, values)| *values) {
                let function = function.clone().with(variable, *value);
                assert_ends_naming(&function, variable, "has a bad value: expected ");
            }
        }
    }
}
