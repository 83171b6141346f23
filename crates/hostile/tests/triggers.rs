//! The functions of Cognito's triggers in this process: their answers to generated events.

use std::thread::available_parallelism;

use e2e::TRIGGERS;
use hostile::{Triggers, run, run_all};

const EVENTS_PER_TRIGGER: u32 = 3_000;

#[test]
fn triggers_survive_generated_events_and_keep_secrets() {
    let threads = available_parallelism().unwrap().get();
    run_all(&TRIGGERS, threads, |number, trigger| {
        let triggers = Triggers::default();
        let cases = Triggers::any(trigger);
        let tally = run(number, EVENTS_PER_TRIGGER, &cases, |event| {
            triggers.check(trigger, &event)
        });
        let refusal = match *trigger {
            "create-auth-challenge" => Some("TooManyRequestsException"),
            "verify-auth-challenge-response" => Some("NotAuthorizedException"),
            _ => None,
        };
        let always = ["success", "InternalErrorException"];
        for outcome in always.into_iter().chain(refusal) {
            let times = tally.get(outcome).copied().unwrap_or_default();
            assert!(
                times * 20 > EVENTS_PER_TRIGGER,
                "{trigger}, {outcome}: {times}"
            );
        }
        tally
    });
}
