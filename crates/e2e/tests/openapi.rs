//! `openapi.yaml` against the code, the template and the deployed stacks.
//!
//! That every answer of a stack is one that the specification has is checked where it comes in, in
//! `Stack::post`: each test of this folder is one of the specification too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Answer, Mode, PASSWORD_CODE, Person, ROUTES, SIGN_UP_CODE, Specification, Stack};
use serde_json::{Value, json};

const MODES: [Mode; 2] = [Mode::UserPassword, Mode::Passwordless];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Each route of the specification, as it stands behind the API's URL, with the modes it has.
fn specified() -> BTreeMap<String, Vec<String>> {
    let paths = Specification::document()["paths"].as_object().unwrap();
    paths
        .iter()
        .map(|(path, item)| (format!("/auth{path}"), strings(&item["post"]["x-modes"])))
        .collect()
}

fn strings(values: &Value) -> Vec<String> {
    let values = values.as_array().unwrap().iter();
    values
        .map(|value| value.as_str().unwrap().to_owned())
        .collect()
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_routes_that_the_tests_know_are_the_specification_s_with_every_field_in_its_order() {
    for mode in MODES {
        let specification = Specification::of(mode);
        let paths: BTreeSet<&str> = mode.routes().map(|route| route.path).collect();
        let specified = specification.operations().map(|(path, _)| path);
        assert_eq!(specified.collect::<BTreeSet<_>>(), paths);

        for route in mode.routes() {
            let schema = specification.request_schema(route.path);
            let mut fields = route.fields.to_vec();
            if route.path == "/sign-up" {
                fields.push("userAttributes");
            }
            assert_eq!(strings(&schema["required"]), fields, "{route:?}");
            let fields = fields.into_iter().map(str::to_owned).collect();
            assert_eq!(keys(&schema["properties"]), fields, "{route:?}");
        }
    }
}

#[test]
fn the_template_has_the_specification_s_routes_in_their_modes() {
    let template = Stack::standard().template();
    let paths = &template["Resources"]["Api"]["Properties"]["Body"]["paths"];
    let deployed: BTreeMap<String, Vec<String>> = paths
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, item)| {
            let condition = &item["Fn::If"][0];
            let modes = MODES.iter().map(|mode| mode.name().to_owned());
            let modes =
                modes.filter(|mode| condition.is_null() || *condition == format!("Is{mode}"));
            (path.clone(), modes.collect())
        })
        .collect();
    assert_eq!(deployed, specified());
}

#[test]
fn what_the_gateway_answers_itself_is_an_error_of_the_specification() {
    let specification = Specification::of(Mode::Passwordless);
    let errors: BTreeSet<(String, String)> = specification
        .operations()
        .flat_map(|(_, operation)| operation["responses"].as_object().unwrap())
        .flat_map(|(status, response)| {
            let body = &specification.resolved(response)["content"]["application/json"];
            let names = keys(&body["examples"]).into_iter();
            names.map(|name| (status.clone(), name))
        })
        .collect();
    let template = Stack::standard().template();
    let answers = &template["Resources"]["Api"]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"];
    for (name, answer) in answers.as_object().unwrap() {
        let body = answer["responseTemplates"]["application/json"]
            .as_str()
            .unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        let error_type = body["error"]["type"].as_str().unwrap();
        // One that has no status of its own is an answer to a request that the gateway can't read.
        let status = answer["statusCode"].as_str().unwrap_or("400");
        assert!(
            errors.contains(&(status.to_owned(), error_type.to_owned())),
            "{name}"
        );
    }
}

#[test]
fn the_functions_and_the_router_of_make_watch_are_the_specification_s_routes() {
    let functions: BTreeMap<String, String> = ROUTES
        .iter()
        .map(|route| (format!("/auth{}", route.path), route.function()))
        .collect();
    assert_eq!(
        functions.keys().collect::<Vec<_>>(),
        specified().keys().collect::<Vec<_>>()
    );

    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let router = &metadata["metadata"]["lambda"]["watch"]["router"];
    assert_eq!(*router, json!(functions));

    let folders: BTreeSet<String> = std::fs::read_dir(root().join("functions"))
        .unwrap()
        .map(|folder| folder.unwrap().path())
        .filter(|folder| {
            let doorway = std::fs::read_to_string(folder.join("src/main.rs")).unwrap();
            // The others are triggers.
            doorway.contains("auth_core::http::Route")
        })
        .map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(folders, functions.into_values().collect());
}

