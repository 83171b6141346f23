//! The system calls of a function before its first event: it connects to the Runtime API, and reads no file.

use std::path::Path;

use e2e::{Function, functions, root};

/// The system calls of a function until it requests its first event, one a line, and the port of its Runtime API.
fn start(name: &str) -> (Vec<String>, u16) {
    let tools = root().join("local/.venv/bin");
    let strace = tools.join("strace.py");
    assert!(
        strace.exists(),
        "The tools are not installed: run `make test`."
    );
    let calls = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("start-{name}"));
    let arguments = [
        strace.as_path(),
        "-f".as_ref(),
        "-o".as_ref(),
        &calls,
        "--".as_ref(),
    ];
    let function = Function::configured(name);
    let mut process = function.start_by(&tools.join("python"), &arguments);
    process.ready().unwrap();
    let calls = std::fs::read_to_string(calls).unwrap();
    (
        calls.lines().map(str::to_owned).collect(),
        process.lambda().port(),
    )
}

/// Whether the dynamic linker or Rust's runtime reads this file at every start.
fn is_read_at_every_start(path: &str) -> bool {
    path.starts_with("/etc/ld.so.")
        || path.starts_with("/proc/self/")
        || path.contains("/lib") && path.contains(".so")
}

#[test]
fn functions_read_no_file_before_their_first_event() {
    for name in functions() {
        let (calls, lambda) = start(&name);
        let [program, calls @ ..] = &calls[..] else {
            panic!("{name} was not traced");
        };
        assert!(program.starts_with("execve("), "{program}");
        let connections: Vec<&String> = calls
            .iter()
            .filter(|call| call.contains("] connect("))
            .collect();
        let [connection] = connections[..] else {
            panic!("{name} does not connect exactly once: {connections:?}");
        };
        let to_lambda = format!("sin_port={lambda}, sin_addr=127.0.0.1>");
        assert!(connection.contains(&to_lambda), "{name}: {connection}");
        let sockets = calls.iter().filter(|call| call.contains("] socket("));
        assert_eq!(sockets.count(), 1, "{name}");
        for call in calls {
            let quoted = call.split('\'').skip(1).step_by(2);
            for path in quoted.filter(|text| !text.is_empty()) {
                assert!(is_read_at_every_start(path), "{name}: {call}");
            }
        }
    }
}
