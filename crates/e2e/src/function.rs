//! Runs a function's real bootstrap as a process, without a stack.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::{Aws, Process, ROUTES, Route, root};

/// The functions that are triggers of Cognito. All others are routes.
pub const TRIGGERS: [&str; 6] = [
    "create-auth-challenge",
    "custom-message",
    "define-auth-challenge",
    "post-confirmation",
    "pre-sign-up",
    "verify-auth-challenge-response",
];

/// An event of Cognito with every field that a trigger reads. The user is `a-sub`, the answer `012345`.
pub fn trigger_event(trigger: &str) -> Value {
    let source = match trigger {
        "pre-sign-up" => "SignUp",
        "post-confirmation" => "ConfirmSignUp",
        "custom-message" => "ForgotPassword",
        _ => "Authentication",
    };
    json!({
        "triggerSource": format!("{}_{source}", resource(trigger)),
        "userPoolId": "us-east-1_example",
        "userName": "a-sub",
        "request": {
            "userAttributes": {
                "sub": "a-sub",
                "phone_number": "+34999999999",
                "custom:role": "User",
                "cognito:user_status": "CONFIRMED",
            },
            "challengeName": "CUSTOM_CHALLENGE",
            "session": [],
            "privateChallengeParameters": { "code": "012345" },
            "challengeAnswer": "012345",
            "codeParameter": "{####}",
        },
        "response": {},
    })
}

/// The folder names of all functions.
pub fn functions() -> BTreeSet<String> {
    let routes = ROUTES.iter().map(Route::function);
    routes.chain(TRIGGERS.map(str::to_owned)).collect()
}

/// The prefix of a function's resources in the template: `SignUpConfirm` for `sign-up-confirm`.
pub fn resource(function: &str) -> String {
    let capitalized = |word: &str| word[..1].to_uppercase() + &word[1..];
    function.split('-').map(capitalized).collect()
}

/// A function to start, and its environment.
#[derive(Clone, Debug)]
pub struct Function {
    name: String,
    environment: BTreeMap<&'static str, String>,
}

/// The result of a function that exited.
#[derive(Debug)]
pub struct Exit {
    /// Whether its exit status is 0.
    pub success: bool,
    /// The lines of its standard output and standard error.
    pub lines: Vec<String>,
}

impl Function {
    /// The function as `make build` built it, with an empty environment.
    #[track_caller]
    pub fn built(name: impl Into<String>) -> Self {
        let function = Self {
            name: name.into(),
            environment: BTreeMap::new(),
        };
        let bootstrap = function.bootstrap();
        assert!(
            bootstrap.exists(),
            "The function {} is not built: run `make test`.",
            function.name
        );
        function
    }

    /// The function as `make build` built it, in [`fake_aws::ENVIRONMENT`].
    #[track_caller]
    pub fn configured(name: impl Into<String>) -> Self {
        fake_aws::ENVIRONMENT
            .iter()
            .fold(Self::built(name), |function, (name, value)| {
                function.with(name, *value)
            })
    }

    fn bootstrap(&self) -> PathBuf {
        let folder = root().join("target/lambda").join(&self.name);
        folder.join("bootstrap")
    }

    /// The same with this variable set.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.insert(name, value.into());
        self
    }

    /// The same, calling this stand-in for AWS.
    pub fn behind(self, aws: &Aws) -> Self {
        aws.environment()
            .into_iter()
            .fold(self, |function, (name, value)| function.with(name, value))
    }

    /// The same without a variable.
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Runs it without a Runtime API, so that it always exits.
    pub fn run(&self) -> Exit {
        let mut command = self.command(&self.bootstrap());
        let command = command.env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1");
        let output = command.output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        Exit {
            success: output.status.success(),
            lines: text.lines().map(str::to_owned).collect(),
        }
    }

    /// Starts it.
    pub fn start(&self) -> Process {
        Process::start(&mut self.command(&self.bootstrap()))
    }

    /// Starts it, with its log written to this file.
    pub fn start_logging(&self, log: File) -> Process {
        Process::start_printing(&mut self.command(&self.bootstrap()), log)
    }

    /// Starts it, sends it one event, and returns its answer within `time`. `None` if the function ended without one.
    pub fn answer(&self, event: &Value, time: Duration) -> Option<Value> {
        let mut process = self.start();
        process.ready().ok()?;
        let answer = process.invoke(&event.to_string(), time).ok()?;
        Some(serde_json::from_str(&answer).unwrap())
    }

    /// Starts a program that starts the function. Its last argument is the path of the function.
    pub fn start_by(&self, program: &Path, arguments: &[&Path]) -> Process {
        let mut command = self.command(program);
        Process::start(command.args(arguments).arg(self.bootstrap()))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(&self.environment)
            .env("AWS_LAMBDA_FUNCTION_NAME", &self.name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
        command
    }
}