#[test]
fn the_console_sends_the_specification_s_routes_their_fields() {
    let program =
        r#"import { ROUTES } from "./console/api.js"; console.log(JSON.stringify(ROUTES));"#;
    let mut node = Command::new("node");
    node.args(["--input-type=module", "--eval", program]);
    let output = node.current_dir(root()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let sent: BTreeMap<String, BTreeSet<String>> =
        serde_json::from_slice(&output.stdout).expect(&errors);

    let mut specified: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for route in ROUTES {
        let fields = specified
            .entry(route.path.trim_start_matches('/').to_owned())
            .or_default();
        fields.extend(route.fields.iter().map(|field| (*field).to_owned()));
        if route.path == "/sign-up" {
            fields.insert("role".to_owned());
        }
    }
    assert_eq!(sent, specified);
}

#[test]
fn operations_are_named_after_their_functions_and_have_an_example_of_each_mode() {
    for route in ROUTES {
        let specification = Specification::of(route.mode);
        let operation = specification.operation(route.path);
        let resource = route.resource();
        let name = resource[..1].to_lowercase() + &resource[1..];
        assert_eq!(operation["operationId"], name);

        let operation = &Specification::document()["paths"][route.path]["post"];
        let modes = strings(&operation["x-modes"]).into_iter().collect();
        for body in [&operation["requestBody"], &operation["responses"]["200"]] {
            let examples = &body["content"]["application/json"]["examples"];
            assert_eq!(keys(examples), modes, "{name}");
        }
    }
}

#[test]
fn the_version_is_the_workspace_s() {
    let version = &Specification::document()["info"]["version"];
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn redocly_finds_nothing_against_the_specification_nor_against_its_examples() {
    let js = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    let redocly = Command::new(js.join("node_modules/.bin/redocly"))
        .args(["lint", "--extends=recommended-strict"])
        .arg(root().join("openapi.yaml"))
        .current_dir(js)
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
        .output()
        .expect("Redocly is not installed: run `make test`.");
    let told = String::from_utf8_lossy(&redocly.stderr);
    assert!(redocly.status.success(), "{told}");
}

// ── The examples, sent ────────────────────────────────────────────────────────────────────────────────

/// The fields of an answer that are another's each time; where they stand in a later request, they are the last
/// answer's.
const FRESH: [&str; 5] = ["id", "session", "accessToken", "tokenId", "refreshToken"];

/// The example with what is true for one person: their username, and what they were given.
fn told_to(person: &Person, given: &BTreeMap<String, Value>, example: &Value) -> Value {
    match example {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let given_value = given.get(name).cloned();
                let value = given_value.unwrap_or_else(|| told_to(person, given, value));
                (name.clone(), value)
            })
            .collect(),
        Value::String(text) => ["user@example.com", "+34999999999"]
            .into_iter()
            .fold(text.clone(), |text, name| {
                text.replace(name, &person.username)
            })
            .into(),
        _ => example.clone(),
    }
}

#[test]
fn the_example_of_every_route_is_answered_as_its_example_says() {
    const JOURNEY: [&str; 9] = [
        "/sign-up",
        "/sign-up/resend-code",
        "/sign-up/confirm",
        "/sign-in",
        "/token",
        "/token/refresh",
        "/token/revoke",
        "/password/forgot",
        "/password/change",
    ];
    for mode in MODES {
        let (stack, specification) = (Stack::of(mode), Specification::of(mode));
        let person = Person::of(mode);
        let mut given = BTreeMap::new();
        let mut sent = 0;
        for path in JOURNEY {
            if mode.routes().all(|route| route.path != path) {
                continue;
            }
            if path == "/token" {
                let code = stack.codes_sent_to(&person).pop().unwrap();
                given.insert("confirmationCode".to_owned(), code.into());
            }
            let request = told_to(&person, &given, specification.request_example(path));
            let answer = stack.post(path, request).granted();
            for name in FRESH {
                if let Some(value) = answer.get(name) {
                    given.insert(name.to_owned(), value.clone());
                }
            }
            let example = told_to(&person, &given, specification.answer_example(path));
            assert_eq!(answer, example, "{path}");
            sent += 1;
        }
        assert_eq!(sent, mode.routes().count());
    }
}

