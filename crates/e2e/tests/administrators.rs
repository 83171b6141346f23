//! `make create-user`, `make list-users`, `make set-role` and `make unlock-user`.

use std::io::{BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use e2e::http::{Request, respond};
use e2e::{PASSWORD_CODE, Person, Stack, Terminal, root};
use serde_json::{Value, json};

const PASSWORD_QUESTION: &str = "(Enter makes one): ";
const REPEAT_QUESTION: &str = "The same again: ";
const PASSWORD_LABEL: &str = "Its password, shown this once: ";

/// The script on the embedded AWS, as the Makefile runs it.
fn users(arguments: &[&str]) -> Command {
    let mut command = Command::new(root().join("local/embedded-aws"));
    command.args(["run", "python", "local/users.py"]);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The script with the credentials of the account at this endpoint, as `ACCOUNT=mine` runs it.
fn users_on(endpoint: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(root().join("local/.venv/bin/python"));
    command.arg(root().join("local/users.py")).args(arguments);
    for key in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env(key, Stack::standard().output(key));
    }
    for (name, value) in [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ] {
        command.env(name, value);
    }
    command.stdin(Stdio::null());
    command
}

/// The embedded AWS under another name, so that the script takes it for a real account.
fn real_account(stack: &Stack) -> String {
    let endpoint = stack.output("Endpoint").replace("127.0.0.1", "localhost");
    assert!(endpoint.starts_with("http://localhost:"));
    endpoint
}

/// Runs a command that succeeds, and returns its output.
#[track_caller]
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{command:?}: {errors}");
    assert_eq!(errors, "");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a script that can import `users.py`, and returns its output.
#[track_caller]
fn python(script: &str, arguments: &[&str]) -> String {
    let mut python = Command::new(root().join("local/.venv/bin/python"));
    let python = python.args(["-c", script]).args(arguments);
    output(python.current_dir(root().join("local")))
}

/// Runs a command that fails, and returns its error.
#[track_caller]
fn error_of(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{command:?}: {errors}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "{errors}");
    assert!(!errors.contains("Traceback"), "{errors}");
    errors
}

/// Runs a command, and answers its questions. Returns whether it succeeded, and its output.
#[track_caller]
fn run_and_answer(command: &Command, answers: &[(&str, &str)]) -> (bool, String) {
    let mut terminal = Terminal::start(command);
    for (question, line) in answers {
        terminal.answer(question, line);
    }
    let (success, screen) = terminal.end();
    assert!(!screen.contains("Traceback"), "{screen}");
    (success, screen)
}

#[test]
fn create_user_assigns_closed_role_and_prints_password_once() {
    let stack = Stack::standard();
    for mut person in [Person::with_email(), Person::with_phone_in("+44")] {
        let log = std::env::temp_dir().join(format!("create-user-{}.log", person.username));
        let command = users(&["create-user", "standard", &person.username, "Admin"]);
        // With a redirection, as in `make create-user … >log`: only the password goes to the terminal.
        let mut redirected = Command::new("sh");
        redirected.args(["-c", "\"$@\" >\"$0\""]).arg(&log);
        redirected
            .arg(command.get_program())
            .args(command.get_args());
        let (success, screen) = run_and_answer(&redirected, &[(PASSWORD_QUESTION, "")]);
        let log = std::fs::read_to_string(log).unwrap();
        assert!(success, "{screen}{log}");
        let (_, password) = screen
            .trim_end()
            .split_once(PASSWORD_LABEL)
            .expect("no password");
        assert!(!password.contains(char::is_whitespace), "{screen}");
        assert!(password.len() >= 20);
        assert!(!log.contains(password));
        let printed = format!("{} is confirmed and has the role Admin.", person.username);
        assert!(log.starts_with(&printed), "{log}");

        let (user, attribute) = (stack.user(&person.username), person.attribute());
        assert_eq!(user["status"], "CONFIRMED");
        assert_eq!(user[attribute], person.username);
        assert_eq!(user[&format!("{attribute}_verified")], "true");
        assert_eq!(user["custom:role"], "Admin");
        person.password = password.to_owned();
        let tokens = stack.tokens_of(&person);
        assert_eq!(tokens.access_claims["cognito:groups"], json!(["Admin"]));

        // The output names the routes that change the password.
        let words = log
            .split_whitespace()
            .map(|word| word.trim_end_matches('.'));
        let routes: Vec<&str> = words
            .filter_map(|word| word.strip_prefix("/auth"))
            .collect();
        assert_eq!(routes.len(), 2, "{log}");
        person.password = Person::another_password();
        let body = json!({
            "username": person.username,
            "password": person.password,
            "confirmationCode": PASSWORD_CODE,
        });
        for route in routes {
            stack.post(route, body.clone()).assert_ok();
        }
        stack.tokens_of(&person);
    }
}

