//! Code that the end-to-end tests share: the deployed stacks, their users, and the checks of every answer. The tests
//! are in `tests/`, one file per topic.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Command;

mod answer;
mod aws;
mod deployment;
mod function;
pub mod http;
mod journey;
mod one_time_codes;
mod person;
mod process;
mod route;
mod specification;
mod stack;
mod terminal;
mod tokens;
mod verify;

pub use answer::Answer;
pub use aws::{Authority, Aws, Fault, InjectedFault, Scope};
pub use deployment::text;
pub use fake_aws::ENVIRONMENT;
pub use function::{Exit, Function, TRIGGERS, functions, resource, trigger_event};
pub use journey::Journey;
pub use one_time_codes::{Challenge, session_in};
pub use person::{Person, random};
pub use process::Process;
pub use route::{Mode, ROUTES, Route};
pub use specification::Specification;
pub use stack::{PASSWORD_CODE, SIGN_UP_CODE, Stack, url_encoded};
pub use terminal::Terminal;
pub use tokens::Tokens;
pub use verify::{verify, verify_access_token};

/// Checks that a file lists exactly the expected items.
///
/// # Panics
/// If an item is missing or unexpected; the message names both.
#[track_caller]
pub fn assert_lists<T: Ord + Debug>(file: &str, listed: &BTreeSet<T>, expected: &BTreeSet<T>) {
    let missing: Vec<_> = expected.difference(listed).collect();
    let unexpected: Vec<_> = listed.difference(expected).collect();
    assert!(
        missing.is_empty() && unexpected.is_empty(),
        "{file} lacks {missing:?} and should not have {unexpected:?}"
    );
}

/// The folder of the repository.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

/// The text of a file of the repository.
#[track_caller]
pub fn read(path: &str) -> String {
    let text = std::fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs a command, and returns its standard output.
///
/// # Panics
/// If it fails; the message has its output.
#[track_caller]
pub fn output_of(command: &mut Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}: run `make test`."));
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}{errors}");
    text
}
