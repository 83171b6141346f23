//! The number of connections to AWS that a function opens. Each costs a TLS handshake.

use std::path::Path;
use std::time::Duration;

use e2e::{Answer, Authority, Aws, Fault, Function, InjectedFault, Mode, Process};

/// A stand-in for AWS, and the process of `sign-in` in front of it.
fn sign_in() -> (Aws, Process) {
    let aws = Aws::start(&Authority::new(Path::new(env!("CARGO_TARGET_TMPDIR"))));
    let mut process = Function::configured("sign-in").behind(&aws).start();
    process.ready().unwrap();
    (aws, process)
}

fn assert_signs_in(process: &mut Process) {
    let route = Mode::UserPassword.route("/sign-in").unwrap();
    let event = route.event(route.body()).to_string();
    let answer = process.invoke(&event, Duration::from_secs(20)).unwrap();
    Answer::of_function(&serde_json::from_str(&answer).unwrap()).assert_ok();
    process.ready().unwrap();
}

#[test]
fn function_sends_all_requests_over_one_connection() {
    let (aws, mut process) = sign_in();
    for _ in 0..5 {
        assert_signs_in(&mut process);
    }
    assert_eq!((aws.calls(), aws.connections()), (5, 1));
}

#[test]
fn function_retries_over_a_new_connection() {
    let (aws, mut process) = sign_in();
    aws.inject(InjectedFault {
        fault: Fault::Failure,
        operation: None,
        after: 1,
        times: 1,
    });
    assert_signs_in(&mut process);
    assert_eq!((aws.calls(), aws.connections()), (1, 1));
    assert_signs_in(&mut process);
    assert_eq!((aws.calls(), aws.connections()), (3, 2));
}