#[test]
fn generated_passwords_differ_and_meet_every_policy() {
    let script = "import users
for _ in range(200): print(users.generate(98))
for _ in range(200): print(users.generate(20))";
    let passwords = python(script, &[]);
    let mut passwords: Vec<&str> = passwords.lines().collect();
    for password in &passwords {
        for class in [
            char::is_lowercase,
            char::is_uppercase,
            |c: char| c.is_ascii_digit(),
            |c: char| "-_.+=@%".contains(c),
        ] {
            assert!(password.contains(class), "{password}");
        }
    }
    passwords.sort_unstable();
    passwords.dedup();
    assert_eq!(passwords.len(), 400);
}

#[test]
fn typed_password_reaches_no_command_line_or_environment() {
    let stack = Stack::standard();
    let person = Person::with_email();
    let Person { username, password } = person.clone();
    let searches = Arc::new(AtomicUsize::new(0));
    // While Cognito receives the password, the test searches all processes.
    let counter = Arc::clone(&searches);
    let proxy = proxy(&stack, move |request| {
        if request.contains(&password) {
            counter.fetch_add(1, Ordering::Relaxed);
            assert_eq!(processes_with(&password), Vec::<PathBuf>::new());
            // The search works: it finds the username.
            assert!(!processes_with(&username).is_empty());
        }
        None
    });
    let command = users_on(
        &proxy,
        &["create-user", "standard", &person.username, "Courier"],
    );
    let answers =
        [PASSWORD_QUESTION, REPEAT_QUESTION].map(|question| (question, &*person.password));
    let (success, screen) = run_and_answer(&command, &answers);
    assert!(success && !screen.contains(&person.password), "{screen}");
    assert_eq!(searches.load(Ordering::Relaxed), 2);
    let tokens = stack.tokens_of(&person);
    assert_eq!(tokens.access_claims["cognito:groups"], json!(["Courier"]));
}

/// The command lines and environments in `/proc` that contain a secret.
fn processes_with(secret: &str) -> Vec<PathBuf> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let files =
        processes.flat_map(|process| ["cmdline", "environ"].map(|file| process.path().join(file)));
    files
        .filter(|file| {
            let content = std::fs::read(file).unwrap_or_default();
            String::from_utf8_lossy(&content).contains(secret)
        })
        .collect()
}

#[test]
fn passwordless_create_user_asks_for_no_password() {
    let stack = Stack::passwordless();
    let person = Person::with_phone();
    let name = &person.username;
    let printed = output(&mut users(&["create-user", "passwordless", name, "Admin"]));
    assert_eq!(
        printed,
        format!("{name} is confirmed and has the role Admin.\n")
    );
    let user = stack.user(name);
    assert_eq!(user["status"], "CONFIRMED");
    assert_eq!(user["phone_number_verified"], "true");
    let tokens = stack.tokens_of(&person);
    assert_eq!(tokens.access_claims["cognito:groups"], json!(["Admin"]));
    assert_eq!(tokens.id_claims["custom:role"], "Admin");

    let abroad = Person::with_phone_in("+44").username;
    let arguments = ["create-user", "passwordless", &abroad, "User"];
    let printed = output(&mut users(&arguments));
    let warning = "no code is sent to a number outside AllowedPhonePrefixes, +34,+1.";
    assert!(printed.contains(warning), "{printed}");
}

