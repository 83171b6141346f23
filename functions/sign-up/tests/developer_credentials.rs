//! A debug build, as `cargo lambda watch` makes it, signs with a developer's credentials: those that the AWS CLI finds.

#![allow(clippy::unwrap_used, reason = "a test that meets one of them fails")]

use std::path::Path;
use std::time::Duration;

use e2e::{Answer, Authority, Aws, Function, Mode};

/// Signs a user up with this profile, and gives the signature of the request that IAM guards.
fn signature_with(name: &str, profile: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let config = folder.join(format!("{name}.config"));
    std::fs::write(&config, format!("[profile developer]\n{profile}\n")).unwrap();
    let aws = Aws::start(&Authority::new(folder));
    let function = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ]
    .iter()
    .fold(Function::configured("sign-up"), |function, name| {
        function.without(name)
    })
    .with("AWS_CONFIG_FILE", config.display().to_string())
    .with("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    .with("AWS_PROFILE", "developer")
    .with("PATH", "/usr/bin:/bin")
    .behind(&aws);
    let mut process = function.start_by(Path::new(env!("CARGO_BIN_EXE_sign-up")), &[]);
    process.ready().unwrap();
    let mut routes = Mode::UserPassword.routes();
    let route = routes.find(|route| route.path == "/sign-up").unwrap();
    let event = route.event(route.body()).to_string();
    let answer = process.invoke(&event, Duration::from_secs(20)).unwrap();
    Answer::of_function(&serde_json::from_str(&answer).unwrap()).assert_ok();
    aws.signature().unwrap()
}

#[test]
fn a_profiles_keys_sign() {
    let keys = "aws_access_key_id = AKIAPROFILE\naws_secret_access_key = secret";
    let signature = signature_with("keys", keys);
    assert!(signature.contains("Credential=AKIAPROFILE/"), "{signature}");
}

#[test]
fn a_profiles_credential_process_signs() {
    let output = r#"{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"secret"}"#;
    let signature = signature_with("process", &format!("credential_process = echo '{output}'"));
    assert!(signature.contains("Credential=AKIAPROCESS/"), "{signature}");
}
