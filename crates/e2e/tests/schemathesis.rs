//! Schemathesis sends hundreds of valid and invalid requests, generated from `openapi.yaml`, to the deployed stacks. It
//! checks every answer against the specification. `python/schemathesis.toml` has the settings.

use std::path::Path;
use std::process::Command;

use e2e::{Mode, Specification, Stack, output_of, root};
use serde_json::{Value, json};

#[test]
fn schemathesis_finds_nothing_in_user_password() {
    run(Mode::UserPassword);
}

#[test]
fn schemathesis_finds_nothing_in_passwordless() {
    run(Mode::Passwordless);
}

#[track_caller]
fn run(mode: Mode) {
    let file = |suffix: &str| {
        let name = format!("schemathesis-{}-{suffix}.json", mode.name());
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
    };
    let specification = Specification::of(mode);
    let mut document = specification.json().clone();
    // With other roles or passwords, no sign-up would succeed.
    let schemas = &mut document["components"]["schemas"];
    schemas["UserAttributes"]["properties"]["role"]["enum"] = json!(["User"]);
    schemas["Password"]["enum"] = json!(["Sup3r!secret"]);
    std::fs::write(file("openapi"), document.to_string()).unwrap();

    let mut schemathesis = Command::new(root().join("local/.venv-test/bin/schemathesis"));
    schemathesis
        .arg("--config-file")
        .arg(root().join("crates/e2e/python/schemathesis.toml"))
        .arg("run")
        .arg(file("openapi"))
        .args(["--url", Stack::of(mode).output("AuthApiURL")])
        .args(["--report", "json", "--report-json-path"])
        .arg(file("report"))
        .current_dir(env!("CARGO_TARGET_TMPDIR"));
    let output_text = output_of(&mut schemathesis);

    let report = std::fs::read_to_string(file("report")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let (routes, requests) = (&report["operations"]["tested"], &report["test_cases"]);
    println!("{}: {routes} routes, {requests}", mode.name());
    assert_eq!(*routes, mode.routes().count(), "{output_text}");
    assert!(requests["generated"].as_u64() > Some(200), "{output_text}");
    assert_eq!(requests["without_checks"], 0, "{output_text}");
}
