//! `openapi.yaml` against the code, the template and the deployed stacks.
//!
//! That every answer of a stack is one that the specification has is checked where it comes in, in
//! `Stack::post`: each test of this folder is one of the specification too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Mode, Person, ROUTES, Route, SIGN_UP_CODE, Specification, Stack};
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
            let operation = specification.operation(route.path);
            let schema = specification.request_schema(operation);
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

/// Checks that a request is refused with the error that the specification has an example of, to the letter.
#[track_caller]
fn assert_refused_as_specified(route: &Route, body: &[u8], status: u16, error_type: &str) {
    let answer = Stack::of(route.mode).post_bytes(route.path, body);
    let specification = Specification::of(route.mode);
    let example = specification.error_example(route.path, status, error_type);
    let what = format!("{} in {}", route.path, route.mode.name());
    assert_eq!((answer.status, &answer.json()), (status, example), "{what}");
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
            let named = |field: &&&str| message.contains(&(field[..1].to_uppercase() + &field[1..]));
            (**route.fields.iter().find(named).unwrap()).to_owned()
        };
        let refused = |body: &[u8], status: u16, error_type: &str| {
            assert_refused_as_specified(&route, body, status, error_type);
        };

        refused(b"[", 400, "SerializationException");
        refused(&[b' '; 16 * 1024 + 1], 413, "RequestEntityTooLargeException");
        let mut body = route.body();
        body.remove(&field(&message("MissingRequiredParameter")));
        refused(json!(body).to_string().as_bytes(), 400, "MissingRequiredParameter");
        let mut body = route.body();
        body.insert(field(&message("InvalidParameterType")), json!(1));
        refused(json!(body).to_string().as_bytes(), 400, "InvalidParameterType");
    }
}
