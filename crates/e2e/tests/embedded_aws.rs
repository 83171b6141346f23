//! `local/strict/tests.py`: the embedded AWS behaves as AWS does.

use e2e::Stack;

#[test]
fn the_embedded_aws_is_as_strict_as_aws() {
    let python = ["run", "env", "PYTHONPATH=local", "python"];
    let tests = ["-m", "unittest", "strict.tests"];
    Stack::standard().embedded_aws(&[&python[..], &tests].concat());
}
