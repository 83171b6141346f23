//! What is measured: every function of the repository, the floor, and the peers.

use std::path::{Path, PathBuf};
use std::process::Command;

use bench::{events, machine};
use serde_json::{Value, json};

/// What a subject is compared with, and by which goals.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A Rust function without AWS or anything else.
    Floor,
    /// `sign-in` in another language.
    Peer,
    /// A function behind a route.
    Route,
    /// A Cognito trigger that calls AWS.
    CallingTrigger,
    /// A Cognito trigger that does not.
    Trigger,
}

/// Something that answers events.
pub struct Subject {
    /// How it is called in the results.
    pub name: String,
    pub kind: Kind,
    /// The event it is given, again and again.
    pub event: String,
    /// What is deployed of it: a file or a folder.
    pub deployed: PathBuf,
    /// The program that is started, and its arguments.
    pub command: Vec<PathBuf>,
    /// `MODE` of its environment.
    pub mode: &'static str,
}

impl Subject {
    /// The command with an environment of its own.
    pub fn command(&self, wrapper: &[&str], environment: &[(&'static str, String)]) -> Command {
        let mut words = wrapper
            .iter()
            .map(Path::new)
            .chain(self.command.iter().map(PathBuf::as_path));
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .env_clear()
            .envs(e2e::ENVIRONMENT)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("MODE", self.mode);
        command
    }

    /// Whether this is an answer of what was asked for, and not an error's.
    pub fn accepts(&self, answer: &Value) -> bool {
        match self.kind {
            Kind::Floor => answer["requestContext"].is_object(),
            Kind::Peer | Kind::Route => answer["statusCode"] == 200,
            Kind::CallingTrigger | Kind::Trigger => answer["triggerSource"].is_string(),
        }
    }
}

/// Everything that is measured. `root` is the repository, `built` what was built for the benchmark alone.
pub fn all(root: &Path, built: &Path) -> Vec<Subject> {
    let floor = built.join("floor/bootstrap");
    let go = built.join("go/bootstrap");
    let static_go = built.join("go-static/bootstrap");
    let node = built.join("node/bootstrap.js");
    let python = built.join("python");
    let sign_in = json!({ "username": "user@example.com", "password": "Sup3r!secret" });
    let peer = |name: &str, deployed: PathBuf, command| Subject {
        name: name.to_owned(),
        kind: Kind::Peer,
        event: events::of_route("/sign-in", &sign_in.to_string()),
        deployed,
        command,
        mode: "UserPassword",
    };
    let mut subjects = vec![
        Subject {
            kind: Kind::Floor,
            ..peer("floor", floor.clone(), vec![floor])
        },
        peer("Go, AWS SDK v2", go.clone(), vec![go]),
        peer("Go without cgo", static_go.clone(), vec![static_go]),
        peer(
            "Node.js, AWS SDK v3",
            node.clone(),
            vec![interpreter("node", &["-p", "process.execPath"]), node],
        ),
        peer(
            "Python, boto3",
            python.clone(),
            vec![
                interpreter("python3", &["-c", "import sys; print(sys.executable)"]),
                python.join("bootstrap.py"),
            ],
        ),
    ];
    let function = |kind, name: &str, mode, event| {
        let bootstrap = root.join("target/lambda").join(name).join("bootstrap");
        Subject {
            name: match mode {
                "Passwordless" if name == "sign-in" => format!("{name} ({mode})"),
                _ => name.to_owned(),
            },
            kind,
            event,
            deployed: bootstrap.clone(),
            command: vec![bootstrap],
            mode,
        }
    };
    subjects.extend(routes().map(|(name, path, mode, body)| {
        function(
            Kind::Route,
            name,
            mode,
            events::of_route(path, &body.to_string()),
        )
    }));
    subjects.extend(triggers().map(|(name, kind, event)| {
        function(kind, name, "Passwordless", events::of_trigger(&event))
    }));
    subjects
}

fn routes() -> impl Iterator<Item = (&'static str, &'static str, &'static str, Value)> {
    let user = "user@example.com";
    let phone = "+34999999999";
    let password = "Sup3r!secret";
    let session = "s".repeat(900);
    let token = format!("header.{}.signature", "t".repeat(1030));
    [
        (
            "sign-in",
            "/sign-in",
            json!({ "username": user, "password": password }),
        ),
        ("sign-in", "/sign-in", json!({ "username": phone })),
        (
            "sign-up",
            "/sign-up",
            json!({ "username": user, "password": password, "userAttributes": { "role": "User" } }),
        ),
        (
            "sign-up-confirm",
            "/sign-up/confirm",
            json!({ "username": user, "confirmationCode": "123456" }),
        ),
        (
            "sign-up-resend-code",
            "/sign-up/resend-code",
            json!({ "username": user }),
        ),
        (
            "token",
            "/token",
            json!({ "username": phone, "session": session, "confirmationCode": "123456" }),
        ),
        (
            "token-refresh",
            "/token/refresh",
            json!({ "refreshToken": token }),
        ),
        (
            "token-revoke",
            "/token/revoke",
            json!({ "accessToken": token }),
        ),
        (
            "password-forgot",
            "/password/forgot",
            json!({ "username": user }),
        ),
        (
            "password-change",
            "/password/change",
            json!({ "username": user, "password": password, "confirmationCode": "123456" }),
        ),
    ]
    .into_iter()
    .map(move |(name, path, body)| {
        let mode = match body["username"] == phone {
            true => "Passwordless",
            false => "UserPassword",
        };
        (name, path, mode, body)
    })
}

fn triggers() -> impl Iterator<Item = (&'static str, Kind, Value)> {
    let code = json!({ "code": "123456" });
    [
        (
            "pre-sign-up",
            Kind::Trigger,
            json!({ "triggerSource": "PreSignUp_SignUp", "request": { "validationData": null } }),
        ),
        (
            "custom-message",
            Kind::Trigger,
            json!({ "triggerSource": "CustomMessage_ForgotPassword", "request": { "codeParameter": "{####}" } }),
        ),
        (
            "define-auth-challenge",
            Kind::Trigger,
            json!({ "triggerSource": "DefineAuthChallenge_Authentication", "request": { "session": [] } }),
        ),
        (
            "post-confirmation",
            Kind::CallingTrigger,
            json!({ "triggerSource": "PostConfirmation_ConfirmSignUp", "request": {} }),
        ),
        (
            "create-auth-challenge",
            Kind::CallingTrigger,
            json!({
                "triggerSource": "CreateAuthChallenge_Authentication",
                "request": { "challengeName": "CUSTOM_CHALLENGE", "session": [] },
            }),
        ),
        (
            "verify-auth-challenge-response",
            Kind::CallingTrigger,
            json!({
                "triggerSource": "VerifyAuthChallengeResponse_Authentication",
                "request": { "privateChallengeParameters": code, "challengeAnswer": "123456" },
            }),
        ),
    ]
    .into_iter()
}

/// The program itself: a version manager's stand-in for it would be measured too.
fn interpreter(program: &str, question: &[&str]) -> PathBuf {
    machine::output(program, question).into()
}
