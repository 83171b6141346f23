//! What the end-to-end tests share: the deployed stacks, their users, and the rules that every answer
//! keeps. The tests are in `tests/`, one file per topic.

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

pub use answer::Answer;
pub use aws::{Authority, Aws, Fault, Reply, Scope, Trouble};
pub use deployment::text;
pub use fake_aws::ENVIRONMENT;
pub use function::{Ended, Function};
pub use one_time_codes::{Challenge, session_in};
pub use person::{Person, random};
pub use process::Process;
pub use route::{Mode, ROUTES, Route};
pub use specification::Specification;
pub use stack::{PASSWORD_CODE, SIGN_UP_CODE, Stack, url_encoded};
pub use terminal::Terminal;
pub use tokens::Tokens;
pub use verify::{verify, verify_access_token};