#[test]
fn commands_reject_bad_input_and_name_the_remedy() {
    let stack = Stack::standard();
    let nobody = Person::with_email().username;
    let existing = stack.confirmed_user().username;
    let unconfirmed = stack.unconfirmed_user().username;
    let mut printed = String::new();
    for arguments in [
        &["create-user", "standard", "", "Admin"][..],
        &["create-user", "standard", &nobody, ""],
        &["create-user", "standard", "nobody", "Admin"],
        &["create-user", "standard", &nobody, "Boss"],
        &["create-user", "standard", &nobody, "admin"],
        &["create-user", "nothing", &nobody, "Admin"],
        &["create-user", "standard", &existing, "Admin"],
        // Without a terminal.
        &["create-user", "standard", &nobody, "Admin"],
        &["set-role", "standard", &nobody, "Admin"],
        &["set-role", "standard", &existing, "Boss"],
        &["set-role", "standard", "", "Admin"],
        &["set-role", "standard", &unconfirmed, "Admin"],
        &["list-users", "nothing"],
        &["unlock-user", "standard", &existing],
        &["unlock-user", "passwordless", &nobody],
    ] {
        printed += &format!("{arguments:?}\n{}\n", error_of(&mut users(arguments)));
    }
    for (username, shown) in [
        (&nobody, "nobody@example.com"),
        (&existing, "existing@example.com"),
        (&unconfirmed, "unconfirmed@example.com"),
    ] {
        printed = printed.replace(username, shown);
    }
    insta::assert_snapshot!(printed);
    assert!(!stack.has_user(&nobody));
    for username in [existing, unconfirmed] {
        assert_eq!(stack.groups_of(&username), ["User"]);
    }
}

#[test]
fn commands_reject_unusable_credentials_and_name_the_remedy() {
    let endpoint = real_account(&Stack::standard());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let mut printed = String::new();
    for (endpoint, variable, value) in [
        (&endpoint, "AWS_ACCESS_KEY_ID", None),
        (&endpoint, "AWS_SECRET_ACCESS_KEY", None),
        (&endpoint, "AWS_ACCESS_KEY_ID", Some("AKIAAAAAAAAAAAAAAAAA")),
        (&endpoint, "AWS_REGION", None),
        (&endpoint, "AWS_PROFILE", Some("nobody")),
        (&nobody, "AWS_REGION", Some("us-east-1")),
    ] {
        let mut command = users_on(endpoint, &["list-users", "standard"]);
        command.env_remove("AWS_DEFAULT_REGION");
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
        printed += &format!("{variable}: {value:?}\n{}\n", error_of(&mut command));
    }
    insta::assert_snapshot!(printed.replace(&nobody, "http://127.0.0.1:1"));
}

#[test]
fn create_user_rejects_bad_passwords() {
    const POLICY: &str = "InvalidPasswordException: Password did not conform with policy";
    const DIFFER: &str = "The two passwords differ. Nothing was changed.";
    let stack = Stack::standard();
    for (answers, message) in [
        (&["Sup3r!secret", "Sup3r!Secret"][..], DIFFER),
        (&["Sup3r!secret", ""], DIFFER),
        (&["password", "password"], POLICY),
        (&["Sh0rt!", "Sh0rt!"], POLICY),
        (&["\u{3}"], "Interrupted."),
        (&["\u{4}"], "Interrupted."),
    ] {
        let person = Person::with_email();
        let command = users(&["create-user", "standard", &person.username, "Admin"]);
        let questions = [PASSWORD_QUESTION, REPEAT_QUESTION].into_iter();
        let answers: Vec<_> = questions.zip(answers.iter().copied()).collect();
        let (success, screen) = run_and_answer(&command, &answers);
        assert!(!success && screen.contains(message), "{screen}");
        assert!(!stack.has_user(&person.username), "{screen}");
    }
}