/// Checks that a request is refused with the error that the specification has an example of.
#[track_caller]
fn assert_refused_as_specified(
    mode: Mode,
    path: &str,
    body: &Value,
    status: u16,
    error_type: &str,
) {
    let answer = Stack::of(mode).post(path, body.clone());
    assert_is_example(mode, path, &answer, status, error_type);
}

/// The errors for which the embedded AWS has a text of its own.
const OTHER_TEXTS: [&str; 2] = ["InvalidPasswordException", "UsernameExistsException"];

#[track_caller]
fn assert_is_example(mode: Mode, path: &str, answer: &Answer, status: u16, error_type: &str) {
    let specification = Specification::of(mode);
    let example = specification.error_example(path, status, error_type);
    let what = format!("{path} in {}: {answer:?}", mode.name());
    assert_eq!(answer.status, status, "{what}");
    let (error, body) = (&example["error"], answer.json());
    assert_eq!(body["error"]["type"], error["type"], "{what}");
    if !OTHER_TEXTS.contains(&error_type) {
        // A final period may be missing, on AWS too.
        let text = |error: &Value| {
            error["message"]
                .as_str()
                .unwrap()
                .trim_end_matches('.')
                .to_owned()
        };
        assert_eq!(text(&body["error"]), text(error), "{what}");
    }
}

#[test]
fn a_body_that_can_not_be_read_is_refused_as_each_route_s_examples_say() {
    for route in ROUTES {
        let specification = Specification::of(route.mode);
        let message = |error_type: &str| {
            let example = specification.error_example(route.path, 400, error_type);
            example["error"]["message"].as_str().unwrap().to_owned()
        };
        // The field is the one that the example's message names.
        let field = |message: &str| {
            let named =
                |field: &&&str| message.contains(&(field[..1].to_uppercase() + &field[1..]));
            (**route.fields.iter().find(named).unwrap()).to_owned()
        };
        let refused = |body: &[u8], status: u16, error_type: &str| {
            let answer = Stack::of(route.mode).post_bytes(route.path, body);
            assert_is_example(route.mode, route.path, &answer, status, error_type);
        };

        refused(b"[", 400, "SerializationException");
        refused(
            &[b' '; 16 * 1024 + 1],
            413,
            "RequestEntityTooLargeException",
        );
        let mut body = route.body();
        body.remove(&field(&message("MissingRequiredParameter")));
        refused(
            json!(body).to_string().as_bytes(),
            400,
            "MissingRequiredParameter",
        );
        let mut body = route.body();
        body.insert(field(&message("InvalidParameterType")), json!(1));
        refused(
            json!(body).to_string().as_bytes(),
            400,
            "InvalidParameterType",
        );
    }
}

