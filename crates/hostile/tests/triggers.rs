//! The functions of Cognito's triggers in this process: what they do with events that are none.

use hostile::{TRIGGERS, Triggers, run, seed};

const EVENTS: u32 = 20_000;

#[test]
fn no_event_makes_a_trigger_panic_change_what_is_not_its_own_or_tell_what_it_was_told() {
    let each = EVENTS.div_ceil(TRIGGERS.len() as u32);
    let triggers = Triggers::default();
    for (part, trigger) in TRIGGERS.into_iter().enumerate() {
        let tally = run(part, each, &Triggers::any(trigger), |event| triggers.judge(trigger, &event));
        println!("{trigger}: {tally:?}");
        for outcome in ["success", "InternalErrorException"] {
            let times = tally.get(outcome).copied().unwrap_or_default();
            assert!(times * 20 > each, "{outcome}: {times} of {each}");
        }
    }
    println!("{EVENTS} events, {}", seed());
}
