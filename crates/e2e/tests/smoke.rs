//! `make smoke`: its checks pass on a stack of each mode, and a failed check is reported.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Mode, PASSWORD_CODE, Person, SIGN_UP_CODE, Stack, Terminal};

/// How many checks there are.
const CHECKS: usize = 30;

const DIRECT_SIGN_UPS: &str = "Cognito's own SignUp rejects a closed role, a phone number with an e-mail attribute, and a username alone.";

/// The checks that need no API.
const WITHOUT_API: [&str; 4] = [
    DIRECT_SIGN_UPS,
    "A client that can't write contacts can sign up by username alone.",
    "A second deployment without a change replaces only the API's deployment.",
    "The user pool accepts an update of its settings.",
];

/// The checks that are skipped on the embedded AWS.
const SKIPPED_ALWAYS: [&str; 2] = [
    "The first call after 12 idle minutes is answered within 3 seconds.",
    "CloudWatch has the metrics of these checks.",
];

/// The checks that are skipped with passwords.
const SKIPPED_WITH_PASSWORDS: [&str; 3] = [
    "After two wrong answers, each with a new session, the right code works, and no session works again.",
    "ENABLED: unknown and known numbers get the same answers at 0, 5 and 20 seconds.",
    "ENABLED: outside AllowedPhonePrefixes, unknown and known numbers get the same answer.",
];

/// Ctrl-C.
const INTERRUPT: &str = "\u{3}";

/// A stack deployed with `sam deploy`, because the checks update it.
struct Deployed {
    name: &'static str,
    aws: Stack,
    outputs: PathBuf,
}

impl Deployed {
    #[track_caller]
    fn new(name: &'static str, mode: Mode, parameters: &[&str]) -> Self {
        let aws = Stack::of(mode);
        let section = match mode {
            Mode::UserPassword => "default",
            Mode::Passwordless => "passwordless",
        };
        let bucket = ["--no-resolve-s3", "--s3-bucket", "test-stacks"];
        let stack = ["deploy", section, "--stack-name", name];
        let overrides = ["--parameter-overrides", &format!("Mode={}", mode.name())];
        aws.embedded_aws(&[&stack[..], &bucket, &overrides, parameters].concat());
        let outputs = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("outputs-{name}"));
        std::fs::write(&outputs, aws.embedded_aws(&["outputs", name])).unwrap();
        Self { name, aws, outputs }
    }

    fn smoke(&self, arguments: &[&str]) -> Command {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let mut command = Command::new(format!("{root}/local/embedded-aws"));
        let port = self.aws.output("Endpoint").rsplit(':').next().unwrap();
        command
            .args(["run", "python", "local/smoke.py", self.name, "--outputs"])
            .arg(&self.outputs)
            .args(arguments)
            .env("PORT", port);
        command
    }

    /// The script with these wrong outputs.
    fn smoke_with(&self, wrong: &str, arguments: &[&str]) -> Command {
        let file = self.outputs.with_extension("wrong");
        let outputs = std::fs::read_to_string(&self.outputs).unwrap();
        std::fs::write(&file, outputs + wrong).unwrap();
        let outputs = ["--outputs", file.to_str().unwrap()];
        self.smoke(&[&outputs[..], arguments].concat())
    }

    /// The names of the pool's users.
    fn users(&self) -> String {
        let list = ["run", "python", "local/users.py", "list-users", self.name];
        let list = self.aws.embedded_aws(&list);
        list.lines().skip(1).collect()
    }
}

/// The rows with this outcome.
fn rows<'a>(table: &'a str, outcome: &str) -> Vec<&'a str> {
    let rows = table.lines().filter_map(|line| line.strip_prefix(outcome));
    rows.map(str::trim).collect()
}

/// Checks that nothing failed, that only these checks were skipped, and that no user is left.
#[track_caller]
fn assert_passed(stack: &Deployed, terminal: Terminal, skipped: &[&str]) {
    let (success, table) = terminal.end();
    assert!(success, "{table}");
    assert_eq!(rows(&table, "skipped "), skipped, "{table}");
    let passed = CHECKS - skipped.len();
    assert_eq!(rows(&table, "passed ").len(), passed, "{table}");
    assert_eq!(stack.users(), "", "{table}");
}

