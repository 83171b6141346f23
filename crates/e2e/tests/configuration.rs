//! Each function's environment: a variable that is missing or bad ends its start with one line that names it.

use std::time::Duration;

use e2e::{Function, TRIGGERS};
use serde_json::json;

/// A variable, a value that is good, and values that are not; without it the function can't start.
struct Required(&'static str, &'static str, &'static [&'static str]);
/// A variable that may be left out, and values that are bad.
struct Optional(&'static str, &'static [&'static str]);

const LOG: Required = Required("LOG_LEVEL", "INFO", &["info", "TRACE", "LOUD"]);
const ORIGIN: Required = Required(
    "ALLOWED_ORIGIN",
    "*",
    &["example.com", "https://", "https://a\r\nb: c"],
);
const REGION: Required = Required("AWS_REGION", "us-east-1", &[]);
const KEY: Required = Required("AWS_ACCESS_KEY_ID", "test", &[]);
const SECRET: Required = Required("AWS_SECRET_ACCESS_KEY", "test", &[]);
const CLIENT: Required = Required("USER_POOL_CLIENT_ID", "client", &[]);
const POOL: Required = Required("USER_POOL_ID", "us-east-1_pool", &[]);
const MODE: Required = Required("MODE", "UserPassword", &["userpassword", "Both"]);
const ROLES: Required = Required(
    "ROLES",
    "User,Admin",
    &["User,,Admin", "User;Admin", "Üser"],
);
const TABLE: Required = Required("OTP_TABLE_NAME", "limits", &[]);
const COOLDOWN: Required = Required(
    "OTP_COOLDOWN_SECONDS",
    "15",
    &["0", "14", "-1", "half a minute", "4294967296"],
);
const SENDS_PER_HOUR: Required = Required("OTP_MAX_SENDS_PER_HOUR", "1", NOT_A_LIMIT);
const SENDS_PER_DAY: Required = Required("OTP_MAX_SENDS_PER_DAY", "1", NOT_A_LIMIT);
const WRONG_ANSWERS: Required = Required("OTP_MAX_WRONG_ANSWERS_PER_HOUR", "1", NOT_A_LIMIT);
const NOT_A_LIMIT: &[&str] = &["0", "-1", "1.5", "many", "4294967296"];
const MESSAGE: Required = Required(
    "SMS_MESSAGE",
    "{####}",
    &["Your code.", "{####} {####}", "{###}"],
);

/// A file that is not there, a file without certificates, and one with a certificate cut short.
const TRUST: Optional = Optional(
    "AWS_CA_BUNDLE",
    &[
        "/nowhere.pem",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad-bundle.pem"),
    ],
);
const EMAIL_ROLES: Optional = Optional("EMAIL_SIGN_UP_ROLES", &["Nobody", "User,", "*"]);
const PHONE_ROLES: Optional = Optional("PHONE_SIGN_UP_ROLES", &["Nobody", "User,", "*"]);
const SKIP_ROLES: Optional = Optional("SKIP_CONFIRMATION_ROLES", &["Nobody", "User,", "*"]);
const SENDER: Optional = Optional("SMS_SENDER_ID", &["a sender", "Röcket", "TwelveSigns1"]);
const PREFIXES: Optional = Optional("ALLOWED_PHONE_PREFIXES", &["34", "+", "+34,x", "*"]);

const METRICS: Optional = Optional(
    "METRICS_NAMESPACE",
    &["Auth Rocket", "Auth\"Rocket", "Räket"],
);
const RESET_SUBJECT: Required = Required("RESET_EMAIL_SUBJECT", "Your new password", &[]);
const CONTACT_CHANGES: Required = Required("CONTACT_CHANGES", "REFUSED", &["refused", "true"]);
const RESET_MESSAGE: Optional = Optional("RESET_EMAIL_MESSAGE", &["Your code.", "{####} {####}"]);

/// What a function reads of its own, from the template and from Lambda; [`PUBLIC`] has the routes without a row.
const OWN: [(&str, &[Required], &[Optional]); 8] = [
    (
        "sign-up",
        &[LOG, ORIGIN, REGION, KEY, SECRET, CLIENT, POOL, MODE, ROLES],
        &[
            METRICS,
            TRUST,
            EMAIL_ROLES,
            PHONE_ROLES,
            SKIP_ROLES,
            PREFIXES,
        ],
    ),
    (
        "sign-in",
        &[LOG, ORIGIN, REGION, CLIENT, MODE],
        &[METRICS, TRUST],
    ),
    (
        "pre-sign-up",
        &[LOG, ROLES],
        &[METRICS, EMAIL_ROLES, PHONE_ROLES, SKIP_ROLES, PREFIXES],
    ),
    (
        "post-confirmation",
        &[LOG, REGION, KEY, SECRET, ROLES],
        &[METRICS, TRUST],
    ),
    ("define-auth-challenge", &[LOG], &[METRICS]),
    (
        "custom-message",
        &[LOG, RESET_SUBJECT, CONTACT_CHANGES],
        &[METRICS, RESET_MESSAGE],
    ),
    (
        "create-auth-challenge",
        &[
            LOG,
            REGION,
            KEY,
            SECRET,
            TABLE,
            COOLDOWN,
            SENDS_PER_HOUR,
            SENDS_PER_DAY,
            WRONG_ANSWERS,
            MESSAGE,
        ],
        &[METRICS, TRUST, SENDER, PREFIXES],
    ),
    (
        "verify-auth-challenge-response",
        &[
            LOG,
            REGION,
            KEY,
            SECRET,
            TABLE,
            COOLDOWN,
            SENDS_PER_HOUR,
            SENDS_PER_DAY,
            WRONG_ANSWERS,
        ],
        &[METRICS, TRUST],
    ),
];
const PUBLIC: (&[Required], &[Optional]) = (&[LOG, ORIGIN, REGION, CLIENT], &[METRICS, TRUST]);

/// Every function, with what it reads.
fn functions() -> impl Iterator<Item = (String, &'static [Required], &'static [Optional])> {
    e2e::functions().into_iter().map(|name| {
        let own = OWN.iter().find(|(own, ..)| *own == name);
        let (required, optional) =
            own.map_or(PUBLIC, |(_, required, optional)| (*required, *optional));
        (name, required, optional)
    })
}

fn configured(name: &str, required: &[Required]) -> Function {
    let function = Function::built(name);
    required
        .iter()
        .fold(function, |function, Required(name, good, _)| {
            function.with(name, *good)
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
fn a_function_with_all_it_requires_starts_and_answers() {
    for (name, required, _) in functions() {
        let event = json!({ "httpMethod": "POST", "body": "" });
        let answer = configured(&name, required).answer(&event, Duration::from_secs(20));
        let answer = answer.unwrap_or_else(|| {
            panic!("{name} needs more to start: add its row to crates/e2e/tests/configuration.rs")
        });
        if TRIGGERS.contains(&&*name) {
            // The event is no trigger's.
            assert_eq!(answer["errorType"], "InternalErrorException", "{name}");
        } else {
            let status = answer["statusCode"].as_u64();
            assert!(
                status.is_some_and(|status| status < 500),
                "{name}: {answer}"
            );
        }
    }
}

#[test]
fn a_function_without_a_variable_that_it_requires_ends_with_one_line_that_names_it() {
    for (name, required, _) in functions() {
        for Required(variable, ..) in required {
            let expected = "is missing: set it and deploy again.";
            let function = configured(&name, required).without(variable);
            assert_ends_naming(&function, variable, expected);
            assert_ends_naming(&function.with(variable, ""), variable, expected);
        }
    }
}

#[test]
fn a_function_with_a_bad_variable_ends_with_one_line_that_names_it() {
    for (name, required, optional) in functions() {
        let bad = required
            .iter()
            .map(|Required(variable, _, bad)| (*variable, *bad))
            .chain(
                optional
                    .iter()
                    .map(|Optional(variable, bad)| (*variable, *bad)),
            );
        for (variable, values) in bad {
            for value in values {
                let function = configured(&name, required).with(variable, *value);
                assert_ends_naming(&function, variable, "has a bad value: expected ");
            }
        }
    }
}