#[test]
fn failed_create_user_deletes_the_user() {
    let stack = Stack::passwordless();
    for denied in ["AdminAddUserToGroup", "AdminSetUserPassword"] {
        let person = Person::with_phone();
        let proxy = proxy(&stack, deny([denied]));
        let arguments = ["create-user", "passwordless", &person.username, "Admin"];
        let printed = error_of(&mut users_on(&proxy, &arguments));
        assert_eq!(
            printed,
            format!(
                "{} was deleted again. Nothing is left of it.\n\
                 AccessDeniedException: not authorized to perform: cognito-idp:{denied}\n\
                 docs/administrators.md lists the actions that this needs\n",
                person.username
            )
        );
        assert!(!stack.has_user(&person.username), "{denied}");
    }
}

#[test]
fn printed_command_deletes_an_incomplete_user() {
    let stack = Stack::passwordless();
    let person = Person::with_phone();
    let arguments = ["create-user", "passwordless", &person.username, "Admin"];
    let denied = deny(["AdminSetUserPassword", "AdminDeleteUser"]);
    let printed = error_of(&mut users_on(&proxy(&stack, denied), &arguments));
    assert!(printed.contains("is incomplete."), "{printed}");

    let again = error_of(&mut users(&arguments));
    assert!(again.contains("status FORCE_CHANGE_PASSWORD"), "{again}");
    let shown = |printed: &str| {
        let command = printed.lines().find_map(|line| line.strip_prefix("  aws "));
        command
            .unwrap_or_else(|| panic!("no command: {printed}"))
            .to_owned()
    };
    assert_eq!(shown(&printed), shown(&again));
    let mut shell = Command::new(root().join("local/embedded-aws"));
    output(shell.args(["run", "sh", "-c", &format!("aws {}", shown(&printed))]));
    output(&mut users(&arguments));
    stack.challenge(&person);
}

#[test]
fn commands_ask_before_changing_a_real_account() {
    let stack = Stack::passwordless();
    let person = Person::with_phone();
    let account = real_account(&stack);
    let create = ["create-user", "passwordless", &person.username, "User"];
    let set_role = ["set-role", "passwordless", &person.username, "Admin"];
    let question = "in the stack passwordless (account 000000000000, region us-east-1)? [y/N] ";
    let name = &person.username;
    let make = format!("Make the user {name} with the role User ");
    let change = format!("Change the role of {name} from User to Admin ");
    for (arguments, what, done) in [(create, make, "User"), (set_role, change, "Admin")] {
        let unattended = "A change on a real account is asked for first: run this in a terminal";
        let printed = error_of(&mut users_on(&account, &arguments));
        assert!(printed.contains(unattended), "{printed}");
        let roles = || stack.has_user(name).then(|| stack.groups_of(name));
        let before = roles();
        for (answer, agreed) in [("", false), ("Y", true)] {
            let question = format!("{what}{question}");
            let command = users_on(&account, &arguments);
            let (success, screen) = run_and_answer(&command, &[(&question, answer)]);
            assert_eq!(success, agreed, "{answer}: {screen}");
            if agreed {
                assert_eq!(roles(), Some(vec![done.to_owned()]));
            } else {
                assert!(screen.contains("Nothing was changed."), "{screen}");
                assert_eq!(roles(), before);
            }
        }
    }
    // A list changes nothing, so it asks nothing.
    output(&mut users_on(&account, &["list-users", "passwordless"]));
}

