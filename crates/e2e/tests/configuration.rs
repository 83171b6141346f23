//! Each function's environment. A function with a missing or bad variable prints one line that names it, and exits.
//! An invoker's bad context ends it too.

use std::time::Duration;

use e2e::{ENVIRONMENT, Function, Mode, ROUTES, Stack, TRIGGERS, resource};
use serde_json::json;

const ROUTE: &str = "LOG_LEVEL ALLOWED_ORIGIN AWS_REGION USER_POOL_CLIENT_ID";
const SIGNED: &str = "LOG_LEVEL AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY";
const LIMITS: &str =
    "OTP_TABLE_NAME OTP_COOLDOWN_SECONDS OTP_MAX_SENDS_PER_HOUR OTP_MAX_SENDS_PER_DAY";
const EMAIL: &str = "EMAIL_CODE_SUBJECT EMAIL_CODE_MESSAGE";
const SENDER: &str =
    "SMS_SENDER_ID SMS_REGION EMAIL_FROM EMAIL_REPLY_TO SES_CONFIGURATION_SET SES_REGION";
const SIGN_UP: &str =
    "EMAIL_SIGN_UP_ROLES PHONE_SIGN_UP_ROLES SKIP_CONFIRMATION_ROLES ALLOWED_PHONE_PREFIXES";
const AWS: &str = "METRICS_NAMESPACE AWS_CA_BUNDLE";

/// The required and the optional variables of a function.
struct Variables(&'static [&'static str], &'static [&'static str]);

/// The variables that a function reads, from the template and from Lambda.
fn variables_of(function: &str) -> Variables {
    match function {
        "sign-up" => Variables(&[ROUTE, SIGNED, "USER_POOL_ID MODE ROLES"], &[AWS, SIGN_UP]),
        "sign-in" | "token" => Variables(&[ROUTE, "MODE"], &[AWS]),
        "token-revoke" => Variables(&[ROUTE, "USER_POOL_ID"], &[AWS]),
        "account" => Variables(&[ROUTE, "USER_POOL_ID MODE"], &[AWS]),
        "account-delete" => Variables(&[ROUTE, "USER_POOL_ID REAUTHENTICATION_MINUTES"], &[AWS]),
        "pre-sign-up" => Variables(&["LOG_LEVEL ROLES"], &["METRICS_NAMESPACE", SIGN_UP]),
        "post-confirmation" => Variables(&[SIGNED, "ROLES"], &[AWS]),
        "define-auth-challenge" => Variables(&["LOG_LEVEL"], &["METRICS_NAMESPACE"]),
        "custom-message" => Variables(
            &["LOG_LEVEL RESET_EMAIL_SUBJECT CONTACT_CHANGES"],
            &["METRICS_NAMESPACE RESET_EMAIL_MESSAGE"],
        ),
        "create-auth-challenge" => Variables(
            &[SIGNED, LIMITS, "SMS_MESSAGE", EMAIL],
            &[AWS, SENDER, "ALLOWED_PHONE_PREFIXES"],
        ),
        "verify-auth-challenge-response" => Variables(&[SIGNED, "OTP_TABLE_NAME"], &[AWS]),
        _ if needs_token(function) => Variables(&[ROUTE, "USER_POOL_ID"], &[AWS]),
        _ => Variables(&[ROUTE], &[AWS]),
    }
}

/// Whether the function is a route that needs an access token.
fn needs_token(function: &str) -> bool {
    let mut routes = ROUTES.iter().filter(|route| route.needs_token());
    routes.any(|route| route.function() == function)
}

