//! The subjects of the benchmark: every function, the floor and the peers.

use std::path::{Path, PathBuf};
use std::process::Command;

use bench::{events, machine};
use e2e::{Route, TRIGGERS};
use serde_json::{Value, json};

/// The kind of a subject. It decides the comparisons and goals.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A Rust function with only `lambda_runtime`.
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

/// A program that answers events.
pub struct Subject {
    /// Its name in the results.
    pub name: String,
    pub kind: Kind,
    /// The event of every request.
    pub event: String,
    /// The deployed file or folder.
    pub deployed: PathBuf,
    /// The program and its arguments.
    pub command: Vec<PathBuf>,
    /// The value of `MODE` in its environment.
    pub mode: &'static str,
}

impl Subject {
    /// The command, with only this environment and that of the tests.
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

    /// Whether this answer is a success.
    pub fn accepts(&self, answer: &Value) -> bool {
        match self.kind {
            Kind::Floor => answer["requestContext"].is_object(),
            Kind::Peer | Kind::Route => answer["statusCode"] == 200,
            Kind::CallingTrigger | Kind::Trigger => answer["triggerSource"].is_string(),
        }
    }
}

/// The suffix of the names of functions from the folder `BEFORE`.
pub const BEFORE: &str = ", before";

/// All subjects. `root` is the repository, `built` the folder of programs for the benchmark alone, `before` a folder
/// with an earlier build of the functions.
pub fn all(root: &Path, built: &Path, before: Option<&Path>) -> Vec<Subject> {
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
    let mut builds = vec![("", root.join("target/lambda"))];
    builds.extend(before.map(|folder| (BEFORE, folder.to_owned())));
    let function = |kind, name: String, function: &str, mode, event: String| -> Vec<Subject> {
        let builds = builds.iter().map(|(suffix, folder)| {
            let bootstrap = folder.join(function).join("bootstrap");
            Subject {
                name: format!("{name}{suffix}"),
                kind,
                event: event.clone(),
                deployed: bootstrap.clone(),
                command: vec![bootstrap],
                mode,
            }
        });
        // An earlier build may lack a function.
        let exists = |subject: &Subject| subject.name == name || subject.deployed.exists();
        builds.filter(exists).collect()
    };
    subjects.extend(Route::distinct().flat_map(|route| {
        let event = events::of_route(route.path, &body(route).to_string());
        let (name, mode) = (route.distinct_name(), route.mode.name());
        function(Kind::Route, name, &route.function(), mode, event)
    }));
    subjects.extend(TRIGGERS.into_iter().flat_map(|name| {
        let kind = match name {
            "pre-sign-up" | "custom-message" | "define-auth-challenge" => Kind::Trigger,
            _ => Kind::CallingTrigger,
        };
        let event = e2e::trigger_event(name).to_string();
        function(kind, name.to_owned(), name, "Passwordless", event)
    }));
    subjects
}

/// A valid body of the route, with a session and tokens as long as Cognito's.
fn body(route: Route) -> Value {
    let signature = "t".repeat(800);
    let long = [
        ("session", "s".repeat(900)),
        (
            "accessToken",
            format!("{}{signature}", Route::example_token()),
        ),
        ("refreshToken", format!("header.{signature}.signature")),
    ];
    let mut body = route.body();
    for (field, value) in long {
        if let Some(short) = body.get_mut(field) {
            *short = value.into();
        }
    }
    body.into()
}

/// The path of the real program: a version manager's wrapper would be measured too.
fn interpreter(program: &str, arguments: &[&str]) -> PathBuf {
    machine::output(program, arguments).into()
}
