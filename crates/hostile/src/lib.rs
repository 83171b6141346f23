//! Generates hostile requests, sends them to the functions in this process or to a deployed API, and checks the answers
//! against the contract. The tests are in `tests/`, the fuzzer in `fuzz/`.

mod api;
mod event;
mod request;
mod run;
mod triggers;

pub use api::Api;
pub use event::Event;
pub use request::{MARK, Request};
pub use run::{Tally, run, run_all};
pub use triggers::Triggers;