#[test]
fn set_role_replaces_all_other_roles() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    let name = &person.username;
    for group in ["Driver", "Courier"] {
        let member = json!({ "Username": name, "GroupName": group });
        stack.cognito_admin("AdminAddUserToGroup", member);
    }
    let before = stack.tokens_of(&person);
    let printed = output(&mut users(&["set-role", "standard", name, "Admin"]));
    assert_eq!(
        printed,
        format!(
            "{name} has the role Admin; before: User, Driver, Courier.\n\
             Tokens that are out already keep the old group until they expire, in 60 minutes at most.\n\
             custom:role stays what it was at the beginning: authorise by cognito:groups.\n",
        )
    );
    assert_eq!(stack.groups_of(name), ["Admin"]);
    let new = stack.tokens_of(&person);
    assert_eq!(new.access_claims["cognito:groups"], json!(["Admin"]));
    assert_eq!(new.id_claims["custom:role"], "User");
    assert_eq!(
        before.access_claims["cognito:groups"],
        json!(["User", "Driver", "Courier"])
    );

    let again = output(&mut users(&["set-role", "standard", name, "Admin"]));
    assert!(
        again.contains("has the role Admin already. Nothing was changed."),
        "{again}"
    );
}

#[test]
fn set_role_keeps_and_names_groups_that_are_not_roles() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    let name = &person.username;
    let group = format!("Beta{}", person.password.trim_start_matches("Secret!"));
    stack.cognito_admin("CreateGroup", json!({ "GroupName": group }));
    let member = json!({ "Username": name, "GroupName": group });
    stack.cognito_admin("AdminAddUserToGroup", member);
    let printed = output(&mut users(&["set-role", "standard", name, "Driver"]));
    let named = format!("It is still in groups that are no roles of this stack: {group}.");
    assert!(printed.contains(&named), "{printed}");
    let mut groups = stack.groups_of(name);
    groups.sort_unstable();
    assert_eq!(groups, [group, "Driver".to_owned()]);
}

#[test]
fn failed_set_role_can_be_run_again() {
    let stack = Stack::standard();
    let person = stack.confirmed_user();
    let arguments = ["set-role", "standard", &person.username, "Admin"];
    let proxy = proxy(&stack, deny(["AdminAddUserToGroup"]));
    let printed = error_of(&mut users_on(&proxy, &arguments));
    let remedy = "may be half changed: run the same command again.";
    assert!(printed.contains(remedy), "{printed}");
    assert!(stack.groups_of(&person.username).is_empty());
    output(&mut users(&arguments));
    assert_eq!(stack.groups_of(&person.username), ["Admin"]);
}

#[test]
fn unlock_user_resets_the_limits_of_codes() {
    let stack = Stack::passwordless();
    let person = stack.confirmed_user();
    let sub = &stack.user(&person.username)["sub"];
    let sent = || stack.messages_to(&person).len();
    stack.challenge(&person);
    stack.let_time_pass(sub, 20);
    stack.sign_in(&person).assert_throttled();
    assert_eq!(sent(), 1);

    let arguments = ["unlock-user", "passwordless", &person.username];
    let account = real_account(&stack);
    let question = format!(
        "Let {} ask for codes again in the stack passwordless (account 000000000000, region us-east-1)? [y/N] ",
        person.username
    );
    let (success, _) = run_and_answer(&users_on(&account, &arguments), &[(&question, "")]);
    assert!(!success);
    stack.sign_in(&person).assert_throttled();
    let (success, screen) = run_and_answer(&users_on(&account, &arguments), &[(&question, "y")]);
    assert!(success, "{screen}");

    let challenge = stack.challenge(&person);
    assert_eq!(sent(), 2);
    stack.tokens_for(&person, &challenge);
}

