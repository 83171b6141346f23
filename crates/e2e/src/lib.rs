//! What the end-to-end tests share: the deployed stacks, their users, and the rules that every answer
//! keeps. The tests are in `tests/`, one file per topic.

mod answer;
mod function;
pub mod http;
mod person;
mod process;
mod stack;
mod tokens;

pub use answer::Answer;
pub use function::{CognitoDouble, ENVIRONMENT, Ended, Function};
pub use person::Person;
pub use process::Process;
pub use stack::{PASSWORD_CODE, SIGN_UP_CODE, Stack};
pub use tokens::Tokens;