#[test]
fn refusals_are_what_each_route_s_examples_say() {
    let (stack, mode) = (Stack::standard(), Mode::UserPassword);
    let (unconfirmed, confirmed) = (stack.unconfirmed_user(), stack.confirmed_user());
    let (unconfirmed, confirmed) = (&unconfirmed.username, &confirmed.username);
    let nobody = Person::of(mode).username;
    let sign_up = |username: &str, password: &str, role: &str| json!({ "username": username, "password": password, "userAttributes": { "role": role } });
    let confirm =
        |username: &str, code: &str| json!({ "username": username, "confirmationCode": code });
    let of = |username: &str| json!({ "username": username });
    let sign_in = |username: &str| json!({ "username": username, "password": "Wr0ng!secret" });
    let change = |username: &str, password: &str, code: &str| json!({ "username": username, "password": password, "confirmationCode": code });
    stack.post("/password/forgot", of(confirmed)).granted();
    for (path, body, status, error_type) in [
        (
            "/sign-up",
            sign_up(&nobody, "Sup3r!secret", "Admin"),
            400,
            "InvalidParameterException",
        ),
        (
            "/sign-up",
            sign_up(&nobody, "Sh0rt!", "User"),
            400,
            "InvalidPasswordException",
        ),
        (
            "/sign-up/confirm",
            confirm("nobody", "1"),
            400,
            "InvalidParameterException",
        ),
        (
            "/sign-up/confirm",
            confirm(unconfirmed, "000000"),
            400,
            "CodeMismatchException",
        ),
        (
            "/sign-up/confirm",
            confirm(confirmed, SIGN_UP_CODE),
            401,
            "NotAuthorizedException",
        ),
        (
            "/sign-up/confirm",
            confirm(&nobody, "1"),
            404,
            "UserNotFoundException",
        ),
        (
            "/sign-up/resend-code",
            of(&nobody),
            404,
            "UserNotFoundException",
        ),
        (
            "/sign-in",
            sign_in("nobody"),
            400,
            "InvalidParameterException",
        ),
        (
            "/sign-in",
            sign_in(confirmed),
            401,
            "NotAuthorizedException",
        ),
        (
            "/sign-in",
            sign_in(unconfirmed),
            403,
            "UserNotConfirmedException",
        ),
        ("/sign-in", sign_in(&nobody), 404, "UserNotFoundException"),
        (
            "/token/refresh",
            json!({ "refreshToken": "none" }),
            401,
            "NotAuthorizedException",
        ),
        (
            "/token/revoke",
            json!({ "accessToken": "none" }),
            401,
            "NotAuthorizedException",
        ),
        (
            "/password/forgot",
            of(&nobody),
            404,
            "UserNotFoundException",
        ),
        (
            "/password/change",
            change("nobody", "p", "1"),
            400,
            "InvalidParameterException",
        ),
        (
            "/password/change",
            change(confirmed, "Sup3r!secret", "000000"),
            400,
            "CodeMismatchException",
        ),
        (
            "/password/change",
            change(confirmed, "Sh0rt!", PASSWORD_CODE),
            400,
            "InvalidPasswordException",
        ),
        (
            "/password/change",
            change(&nobody, "Sup3r!secret", "1"),
            404,
            "UserNotFoundException",
        ),
    ] {
        assert_refused_as_specified(mode, path, &body, status, error_type);
    }

    let (stack, mode) = (Stack::passwordless(), Mode::Passwordless);
    let (unconfirmed, confirmed) = (stack.unconfirmed_user(), stack.confirmed_user());
    let nobody = Person::of(mode).username;
    let challenge = stack.challenge(&confirmed);
    let session = stack.answer_wrongly_twice(&confirmed, &challenge);
    let answer = |username: &str| json!({ "username": username, "session": session, "confirmationCode": challenge.wrong_code() });
    // Beyond the time in which a second sign-in is the same attempt.
    stack.let_time_pass(&stack.user(&confirmed.username)["sub"], 20);
    for (path, body, status, error_type) in [
        (
            "/sign-up",
            sign_up(&confirmed.username, "", "User"),
            409,
            "UsernameExistsException",
        ),
        (
            "/sign-in",
            of(&unconfirmed.username),
            403,
            "UserNotConfirmedException",
        ),
        ("/sign-in", of(&nobody), 404, "UserNotFoundException"),
        (
            "/token",
            answer("nobody@example.com"),
            400,
            "InvalidParameterException",
        ),
        (
            "/token",
            answer(&confirmed.username),
            401,
            "NotAuthorizedException",
        ),
        (
            "/sign-in",
            of(&confirmed.username),
            429,
            "TooManyRequestsException",
        ),
    ] {
        assert_refused_as_specified(mode, path, &body, status, error_type);
    }
}
