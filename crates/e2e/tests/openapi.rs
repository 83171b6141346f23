//! `openapi.yaml` against itself and the deployed stacks; the rest of it is held to in routes.rs and template.rs.
//!
//! That every answer of a stack is one that the specification has is checked where it comes in, in
//! `Stack::post`: each test of this folder is one of the specification too.

use std::path::Path;
use std::process::Command;

use e2e::{Mode, Specification, Stack, Walk};

#[test]
fn every_example_request_returns_its_example_answer() {
    for mode in Mode::BOTH {
        let stack = Stack::of(mode);
        let mut walk = Walk::start(&stack);
        for route in mode.routes() {
            let request = walk.request(route);
            let answer = walk.post(route, &request).assert_ok();
            walk.take(&answer);
            assert_eq!(answer, walk.answer(route), "{route:?}");
        }
    }
}

#[test]
fn openapi_version_matches_the_workspace() {
    let version = &Specification::document()["info"]["version"];
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn redocly_finds_nothing_in_the_specification() {
    let js = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    let redocly = Command::new(js.join("node_modules/.bin/redocly"))
        .args([
            "lint",
            "--extends=recommended-strict",
            "../../../openapi.yaml",
        ])
        .current_dir(js)
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
        .output()
        .expect("Redocly is not installed: run `make test`.");
    let told = String::from_utf8_lossy(&redocly.stderr);
    assert!(redocly.status.success(), "{told}");
}
