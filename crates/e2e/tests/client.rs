//! The TypeScript client that is generated from `openapi.yaml`. `js/src/client.ts` uses it to call every route of the
//! deployed stacks.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use e2e::{Mode, PASSWORD_CODE, Person, SIGN_UP_CODE, Stack};

#[test]
fn generated_client_calls_every_route_of_each_mode() {
    for (mode, person) in [
        (Mode::UserPassword, Person::with_email()),
        (Mode::Passwordless, Person::with_phone()),
        (Mode::Passwordless, Person::with_email()),
    ] {
        let steps = steps_of_client(mode, &person);
        for route in mode.routes() {
            let operation = route.operation()["operationId"].as_str().unwrap();
            assert!(
                steps.iter().any(|step| step == operation),
                "{operation}: {steps:?}"
            );
        }
    }
}

/// Runs the client as a new user, and sends it the codes that it asks for. Returns the steps that it printed.
#[track_caller]
fn steps_of_client(mode: Mode, person: &Person) -> Vec<String> {
    let stack = Stack::of(mode);
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("js/dist/client.js");
    assert!(
        client.is_file(),
        "The client is not built: run `make test`."
    );
    let mut client = Command::new("node")
        .arg(client)
        .args([mode.name(), stack.output("AuthApiURL"), &person.username])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut codes = client.stdin.take().unwrap();
    let mut steps = Vec::new();
    for step in BufReader::new(client.stdout.take().unwrap()).lines() {
        let step = step.unwrap();
        let code = match step.strip_prefix("code for ") {
            Some("signUpConfirm") => SIGN_UP_CODE.to_owned(),
            Some("passwordChange") => PASSWORD_CODE.to_owned(),
            Some(_) => stack.codes_sent_to(person).pop().unwrap(),
            None => String::new(),
        };
        if !code.is_empty() {
            writeln!(codes, "{code}").unwrap();
        }
        steps.push(step);
    }
    assert!(client.wait().unwrap().success(), "{steps:?}");
    steps
}