#[test]
fn list_users_lists_every_user_once() {
    // More than one page, in a pool from which no other test deletes users.
    let stack = Stack::passwordless_strict();
    let people: Vec<Person> = (0..70).map(|_| Person::with_phone()).collect();
    for person in &people {
        let username = &person.username;
        stack.create_user(person, &[]);
        let member = json!({ "Username": username, "GroupName": "Member" });
        stack.cognito_admin("AdminAddUserToGroup", member);
    }
    stack.cognito_admin(
        "AdminDisableUser",
        json!({ "Username": people[0].username }),
    );
    let list = output(&mut users(&["list-users", "passwordless-strict"]));
    let columns = list.lines().map(|line| line.split_whitespace());
    let columns: Vec<Vec<&str>> = columns.map(Iterator::collect).collect();
    let header = [
        "CREATED", "(UTC)", "STATUS", "ENABLED", "USERNAME", "GROUPS",
    ];
    assert_eq!(columns[0], header);
    for (number, Person { username, .. }) in people.iter().enumerate() {
        let rows = columns
            .iter()
            .filter(|columns| columns.contains(&&**username));
        // Without the date and time of creation.
        let rows: Vec<&[&str]> = rows.map(|columns| &columns[2..]).collect();
        let enabled = if number == 0 { "no" } else { "yes" };
        let expected = ["FORCE_CHANGE_PASSWORD", enabled, username, "Member"];
        assert_eq!(rows, [expected], "{username}");
    }
}

#[test]
fn list_users_replaces_control_characters() {
    let stack = Stack::standard();
    let person = stack.unconfirmed_user();
    let name = format!("\u{1b}[2J\u{202e}{}", person.username);
    let attributes = [json!({ "Name": "email", "Value": name })];
    stack.cognito_admin(
        "AdminUpdateUserAttributes",
        json!({ "Username": person.username, "UserAttributes": attributes }),
    );
    let list = output(&mut users(&["list-users", "standard"]));
    assert!(
        list.contains(&format!("?[2J?{}", person.username)),
        "{list}"
    );
    assert!(!list.contains(['\u{1b}', '\u{202e}']), "{list}");
}

#[test]
fn script_accepts_the_same_usernames_as_the_api() {
    let stack = Stack::standard();
    let lengths = [(64, 10), (65, 10), (1, 64), (60, 63), (61, 63)].map(|(local, label)| {
        let (local, label) = ("a".repeat(local), "b".repeat(label));
        format!("{local}@{label}.com")
    });
    let usernames = USERNAMES.lines().map(|line| line.replace("\\n", "\n"));
    let usernames: Vec<String> = usernames.chain(lengths).collect();
    let script = "import json, sys, users
print(json.dumps([bool(users.PHONE.fullmatch(name) or users.EMAIL.fullmatch(name)) for name in map(str.strip, json.loads(sys.argv[1]))]))";
    let verdicts = python(script, &[&json!(usernames).to_string()]);
    let verdicts: Vec<bool> = serde_json::from_str(&verdicts).unwrap();
    for (username, accepted) in usernames.iter().zip(&verdicts) {
        let body = json!({ "username": username, "password": "Secret!1" });
        let answer = stack.post("/sign-in", body);
        let message = answer.json()["error"]["message"].take();
        let message = message.as_str().unwrap();
        let rejected =
            message.starts_with("Username ") || message.starts_with("Leave out the zero");
        assert_eq!(*accepted, !rejected, "{username:?}: {answer:?}");
    }
    assert!(verdicts.contains(&true) && verdicts.contains(&false));
}

/// Valid and invalid usernames, one a line.
const USERNAMES: &str = "nobody.4f1c@example.com
nobody+tag@sub.example.co.uk
nobody'o{}|~!#$%&*/=?^`@example.com
nobody@1.2
+34999999999
+1234567
+123456
+34999999999123
+349999999991234
+4407700900000
+390212345678
+353087123456
+5907700900000
+04999999999
34999999999
+34999999999\x20
+34\u{663}99999999
nobody
@example.com
nobody@
nobody@localhost
nobody@example..com
nobody@-example.com
nobody@example-.com
nobody@example.com.
.nobody@example.com
nobody.@example.com
a..nobody@example.com
a b@example.com
\x20nobody@example.com
nobody@example.com\\n
\u{435}nobody@example.com
nobody@ex\u{e4}mple.com
\"nobody\"@example.com
nobody@[127.0.0.1]
a@nobody@example.com";

