//! `make deploy`, with stand-ins for AWS, `make` and `sam`.

use std::fs;
use std::io::{BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use e2e::http::{Request, respond};
use e2e::{random, read, root};
use serde_json::{Value, json};

/// Records its arguments, and the parameters as SAM CLI parses them. Exits with SAM_STATUS; if that is not 0, the stack
/// was rolled back.
const SAM: &str = r#"#!/usr/bin/env python
import json, os, sys
from samcli.cli.types import CfnParameterOverridesType
given = sys.argv[sys.argv.index("--parameter-overrides") + 1:]
parameters = CfnParameterOverridesType().convert(given, None, None)
with open("calls", "a") as calls:
    calls.write(json.dumps({"sam": sys.argv[1:6], "parameters": parameters}) + "\n")
if os.environ["SAM_STATUS"] != "0":
    open("rolled-back", "w").close()
sys.exit(int(os.environ["SAM_STATUS"]))
"#;

const MAKE: &str = "#!/bin/sh\nprintf '{\"make\":\"%s\"}\\n' \"$*\" >>calls\n";

/// The machine field of an ELF header.
const X86_64: u8 = 62;
const ARM64: u8 = 183;

/// A copy of the files that `make deploy` reads, with another samconfig.toml.
struct Project {
    folder: PathBuf,
    aws: String,
}

/// The result of a deployment.
struct Outcome {
    success: bool,
    stdout: String,
    stderr: String,
    /// The calls of `make` and `sam`, in order.
    calls: Vec<Value>,
}

impl Project {
    /// A project with this samconfig.toml and functions for this machine. The account has a stack with this status and
    /// these parameters, or none.
    fn new(config: &str, machine: u8, status: Option<&str>, parameters: &[(&str, &str)]) -> Self {
        let root = root();
        let name = format!("deploy-{:016x}", random());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(folder.join("local")).unwrap();
        fs::create_dir(folder.join("bin")).unwrap();
        for file in ["local/deploy.py", "local/users.py", "template.yaml"] {
            fs::copy(root.join(file), folder.join(file)).unwrap();
        }
        fs::write(folder.join("samconfig.toml"), config).unwrap();
        for (name, script) in [("sam", SAM), ("make", MAKE)] {
            let file = folder.join("bin").join(name);
            fs::write(&file, script).unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for function in fs::read_dir(root.join("functions")).unwrap() {
            let built = folder
                .join("target/lambda")
                .join(function.unwrap().file_name());
            fs::create_dir_all(&built).unwrap();
            let mut header = [0; 20];
            header[..4].copy_from_slice(b"\x7fELF");
            header[18] = machine;
            fs::write(built.join("bootstrap"), header).unwrap();
        }
        let aws = aws(status, parameters, folder.join("rolled-back"));
        Self { folder, aws }
    }

    /// Deploys with these arguments and this input.
    fn deploy(&self, arguments: &[&str], typed: &str) -> Outcome {
        self.deploy_with(arguments, typed, "0")
    }

    fn deploy_with(&self, arguments: &[&str], typed: &str, sam_status: &str) -> Outcome {
        let venv = root().join("local/.venv/bin");
        let venv = venv.display();
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(format!("{venv}/python"));
        command
            .arg(self.folder.join("local/deploy.py"))
            .args(arguments)
            .env(
                "PATH",
                format!("{}/bin:{venv}:{path}", self.folder.display()),
            )
            .env("SAM_STATUS", sam_status)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in [
            ("AWS_ENDPOINT_URL", &*self.aws),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ] {
            command.env(name, value);
        }
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(typed.as_bytes()).ok();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("Traceback"), "{stderr}");
        let calls = fs::read_to_string(self.folder.join("calls")).unwrap_or_default();
        fs::remove_file(self.folder.join("calls")).ok();
        Outcome {
            success: output.status.success(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr,
            calls: calls
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

impl Outcome {
    #[track_caller]
    fn assert_success(&self) {
        assert!(self.success, "{}{}", self.stdout, self.stderr);
    }

    /// Checks that it failed with this message.
    #[track_caller]
    fn assert_rejected(&self, message: &str) {
        assert!(!self.success, "{}", self.stdout);
        assert!(self.stderr.contains(message), "{}", self.stderr);
    }
}

/// Deploys a new stack with these overrides.
fn deploy_new(overrides: &str) -> Outcome {
    let project = Project::new(&config(overrides), X86_64, None, &[]);
    project.deploy(&["default"], "y\n")
}

/// Starts the account, with a stack of this status or none, or a rolled back one once this file is there. Returns its
/// URL.
fn aws(status: Option<&str>, parameters: &[(&str, &str)], rolled_back: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let parameters: String = parameters
        .iter()
        .map(|(key, value)| {
            let key = format!("<ParameterKey>{key}</ParameterKey>");
            format!("<member>{key}<ParameterValue>{value}</ParameterValue></member>")
        })
        .collect();
    let status = status.map(str::to_owned);
    let stack = Arc::new(move || {
        let rolled_back = rolled_back.exists().then_some("ROLLBACK_COMPLETE");
        let status = rolled_back.or(status.as_deref())?;
        let status = format!("<StackName>s</StackName><StackStatus>{status}</StackStatus>");
        let stack = format!("<member>{status}<Parameters>{parameters}</Parameters></member>");
        Some(format!("<Stacks>{stack}</Stacks>"))
    });
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let stack = Arc::clone(&stack);
            std::thread::spawn(move || {
                let mut answers = client.try_clone().unwrap();
                let mut requests = BufReader::new(client);
                while let Some(request) = Request::read(&mut requests) {
                    let answer = |action: &str, result: &str| {
                        let result = format!("<{action}Result>{result}</{action}Result>");
                        (
                            "200 OK",
                            format!("<{action}Response>{result}</{action}Response>"),
                        )
                    };
                    let (status, body) = if request.body.contains("GetCallerIdentity") {
                        answer("GetCallerIdentity", "<Account>123456789012</Account>")
                    } else if let Some(stack) = stack() {
                        answer("DescribeStacks", &stack)
                    } else {
                        let error = "<Code>ValidationError</Code><Message>no such stack</Message>";
                        let error =
                            format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>");
                        ("400 Bad Request", error)
                    };
                    respond(&mut answers, status, "Content-Type: text/xml\r\n", &body).ok();
                }
            });
        }
    });
    url
}

/// A samconfig.toml with one section, which has these `parameter_overrides`.
fn config(overrides: &str) -> String {
    format!(
        "version = 0.1\n[default.global.parameters]\nlanguage_extensions = true\n\
         # A comment.\n[default.deploy.parameters]\nstack_name = \"s\"\nparameter_overrides = {overrides}\n"
    )
}

/// A call of `sam` for the stack `s` with these parameters.
fn sam(parameters: Value) -> Value {
    let arguments = ["deploy", "--config-env", "default", "--stack-name", "s"];
    json!({ "sam": arguments, "parameters": parameters })
}

fn make(flag: &str) -> Value {
    json!({ "make": format!("build BUILD_FLAGS={flag}") })
}

#[test]
fn deploy_shows_the_section_and_starts_after_y() {
    let overrides =
        r#""Mode=UserPassword LogLevel=DEBUG SmsMessage='\"It\\'s {####}, you know.\"'""#;
    let deployed = [
        ("AccessTokenMinutes", "5"),
        ("LogLevel", "ERROR"),
        ("Gone", "x"),
    ];
    let status = Some("UPDATE_COMPLETE");
    let project = Project::new(&config(overrides), X86_64, status, &deployed);
    for (typed, deployed) in [("", false), ("\n", false), ("n\n", false), ("y\n", true)] {
        let outcome = project.deploy(&["default"], typed);
        assert_eq!(outcome.success, deployed, "{typed:?}: {}", outcome.stderr);
        for line in [
            "Account  123456789012",
            "Region   eu-west-1",
            "Stack    s (UPDATE_COMPLETE)",
            "  LogLevel = DEBUG  (deployed: ERROR)",
            "  AccessTokenMinutes = 5",
            "Every other parameter has its default.",
        ] {
            let shown = outcome.stdout.lines().any(|shown| shown == line);
            assert!(shown, "{line}: {}", outcome.stdout);
        }
        assert!(!outcome.stdout.contains("Mode ="), "{}", outcome.stdout);
        let parameters = json!({
            "Mode": "UserPassword", "LogLevel": "DEBUG", "SmsMessage": "\"It's {####}, you know.\"",
        });
        let calls = if deployed {
            vec![make("--x86-64"), sam(parameters)]
        } else {
            vec![]
        };
        assert_eq!(outcome.calls, calls, "{typed:?}");
    }
}

#[test]
fn deploy_warns_of_settings_that_let_strangers_in() {
    let skip = "WARNING  SkipConfirmationRoles=Guest: anyone can sign up with another person's address or \
                number, and has the role at once.";
    let link = "WARNING  EmailVerification=LINK: mail scanners open links, which can confirm a stranger's sign-up. \
                CODE needs a person.";
    let skipping = "Roles=User,Guest EmailSignUpRoles=User SkipConfirmationRoles=Guest";
    for (overrides, expected) in [
        ("Mode=UserPassword", &[link][..]),
        ("EmailVerification=CODE", &[]),
        ("EmailSignUpRoles='' PhoneSignUpRoles=User", &[]),
        ("Mode=Passwordless PhoneSignUpRoles=User", &[]),
        (skipping, &[skip, link]),
        (&format!("{skipping} EmailVerification=CODE"), &[skip]),
    ] {
        let project = Project::new(&config(&format!("\"{overrides}\"")), X86_64, None, &[]);
        let shown = project.deploy(&["default"], "n\n").stdout;
        let (before, _) = shown.split_once("Deploy? [y/N]").unwrap();
        let warnings = before.lines().filter(|line| line.starts_with("WARNING"));
        assert_eq!(warnings.collect::<Vec<_>>(), expected, "{overrides}");
    }
}

#[test]
fn deploy_accepts_every_section_of_samconfig() {
    let project = Project::new(&read("samconfig.toml"), X86_64, None, &[]);
    for section in ["default", "passwordless", "prod"] {
        let outcome = project.deploy(&[section], "y\n");
        assert!(outcome.success, "{section}: {}", outcome.stderr);
        // Confirmation by link: prod and Passwordless have codes.
        let warns = outcome.stdout.contains("WARNING");
        assert_eq!(warns, section == "default", "{}", outcome.stdout);
    }
    let outcome = project.deploy(&["nobody"], "y\n");
    assert_eq!(
        outcome.stderr,
        "samconfig.toml has no section 'nobody'. CONFIG is one of: default, passwordless, prod\n"
    );
}

#[test]
fn deploy_reads_the_architecture_in_every_notation() {
    let none: &[(&str, &str)] = &[];
    for (overrides, deployed) in [
        (r#"'Mode=UserPassword Architecture="arm64"'"#, none),
        (r#""Architecture=arm64""#, none),
        (r#""Architecture='arm64'""#, none),
        (r#""ParameterKey=Architecture,ParameterValue=arm64""#, none),
        (r#"["Mode=UserPassword", "Architecture=arm64"]"#, none),
        (r#"{ Mode = "UserPassword", Architecture = "arm64" }"#, none),
        // SAM CLI keeps the deployed value of a parameter that the section does not set.
        (r#""Mode=UserPassword""#, &[("Architecture", "arm64")]),
    ] {
        let status = (!deployed.is_empty()).then_some("CREATE_COMPLETE");
        let project = Project::new(&config(overrides), ARM64, status, deployed);
        let outcome = project.deploy(&["default"], "y\n");
        assert!(outcome.success, "{overrides}: {}", outcome.stderr);
        assert_eq!(outcome.calls[0], make("--arm64"), "{overrides}");
    }
}

#[test]
fn deploy_rejects_functions_built_for_another_architecture() {
    for (overrides, machine, message) in [
        (
            "'Architecture=\"arm64\"'",
            X86_64,
            "bootstrap is for x86_64, and Architecture is arm64. Run this, then make deploy again: \
             make build BUILD_FLAGS=--arm64\n",
        ),
        (
            "'Mode=UserPassword'",
            ARM64,
            "bootstrap is for arm64, and Architecture is x86_64. Run this, then make deploy again: \
             make build BUILD_FLAGS=--x86-64\n",
        ),
    ] {
        let project = Project::new(&config(overrides), machine, None, &[]);
        let outcome = project.deploy(&["default"], "y\n");
        outcome.assert_rejected(message);
        assert_eq!(outcome.calls.len(), 1, "{overrides}: {:?}", outcome.calls);
    }
}

#[test]
fn deploy_names_the_command_for_each_blocking_status() {
    for (status, command) in [
        ("ROLLBACK_COMPLETE", "delete-stack"),
        ("ROLLBACK_FAILED", "delete-stack"),
        ("CREATE_FAILED", "delete-stack"),
        ("DELETE_FAILED", "delete-stack"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("CREATE_IN_PROGRESS", "wait stack-create-complete"),
        ("UPDATE_IN_PROGRESS", "wait stack-update-complete"),
        ("DELETE_IN_PROGRESS", "wait stack-delete-complete"),
        ("IMPORT_ROLLBACK_FAILED", "describe-stack-events"),
    ] {
        let project = Project::new(&config("\"Mode=UserPassword\""), X86_64, Some(status), &[]);
        let outcome = project.deploy(&["default"], "y\n");
        outcome.assert_rejected(&format!("The stack s ({status}) "));
        let command = format!("aws cloudformation {command} --stack-name s --region eu-west-1\n");
        outcome.assert_rejected(&command);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        assert_eq!(outcome.calls, [json!(null); 0], "{status}");
    }
    // This stack has only a change set.
    let status = Some("REVIEW_IN_PROGRESS");
    let project = Project::new(&config("\"Mode=UserPassword\""), X86_64, status, &[]);
    let outcome = project.deploy(&["default"], "y\n");
    outcome.assert_success();
    assert!(outcome.stdout.contains("Stack    s (new)"));
}

#[test]
fn deploy_rejects_wrong_parameters_with_the_remedy() {
    for (overrides, message) in [
        (
            r#""PhoneSignUpRoles= Mode=Passwordless""#,
            "SAM CLI does not understand PhoneSignUpRoles=\nAn empty value is written Name='', one with spaces Name='a b'.",
        ),
        (
            r#"["EmailSignUpRoles="]"#,
            "SAM CLI does not understand EmailSignUpRoles=\n",
        ),
        (
            r#""SmsMessage=Your code is {####}.""#,
            "SAM CLI does not understand code is {####}.\n",
        ),
        (r#""Roles=User,Admin,User""#, "Roles names User twice."),
        (
            r#""Rolls=User""#,
            "template.yaml has no parameter Rolls. SAM CLI would ignore it.",
        ),
        (
            r#""Roles=Member""#,
            "EmailSignUpRoles is User (samconfig.toml does not set it), and Roles is Member. \
             Set EmailSignUpRoles to some of these, or EmailSignUpRoles='' for none.",
        ),
        (
            r#""Mode=Passwordless Roles=Member PhoneSignUpRoles=User""#,
            "PhoneSignUpRoles is User, and Roles is Member. Set PhoneSignUpRoles to some of these, or \
             PhoneSignUpRoles='' for none.\n",
        ),
        (
            r#""Mode=Passwordless Roles=Member PhoneSignUpRoles=Member SesIdentityArn=arn:aws:ses:us-east-1:1:identity/a.example""#,
            "EmailSignUpRoles is User (samconfig.toml does not set it), and Roles is Member. \
             Set EmailSignUpRoles to some of these, or EmailSignUpRoles='' for none.\n",
        ),
    ] {
        let outcome = deploy_new(overrides);
        outcome.assert_rejected(message);
        assert_eq!(outcome.calls, [json!(null); 0], "{overrides}");
    }
    // Valid parameters that look similar.
    for overrides in [
        r#""Mode=Passwordless Roles=Member PhoneSignUpRoles=Member""#,
        r#""Roles=User,user EmailSignUpRoles=''""#,
        r#"{ PhoneSignUpRoles = "", EmailSignUpRoles = ["User"] }"#,
    ] {
        deploy_new(overrides).assert_success();
    }
}

#[test]
fn deploy_protects_a_new_pool_in_a_second_deployment() {
    let overrides = "\"LogLevel=WARN DeletionProtection=ACTIVE\"";
    let with = |protection| sam(json!({ "LogLevel": "WARN", "DeletionProtection": protection }));
    let build = make("--x86-64");

    let new = Project::new(&config(overrides), X86_64, None, &[]);
    let outcome = new.deploy(&["default"], "y\n");
    assert!(outcome.success, "{}", outcome.stderr);
    assert_eq!(
        outcome.calls,
        [build.clone(), with("INACTIVE"), with("ACTIVE")]
    );

    // After a failed deployment, there is no second one.
    let outcome = new.deploy_with(&["default"], "y\n", "1");
    assert!(!outcome.success);
    assert_eq!(outcome.calls, [build.clone(), with("INACTIVE")]);
    assert_eq!(
        outcome.stderr,
        "The stack s (ROLLBACK_COMPLETE) can't be updated. Run this, then make deploy again: \
         aws cloudformation delete-stack --stack-name s --region eu-west-1\n"
    );

    let project = Project::new(&config(overrides), X86_64, Some("CREATE_COMPLETE"), &[]);
    let outcome = project.deploy(&["default"], "y\n");
    assert_eq!(outcome.calls, [build, with("ACTIVE")]);
}

#[test]
fn guided_deploy_asks_for_everything_and_saves_the_answers() {
    let overrides = "\"Mode=UserPassword Roles=User\"";
    let project = Project::new(&config(overrides), ARM64, None, &[]);
    // The stack, the region, the mode (invalid at first), the roles, and the lists of roles.
    let answers = "t\nus-west-2\nBoth\nPasswordless\nMember\n''\nMember\n";
    let template = fs::read_to_string(project.folder.join("template.yaml")).unwrap();
    let (parameters, _) = template.split_once("\nRules:").unwrap();
    let names = parameters.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.strip_suffix(':')?;
        name.starts_with(|first: char| first.is_ascii_uppercase())
            .then_some(name)
    });
    let rest = names.skip(4).map(|name| match name {
        "Architecture" => "arm64\n",
        _ => "\n",
    });
    let rest: String = rest.collect();
    let outcome = project.deploy(&["default", "--guided"], &format!("{answers}{rest}y\n"));
    outcome.assert_success();
    for shown in [
        "One of: UserPassword, Passwordless",
        "Roles [User]: ",
        "Region   us-west-2",
    ] {
        let found = outcome.stdout.contains(shown);
        assert!(found, "{shown}: {}", outcome.stdout);
    }
    let parameters = json!({
        "Mode": "Passwordless", "Roles": "Member", "EmailSignUpRoles": "", "PhoneSignUpRoles": "Member",
        "Architecture": "arm64",
    });
    let arguments = ["deploy", "--config-env", "default", "--stack-name", "t"];
    let deployed = json!({ "sam": arguments, "parameters": parameters });
    assert_eq!(outcome.calls, [make("--arm64"), deployed.clone()]);

    // The next deployment asks only for the y.
    let outcome = project.deploy(&["default"], "y\n");
    outcome.assert_success();
    assert_eq!(outcome.calls, [make("--arm64"), deployed]);
    let config = fs::read_to_string(project.folder.join("samconfig.toml")).unwrap();
    assert!(config.contains("# A comment."), "{config}");
}
