//! How many connections to AWS a function makes: each costs a TLS handshake.

use std::path::Path;
use std::time::Duration;

use e2e::{Answer, Authority, Aws, Fault, Function, Mode, Process, Trouble};

/// A stand-in for AWS, and the process of `sign-in` in front of it.
fn sign_in() -> (Aws, Process) {
    let aws = Aws::start(&Authority::new(Path::new(env!("CARGO_TARGET_TMPDIR"))));
    let mut process = Function::configured("sign-in").behind(&aws).start();
    process.ready().unwrap();
    (aws, process)
}

fn grant(process: &mut Process) {
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
        grant(&mut process);
    }
    assert_eq!((aws.calls(), aws.connections()), (5, 1));
}

#[test]
fn function_retries_over_a_new_connection() {
    let (aws, mut process) = sign_in();
    aws.fail(Trouble {
        fault: Fault::Failure,
        operation: None,
        after: 1,
        most: 1,
    });
    grant(&mut process);
    assert_eq!((aws.calls(), aws.connections()), (1, 1));
    grant(&mut process);
    assert_eq!((aws.calls(), aws.connections()), (3, 2));
}
