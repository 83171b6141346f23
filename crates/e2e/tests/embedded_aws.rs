//! The embedded AWS: that it behaves as AWS does, with the tests in `local/strict/tests.py`, and `local/embedded-aws`.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Output};

use e2e::{Stack, root};

#[test]
fn embedded_aws_is_as_strict_as_aws() {
    let python = ["run", "env", "PYTHONPATH=local", "python"];
    let tests = ["-m", "unittest", "strict.tests"];
    Stack::standard().embedded_aws(&[&python[..], &tests].concat());
}

/// A port. Dropping this value stops its embedded AWS.
struct Port(String);

impl Port {
    fn free() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self(listener.local_addr().unwrap().port().to_string())
    }

    /// Runs `local/embedded-aws` as `make` does with this PORT.
    fn embedded_aws(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(root().join("local/embedded-aws"));
        let command = command.args(arguments).env("PORT", &self.0);
        command.env_remove("RUN").output().unwrap()
    }

    /// The account's keys.
    fn keys(&self) -> BTreeMap<String, String> {
        let printed = String::from_utf8(self.embedded_aws(&["run", "env"]).stdout).unwrap();
        let variables = printed.lines().filter_map(|line| line.split_once('='));
        variables
            .filter(|(name, _)| ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn has_bucket(&self) -> bool {
        let list = ["run", "aws", "s3api", "list-buckets", "--output", "text"];
        let listed = self.embedded_aws(&list);
        listed.status.success()
            && String::from_utf8(listed.stdout)
                .unwrap()
                .contains("test-bucket")
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.embedded_aws(&["down"]);
    }
}

#[test]
fn each_port_has_its_own_state_and_keys() {
    let (one, other) = (Port::free(), Port::free());
    assert!(one.embedded_aws(&["up"]).status.success());
    let bucket = ["run", "aws", "s3", "mb", "s3://test-bucket"];
    assert!(one.embedded_aws(&bucket).status.success());
    let keys = one.keys();
    assert!(other.embedded_aws(&["up"]).status.success());
    assert!(one.has_bucket() && !other.has_bucket());

    for (name, value) in other.keys() {
        assert_ne!(keys[&name], value, "{name}");
        assert!(value.len() >= 36, "{name} can be guessed");
    }

    let stopped = other.embedded_aws(&["down"]);
    assert_eq!(stopped.stdout, b"The embedded AWS has stopped.\n");
    assert!(!other.has_bucket());
    assert!(one.has_bucket());
    assert_eq!(one.keys(), keys);
    let stopped = one.embedded_aws(&["down"]);
    assert_eq!(stopped.stdout, b"The embedded AWS has stopped.\n");
    // The next start has new keys.
    assert!(one.embedded_aws(&["up"]).status.success());
    assert_ne!(one.keys(), keys);
}