/// Checks that a wrong issuer, client and code fail only the checks of these, and that no user is left after Ctrl-C at
/// the next question.
#[track_caller]
fn assert_interrupted(stack: &Deployed, phone: &str, email: &str) {
    let wrong = "AuthApiIssuer=https://issuer.example\nAuthApiUserPoolClientId=nobody\n";
    let smoke = stack.smoke_with(wrong, &["--phone", phone, "--email", email]);
    let mut terminal = Terminal::start(&smoke);
    terminal.wait_for(&format!(
        "The code of the SMS to {phone} that confirms the sign-up: "
    ));
    assert!(stack.users().contains(phone));
    terminal.answer("", "000000");
    terminal.wait_for(&format!(
        "The code of the e-mail to {email} that confirms the sign-up: "
    ));
    terminal.answer("", INTERRUPT);
    let (success, screen) = terminal.end();
    assert!(!success, "{screen}");
    let failed = [
        "The stack has all outputs, and the JWKS has keys.",
        DIRECT_SIGN_UPS,
        "A phone number confirms with the code of an SMS, and has its role's group.",
        "A sign-in's tokens are of this issuer, client and role, by a key of the JWKS.",
    ];
    assert_eq!(rows(&screen, "failed "), failed, "{screen}");
    let seen = "expected 200, got 400 {\"error\":{\"type\":\"CodeMismatchException\"";
    assert!(screen.contains(seen), "{screen}");
    assert!(screen.trim_end().ends_with("Interrupted."), "{screen}");
    assert_eq!(stack.users(), "");
}

/// Checks that if the API does not answer, every row fails and says what to change, except these and those that need
/// no API.
#[track_caller]
fn assert_failed(stack: &Deployed, arguments: &[&str], skipped: &[&str]) {
    let wrong = "AuthApiURL=http://127.0.0.1:9/auth\nAuthApiJwksUri=http://127.0.0.1:9\n";
    let smoke = stack.smoke_with(wrong, &[arguments, &["--slow"]].concat());
    let (success, table) = Terminal::start(&smoke).end();
    assert!(!success, "{table}");
    assert_eq!(rows(&table, "passed "), WITHOUT_API, "{table}");
    assert_eq!(rows(&table, "skipped "), skipped, "{table}");
    let failed = CHECKS - WITHOUT_API.len() - skipped.len();
    assert_eq!(rows(&table, "failed ").len(), failed, "{table}");
    let remedies = rows(&table, "         To change:");
    assert_eq!(remedies.len(), failed, "{table}");
    assert!(remedies.contains(&"template.yaml, `Cors` of Api"));
    assert_eq!(stack.users(), "", "{table}");
}

#[test]
fn smoke_checks_pass_with_passwords() {
    let roles = [
        "Roles=User,Driver,Courier,Admin",
        "EmailSignUpRoles=User,Courier",
    ];
    let more = [
        "PhoneSignUpRoles=Driver",
        "SkipConfirmationRoles=Courier",
        "EmailVerification=CODE",
        "UserExistenceErrors=ENABLED",
        "ContactChanges=REFUSED",
    ];
    let stack = Deployed::new("smoke", Mode::UserPassword, &[&roles[..], &more].concat());
    let (phone, email) = (Person::with_phone().username, Person::with_email().username);
    assert_interrupted(&stack, &phone, &email);
    let contacts = ["--phone", &phone, "--email", &email];
    assert_failed(&stack, &contacts, &SKIPPED_WITH_PASSWORDS[1..]);
    let mut terminal = Terminal::start(&stack.smoke(&contacts));
    terminal.answer(
        &format!("The code of the SMS to {phone} that confirms the sign-up: "),
        SIGN_UP_CODE,
    );
    terminal.answer(
        &format!("The code of the e-mail to {email} that confirms the sign-up: "),
        SIGN_UP_CODE,
    );
    terminal.answer(
        &format!("The code of the e-mail to {email} that resets the password: "),
        PASSWORD_CODE,
    );
    let skipped = [&SKIPPED_WITH_PASSWORDS[..], &SKIPPED_ALWAYS].concat();
    assert_passed(&stack, terminal, &skipped);
}

#[test]
fn smoke_checks_pass_without_passwords() {
    let stack = Deployed::new(
        "smoke-passwordless",
        Mode::Passwordless,
        &[
            "Roles=User,Member",
            "PhoneSignUpRoles=User,Member",
            "SkipConfirmationRoles=Member",
            "AllowedPhonePrefixes=+34",
            "UserExistenceErrors=ENABLED",
            "ContactChanges=REFUSED",
        ],
    );
    let person = Person::with_phone();
    let phone = &person.username;
    let skipped = [
        "A sign-up is unconfirmed and can't sign in; once it is confirmed it has its role's group.",
        "An unknown user is hidden or reported, as UserExistenceErrors says.",
        "An e-mail address confirms with the code or the link of the e-mail, and signs in.",
        "A password is reset with the code of an e-mail, and the old one no longer works.",
        "A new password ends every session, and a deleted account is gone.",
    ];
    assert_failed(&stack, &["--phone", phone], &skipped);
    let mut terminal = Terminal::start(&stack.smoke(&["--phone", phone]));
    terminal.answer(
        &format!("The code of the SMS to {phone} that confirms the sign-up: "),
        SIGN_UP_CODE,
    );
    let question = format!("The code of the SMS to {phone} that signs in: ");
    terminal.wait_for(&question);
    let code = stack.aws.codes_sent_to(&person).pop().expect("no SMS");
    terminal.answer(&question, &code);
    assert_passed(&stack, terminal, &[&skipped[..], &SKIPPED_ALWAYS].concat());
}
