//! `openapi.yaml` itself, and its examples on the deployed stacks. routes.rs and template.rs check the rest.
//!
//! `Stack::post` checks every answer against the specification, so every test of this folder tests it too.

use std::process::Command;

use e2e::{Journey, Mode, Specification, Stack, output_of, root};

#[test]
fn every_example_request_returns_its_example_answer() {
    for mode in Mode::BOTH {
        let stack = Stack::of(mode);
        let mut journey = Journey::start(&stack);
        for route in mode.routes() {
            let request = journey.request(route);
            let answer = journey.post(route, &request).assert_ok();
            journey.record(&answer);
            assert_eq!(answer, journey.answer(route), "{route:?}");
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
    let js = root().join("crates/e2e/js");
    let mut redocly = Command::new(js.join("node_modules/.bin/redocly"));
    let arguments = [
        "lint",
        "--extends=recommended-strict",
        "../../../openapi.yaml",
    ];
    redocly.args(arguments).current_dir(js);
    redocly.env("REDOCLY_TELEMETRY", "off");
    output_of(redocly.env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true"));
}
