//! The tools behind `make`: the packages that it installs, the checks that it runs, and what may use AWS credentials.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use e2e::{Answer, Process, read, root};
use serde_json::json;

/// The pinned packages of a requirements file.
fn packages(file: &str) -> Vec<String> {
    let text = read(file).replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// Every requirements file.
fn requirements() -> Vec<String> {
    let folders = ["local", "crates/e2e/python", "crates/bench/peers/python"];
    let files = folders.iter().flat_map(|folder| {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        entries.map(move |entry| format!("{folder}/{}", entry.unwrap().file_name().display()))
    });
    files.filter(|file| file.ends_with(".txt")).collect()
}

#[test]
fn pip_installs_only_packages_with_hashes() {
    let makefile = read("Makefile");
    let mut installs = makefile.lines().filter(|line| line.contains("pip install"));
    let install = installs.next().unwrap();
    assert!(install.contains("--no-deps --require-hashes"), "{install}");
    assert_eq!(installs.next(), None);
}

#[test]
fn embedded_aws_runs_in_its_own_virtual_environment() {
    let has = |file: &str, name: &str| {
        let start = format!("{name}==");
        packages(file)
            .iter()
            .any(|package| package.starts_with(&start))
    };
    let (with_credentials, embedded) = (
        "local/requirements.txt",
        "local/requirements-embedded-aws.txt",
    );
    for (name, file) in [
        ("awscli", with_credentials),
        ("aws-sam-cli", with_credentials),
        ("ministack", embedded),
    ] {
        for other in requirements() {
            assert_eq!(has(&other, name), other == file, "{name} in {other}");
        }
    }
    let state = std::env::var("RUN").expect("no embedded AWS runs: run `make test`");
    let pid = fs::read_to_string(Path::new(&state).join("pid")).unwrap();
    let started = fs::read_to_string(format!("/proc/{}/cmdline", pid.trim())).unwrap();
    assert!(
        started.starts_with("local/.venv-embedded-aws/bin/python\0"),
        "{started}"
    );
}

#[test]
fn check_prints_every_failure_with_its_remedy() {
    let mut check = Command::new(root().join("local/check"));
    let check = check.args(["mode", "port"]).env_remove("RUN");
    let output = check.env("MODE", "None").env("PORT", "abc").output();
    let output = output.unwrap();
    assert!(!output.status.success());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "MODE is UserPassword or Passwordless, not None\nPORT is a number, not abc\n"
    );
}

/// Otherwise, requests under `make watch` would wait until the function compiles.
#[test]
fn watch_answers_500_if_a_function_does_not_compile() {
    let mut cargo = Command::new(root().join("local/run-route"));
    cargo.args([
        "run",
        "--manifest-path",
        "no/Cargo.toml",
        "--bin",
        "sign-in",
    ]);
    let mut process = Process::start(&mut cargo);
    for _ in 0..2 {
        process.ready().unwrap();
        let answer = process.invoke("{}", Duration::from_secs(30)).unwrap();
        let answer = Answer::of_function(&serde_json::from_str(&answer).unwrap());
        assert_eq!(answer.status, 500);
        let error = json!({
            "type": "InternalErrorException",
            "message": "The function does not compile. make watch printed the error.",
        });
        assert_eq!(answer.json(), json!({ "error": error }));
    }
}
