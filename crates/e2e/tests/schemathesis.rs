//! Schemathesis: hundreds of requests made from `openapi.yaml`, well-formed and not, to the deployed stacks,
//! whose every answer must be one that the specification has. `python/schemathesis.toml` says what is checked.

use std::path::Path;
use std::process::Command;

use e2e::{Mode, Specification, Stack};
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
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let written = |suffix: &str| {
        let name = format!("schemathesis-{}-{suffix}.json", mode.name());
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
    };
    let specification = Specification::of(mode);
    let mut document = specification.json().clone();
    // Roles and passwords are each stack's own: with any others, sign-ups would not be granted.
    let schemas = &mut document["components"]["schemas"];
    schemas["UserAttributes"]["properties"]["role"]["enum"] = json!(["User"]);
    schemas["Password"]["enum"] = json!(["Sup3r!secret"]);
    std::fs::write(written("openapi"), document.to_string()).unwrap();

    let output = Command::new(here.join("../../local/.venv-test/bin/schemathesis"))
        .arg("--config-file")
        .arg(here.join("python/schemathesis.toml"))
        .arg("run")
        .arg(written("openapi"))
        .args(["--url", Stack::of(mode).output("AuthApiURL")])
        .args(["--report", "json", "--report-json-path"])
        .arg(written("report"))
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .expect("Schemathesis is not installed: run `make test`.");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");

    let report = std::fs::read_to_string(written("report")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let (routes, requests) = (&report["operations"]["tested"], &report["test_cases"]);
    println!("{}: {routes} routes, {requests}", mode.name());
    assert_eq!(*routes, mode.routes().count(), "{told}");
    assert!(requests["generated"].as_u64() > Some(200), "{told}");
    assert_eq!(requests["without_checks"], 0, "{told}");
}
