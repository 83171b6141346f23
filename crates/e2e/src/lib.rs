//! What the end-to-end tests share: the deployed stacks, their users, and the rules that every answer
//! keeps. The tests are in `tests/`, one file per topic.

use std::collections::BTreeSet;
use std::fmt::Debug;

mod answer;
mod aws;
mod deployment;
mod function;
pub mod http;
mod one_time_codes;
mod person;
mod process;
mod route;
mod specification;
mod stack;
mod terminal;
mod tokens;
mod verify;
mod walk;

pub use answer::Answer;
pub use aws::{Authority, Aws, Fault, Scope, Trouble};
pub use deployment::text;
pub use fake_aws::ENVIRONMENT;
pub use function::{Ended, Function, TRIGGERS, functions, resource, trigger_event};
pub use one_time_codes::{Challenge, session_in};
pub use person::{Person, random};
pub use process::Process;
pub use route::{Mode, ROUTES, Route};
pub use specification::Specification;
pub use stack::{PASSWORD_CODE, SIGN_UP_CODE, Stack, url_encoded};
pub use terminal::Terminal;
pub use tokens::Tokens;
pub use verify::{verify, verify_access_token};
pub use walk::Walk;

/// Checks that a file has all that there is, and nothing else.
///
/// # Panics
/// With what is missing there and what is there in vain.
#[track_caller]
pub fn assert_lists<T: Ord + Debug>(file: &str, listed: &BTreeSet<T>, there_is: &BTreeSet<T>) {
    let missing: Vec<_> = there_is.difference(listed).collect();
    let gone: Vec<_> = listed.difference(there_is).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "{file}: {missing:?} is missing, {gone:?} is there in vain"
    );
}