/// Bad values of each variable that is checked, one variable a line.
const BAD: &str = "\
LOG_LEVEL | info | TRACE | LOUD
ALLOWED_ORIGIN | example.com | https://
MODE | userpassword | Both
REAUTHENTICATION_MINUTES | -1 | 1.5 | five
ROLES | User,,Admin | User;Admin | Üser
OTP_COOLDOWN_SECONDS | 0 | 14 | -1 | half a minute | 4294967296
OTP_MAX_SENDS_PER_HOUR | 0 | -1 | 1.5 | many | 4294967296
OTP_MAX_SENDS_PER_DAY | 0 | -1 | 1.5 | many | 4294967296
EMAIL_CODE_MESSAGE | Your code. | {####} {####} | {###}
SMS_MESSAGE | Your code. | {####} {####} {####} | {###}
EMAIL_SIGN_UP_ROLES | Nobody | User, | *
PHONE_SIGN_UP_ROLES | Nobody | User, | *
SKIP_CONFIRMATION_ROLES | Nobody | User, | *
SMS_SENDER_ID | a sender | Röcket | TwelveSigns1 | 12345
ALLOWED_PHONE_PREFIXES | 34 | + | +34,x | *
METRICS_NAMESPACE | Auth Rocket | Auth\"Rocket | Räket
CONTACT_CHANGES | refused | true
RESET_EMAIL_MESSAGE | Your code. | {####} {####}";

/// A missing file, a file without certificates, and one with a truncated certificate.
const BAD_BUNDLES: [&str; 3] = [
    "/nowhere.pem",
    concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad-bundle.pem"),
];

/// The bad values of a variable.
fn bad_values(variable: &str) -> Vec<&'static str> {
    if variable == "AWS_CA_BUNDLE" {
        return BAD_BUNDLES.to_vec();
    }
    let mut rows = BAD.lines().map(|line| line.split(" | "));
    let row = rows.find_map(|mut row| (row.next() == Some(variable)).then_some(row));
    row.into_iter().flatten().collect()
}

fn names(groups: &[&'static str]) -> impl Iterator<Item = &'static str> {
    groups.iter().flat_map(|group| group.split(' '))
}

/// Every function with only its required variables set, and the variables that it reads.
fn functions() -> impl Iterator<Item = (String, Function, Variables)> {
    e2e::functions().into_iter().map(|name| {
        let variables = variables_of(&name);
        let required = |variable: &str| names(variables.0).any(|name| name == variable);
        let environment = ENVIRONMENT.iter().filter(|(name, _)| required(name));
        let function = environment.fold(Function::built(&*name), |function, (name, value)| {
            function.with(name, *value)
        });
        (name, function, variables)
    })
}

#[track_caller]
fn assert_exits_naming(function: &Function, variable: &str, what: &str) {
    let exit = function.run();
    assert!(
        !exit.success,
        "crates/e2e/tests/configuration.rs has {variable} for {function:?}, which starts: {exit:?}"
    );
    let [line] = &exit.lines[..] else {
        panic!("not one line for {variable}: {exit:?}");
    };
    let expected = format!("The environment variable {variable} {what}");
    assert!(
        line.contains(&expected),
        "crates/e2e/tests/configuration.rs has {variable} for {function:?}, which does not name it: {line}"
    );
}

#[test]
fn functions_start_with_only_their_required_variables() {
    for (name, function, _) in functions() {
        let event = json!({ "httpMethod": "POST", "body": "" });
        let answer = function.answer(&event, Duration::from_secs(20));
        let answer = answer.unwrap_or_else(|| {
            panic!("{name} needs more variables: add them to crates/e2e/tests/configuration.rs")
        });
        if TRIGGERS.contains(&&*name) {
            // The event is not a trigger's.
            assert_eq!(answer["errorType"], "InternalErrorException", "{name}");
        } else {
            let status = if needs_token(&name) { 401 } else { 400 };
            assert_eq!(answer["statusCode"], status, "{name}: {answer}");
        }
    }
}

#[test]
fn functions_name_a_missing_variable_and_exit() {
    for (_, function, Variables(required, _)) in functions() {
        for variable in names(required) {
            let expected = "is missing: set it and deploy again.";
            let function = function.clone().without(variable);
            assert_exits_naming(&function, variable, expected);
            assert_exits_naming(&function.with(variable, ""), variable, expected);
        }
    }
}

#[test]
fn functions_name_a_bad_variable_and_exit() {
    for (_, function, Variables(required, optional)) in functions() {
        for variable in names(required).chain(names(optional)) {
            for value in bad_values(variable) {
                let function = function.clone().with(variable, value);
                assert_exits_naming(&function, variable, "has a bad value: expected ");
            }
        }
    }
}

/// Only those who may invoke the function can send these headers: API Gateway and Cognito send none.
#[test]
fn an_invalid_context_of_the_invoker_ends_the_function() {
    let route = Mode::UserPassword.route("/sign-in").unwrap();
    let event = route.event(route.body()).to_string();
    for header in [
        "Lambda-Runtime-Client-Context",
        "Lambda-Runtime-Cognito-Identity",
    ] {
        let mut process = Function::configured("sign-in").start();
        process.ready().unwrap();
        let headers = format!("{header}: {{\r\n");
        let outcome = process.invoke_with(&headers, &event, Duration::from_secs(20));
        let errors = outcome.expect_err("the function answered");
        assert!(!errors.contains("password"), "{errors}");
    }
}

#[test]
fn template_sets_every_variable_that_a_function_reads() {
    // They have every function.
    for stack in [Stack::strict(), Stack::passwordless_strict()] {
        let template = stack.decided_template();
        for function in e2e::functions() {
            let resource = &template["Resources"][format!("{}Function", resource(&function))];
            let Some(set) = resource["Properties"]["Environment"]["Variables"].as_object() else {
                continue;
            };
            let Variables(required, optional) = variables_of(&function);
            for variable in names(required).chain(names(optional)) {
                let by_lambda = variable.starts_with("AWS_");
                assert!(
                    by_lambda || set.contains_key(variable),
                    "template.yaml does not set {variable} of {function}"
                );
            }
        }
    }
}