#[test]
fn make_runs_commands_on_the_given_stack() {
    let stack = Stack::passwordless();
    let person = Person::with_phone();
    let username = format!("USERNAME={}", person.username);
    let make = |arguments: &[&str]| {
        let mut make = Command::new("make");
        make.current_dir(root()).args(["-s", "STACK=passwordless"]);
        // `make test` installed the tools.
        make.args(["-o", "tools"]).args(arguments);
        // Set by the surrounding `make test`.
        for variable in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "STACK", "MODE"] {
            make.env_remove(variable);
        }
        make.stdin(Stdio::null());
        make
    };
    output(&mut make(&["create-user", &username, "ROLE=Admin"]));
    output(&mut make(&["set-role", &username, "ROLE=User"]));
    output(&mut make(&["unlock-user", &username]));
    assert_eq!(stack.groups_of(&person.username), ["User"]);
    let list = output(&mut make(&["list-users"]));
    assert!(list.contains(&person.username), "{list}");

    // Neither a shell nor make expands a value. An unusual value is printed in quotes.
    let made = std::env::temp_dir().join(format!("made-{}", std::process::id()));
    let shell = format!("$(shell touch {})", made.display());
    let no_stack = format!("The stack '{shell}' is not there.");
    let no_role = format!("has no role '{shell}'.");
    let no_username = "USERNAME should be an email address or a phone number";
    for (arguments, message) in [
        (["USERNAME=`id`;\"x", "ROLE=Admin"], no_username),
        (
            ["USERNAME=a$b@example.com", "STACK=standard"],
            "The stack standard has no user 'a$b@example.com'.",
        ),
        ([&format!("USERNAME={shell}"), "ROLE=Admin"], no_username),
        ([&username, &format!("ROLE={shell}")], &no_role),
        ([&username, &format!("STACK={shell}")], &no_stack),
    ] {
        let mut set_role = make(&[&["set-role", "ROLE=Admin"], &arguments[..]].concat());
        let rejected = set_role.output().unwrap();
        let printed = String::from_utf8_lossy(&rejected.stderr);
        assert!(printed.contains(message), "{arguments:?}: {printed}");
        assert!(!made.exists(), "{arguments:?}");
    }
}

/// Starts a proxy in front of the embedded AWS, and returns its URL. `inspect` sees each request, and may answer it
/// with a JSON error of Cognito.
fn proxy(stack: &Stack, inspect: impl Fn(&str) -> Option<Value> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let aws = stack.output("Endpoint").replace("http://", "");
    let inspect = Arc::new(inspect);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (aws, inspect) = (TcpStream::connect(&aws).unwrap(), Arc::clone(&inspect));
            std::thread::spawn(move || forward(client, aws, &*inspect));
        }
    });
    url
}

/// Forwards both directions of a connection until they end.
fn forward(mut client: TcpStream, mut aws: TcpStream, inspect: &dyn Fn(&str) -> Option<Value>) {
    let (mut answers, mut to_client) = (aws.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || {
        std::io::copy(&mut answers, &mut to_client).ok();
        to_client.shutdown(Shutdown::Both).ok();
    });
    let mut requests = BufReader::new(client.try_clone().unwrap());
    while let Some(request) = Request::read(&mut requests) {
        let request = request.to_string();
        if let Some(error) = inspect(&request) {
            let json = "Content-Type: application/x-amz-json-1.1\r\n";
            respond(&mut client, "400 Bad Request", json, &error.to_string()).ok();
        } else if aws.write_all(request.as_bytes()).is_err() {
            break;
        }
    }
    aws.shutdown(Shutdown::Both).ok();
}

/// Denies these operations, as IAM does.
fn deny<const N: usize>(operations: [&'static str; N]) -> impl Fn(&str) -> Option<Value> {
    move |request| {
        let mut operations = operations.iter();
        let denied = operations.find(|operation| {
            request.contains(&format!("IdentityProviderService.{operation}\r\n"))
        })?;
        Some(json!({
            "__type": "AccessDeniedException",
            "message": format!("not authorized to perform: cognito-idp:{denied}"),
        }))
    }
}
