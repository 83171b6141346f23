//! The functions' logs: one line a request and its metrics, and nothing in them that should not be known.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use e2e::{
    Authority, Aws, Fault, Function, Mode, PASSWORD_CODE, Person, ROUTES, Route, SIGN_UP_CODE,
    Stack, Tokens, url_encoded,
};
use serde_json::{Value, json};

/// A mode, its triggers, and what goes through every one of its functions.
struct Traffic {
    mode: Mode,
    triggers: &'static [&'static str],
    run: fn(&Stack) -> Vec<String>,
}

const MODES: [Traffic; 2] = [
    Traffic {
        mode: Mode::UserPassword,
        triggers: &["PreSignUp"],
        run: user_password_traffic,
    },
    Traffic {
        mode: Mode::Passwordless,
        triggers: &[
            "PreSignUp",
            "DefineAuthChallenge",
            "CreateAuthChallenge",
            "VerifyAuthChallengeResponse",
        ],
        run: passwordless_traffic,
    },
];

const WRONG_CODE: &str = "918273";

/// Goes through every route, once granted and once refused, and returns what nobody may find in a log.
fn user_password_traffic(stack: &Stack) -> Vec<String> {
    let mut secrets = vec![PASSWORD_CODE.to_owned()];
    for (person, role) in [
        (Person::with_email(), "User"),
        (Person::with_phone(), "Driver"),
    ] {
        let username = &person.username;
        let new_password = Person::another_password();
        let change = |code: &str| json!({ "username": username, "password": new_password, "confirmationCode": code });
        let stranger = Person {
            password: Person::another_password(),
            ..person.clone()
        };

        secrets.extend(sign_up_traffic(stack, &person, role));
        stack
            .sign_in(&stranger)
            .refused(401, "NotAuthorizedException");
        let tokens = stack.tokens_of(&person);
        stack
            .post("/password/forgot", json!({ "username": username }))
            .granted();
        stack
            .post("/password/change", change(WRONG_CODE))
            .refused(400, "CodeMismatchException");
        stack
            .post("/password/change", change(PASSWORD_CODE))
            .granted();
        secrets.extend(token_traffic(stack, tokens));
        secrets.extend([new_password, stranger.password]);
    }
    let nobody = Person::with_email().username;
    stack
        .post("/password/forgot", json!({ "username": nobody }))
        .refused(404, "UserNotFoundException");
    secrets.push(nobody);
    secrets
}

/// The same for the routes without passwords.
fn passwordless_traffic(stack: &Stack) -> Vec<String> {
    let person = Person::with_phone();
    let mut secrets = sign_up_traffic(stack, &person, "User").to_vec();
    let challenge = stack.challenge(&person);
    let wrong = challenge.wrong_code();
    let session = stack
        .answer(&person, &challenge.session, &wrong)
        .wrong_code();
    let tokens = stack.answer(&person, &session, &challenge.code).granted();
    stack.sign_in(&person).throttled();
    secrets.extend(token_traffic(stack, Tokens::read(stack, &tokens)));
    let abroad = Person::with_phone_in("+44").username;
    let body = json!({ "username": abroad, "userAttributes": { "role": "User" } });
    stack
        .post("/sign-up", body)
        .refused(400, "InvalidParameterException");
    secrets.extend([challenge.session, challenge.code, wrong, session, abroad]);
    secrets
}

/// From a sign-up to its confirmation.
fn sign_up_traffic(stack: &Stack, person: &Person, role: &str) -> [String; 4] {
    let Person { username, password } = person;
    let confirmation = |code: &str| json!({ "username": username, "confirmationCode": code });
    stack.sign_up(person, role).granted();
    stack
        .sign_up(person, role)
        .refused(409, "UsernameExistsException");
    stack
        .sign_in(person)
        .refused(403, "UserNotConfirmedException");
    stack
        .post("/sign-up/resend-code", json!({ "username": username }))
        .granted();
    stack
        .post("/sign-up/confirm", confirmation(WRONG_CODE))
        .refused(400, "CodeMismatchException");
    stack
        .post("/sign-up/confirm", confirmation(SIGN_UP_CODE))
        .granted();
    [username, password, WRONG_CODE, SIGN_UP_CODE].map(str::to_owned)
}

/// From tokens to their end.
fn token_traffic(stack: &Stack, tokens: Tokens) -> [String; 6] {
    let refresh = json!({ "refreshToken": tokens.refresh });
    let renewed = Tokens::read(
        stack,
        &stack.post("/token/refresh", refresh.clone()).granted(),
    );
    let revoke = json!({ "accessToken": tokens.access });
    stack.post("/token/revoke", revoke.clone()).granted();
    stack
        .post("/token/revoke", revoke)
        .refused(401, "NotAuthorizedException");
    stack
        .post("/token/refresh", refresh)
        .refused(401, "NotAuthorizedException");
    let Tokens {
        access,
        id,
        refresh,
        ..
    } = tokens;
    [
        access,
        id,
        refresh,
        renewed.access,
        renewed.id,
        renewed.refresh,
    ]
}

impl Traffic {
    /// The mode's own traffic, then what goes through all routes alike: names that nobody has, values where
    /// they do not belong, and bodies that can't be read.
    fn go_through(&self, stack: &Stack) -> Vec<String> {
        let mut secrets = (self.run)(stack);
        let mark = Person::another_password();
        let nobody = Person::with_phone().username;
        for route in ["/sign-up/resend-code", "/sign-in"] {
            let body = json!({ "username": nobody, "password": mark });
            stack
                .post(route, body)
                .refused(404, "UserNotFoundException");
        }
        for Route { path: route, .. } in self.mode.routes() {
            stack.post(
                &format!("{route}?token={mark}"),
                json!({ "username": { "password": mark } }),
            );
            stack.post_bytes(route, format!("password={mark}").as_bytes());
            stack.post(
                route,
                json!({
                    "username": mark, "password": mark, "session": mark, "confirmationCode": mark,
                    "accessToken": mark, "refreshToken": format!("{mark} "),
                }),
            );
        }
        secrets.extend([nobody, mark]);
        secrets
    }
}

/// Whether the secret stands in the line, in some form.
fn is_in(secret: &str, line: &str) -> bool {
    forms(secret).iter().any(|form| match form.len() {
        // A code's digits can be part of another number.
        6 => words(line).any(|word| word == form),
        _ => line.contains(form),
    })
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric())
}

/// The ways in which a text could stand in a log: as it is, in base64 at any offset, URL-encoded, escaped.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![
        secret.to_owned(),
        url_encoded(secret),
        json!(secret).to_string().replace('"', ""),
    ];
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for offset in 0..3 {
            let shifted = [vec![0; offset], secret.as_bytes().to_vec()].concat();
            let encoded = engine.encode(shifted);
            // The characters at both ends depend on the neighbours.
            let start = [0, 2, 3][offset];
            forms.push(encoded[start..encoded.len() - 1].to_owned());
        }
    }
    forms
}

#[test]
fn no_password_token_code_or_contact_is_ever_logged() {
    for traffic in MODES {
        let stack = Stack::of(traffic.mode);
        let secrets = traffic.go_through(&stack);
        let logs = stack.logs();
        assert!(logs.len() > 100, "the traffic left no logs");
        for secret in &secrets {
            for (function, line) in &logs {
                assert!(
                    !is_in(secret, line),
                    "{secret} is in the log of {function}: {line}"
                );
            }
        }
        // What the other tests sent must not be there either: nothing that looks like a contact or a token.
        for (function, line) in &logs {
            for sign in ["@", "eyJ", "+34", "%2B34", "Secret!", "example.com"] {
                assert!(
                    !line.contains(sign),
                    "{sign} is in the log of {function}: {line}"
                );
            }
        }
    }
}

#[test]
fn each_request_is_one_json_line_with_its_id_function_route_and_outcome() {
    for traffic in MODES {
        each_request_is_one_line(&traffic);
    }
}

fn each_request_is_one_line(traffic: &Traffic) {
    let stack = Stack::of(traffic.mode);
    traffic.go_through(&stack);
    let logs = stack.logs();
    let started: HashSet<String> = logs
        .iter()
        .filter_map(|(_, line)| request_id_of_start(line))
        .collect();
    let lines = lines_by_request(traffic, &stack, &started);

    let namespace = format!("AuthRocket/{}", stack.name());
    let metrics = logs.iter().filter(|(_, line)| is_metrics(line));
    let metrics: Vec<Measured> = metrics.flat_map(|(_, line)| measured(line)).collect();
    assert!(!metrics.is_empty());
    assert!(metrics.iter().all(|metric| metric.namespace == namespace));

    let mut seen: HashSet<(String, String)> = HashSet::new();
    for id in &started {
        let [(function, line)] = &lines[id][..] else {
            panic!("not one line for the request {id}: {:?}", lines[id]);
        };
        for key in ["timestamp", "level"] {
            assert!(line[key].is_string(), "no {key}: {line}");
        }
        for key in ["durationMs", "coldStart"] {
            assert!(!line[key].is_null(), "no {key}: {line}");
        }
        let mut routes = traffic.mode.routes();
        if let Some(route) = routes.find(|route| route.resource() == *function) {
            assert_eq!(line["route"], format!("/auth{}", route.path), "{line}");
            if line["outcome"] == "success" {
                assert!(line["upstreamAttempts"].as_u64() > Some(0), "{line}");
                assert!(line["upstreamMs"].is_f64(), "{line}");
            }
        }
        assert_eq!(line["function"], kebab_case(function), "{line}");
        match line["outcome"].as_str() {
            Some("success") => assert!(line["errorType"].is_null(), "{line}"),
            Some("refusal") => assert!(
                line["errorType"].is_string() && line["cause"].is_null(),
                "{line}"
            ),
            Some("failure") => assert!(
                line["errorType"].is_string() && line["cause"].is_string(),
                "{line}"
            ),
            _ => panic!("no outcome: {line}"),
        }
        seen.insert((
            function.clone(),
            line["outcome"].as_str().unwrap().to_owned(),
        ));
    }
    let routes = traffic
        .mode
        .routes()
        .flat_map(|route| ["success", "refusal"].map(|outcome| (route.resource(), outcome)));
    let triggers = traffic.triggers.iter();
    let triggers = triggers.map(|function| ((*function).to_owned(), "success"));
    for (function, outcome) in routes.chain(triggers) {
        let pair = (function, outcome.to_owned());
        assert!(seen.contains(&pair), "not logged: {pair:?}");
    }
}

/// The JSON lines of each of these requests. The embedded AWS reads a function's output beside its answer
/// and can keep a line back until that function's next request, so there is a next request until all is told.
fn lines_by_request(
    traffic: &Traffic,
    stack: &Stack,
    ids: &HashSet<String>,
) -> HashMap<String, Vec<(String, Value)>> {
    let mut lines: HashMap<String, Vec<(String, Value)>> = HashMap::new();
    for _ in 0..20 {
        lines.clear();
        for (function, line) in stack.logs() {
            if let Ok(line) = serde_json::from_str::<Value>(&line) {
                let id = line["requestId"].as_str().unwrap_or_default().to_owned();
                lines.entry(id).or_default().push((function, line));
            }
        }
        if ids.iter().all(|id| lines.contains_key(id)) {
            return lines;
        }
        traffic.go_through(stack);
    }
    let silent: Vec<&String> = ids.iter().filter(|id| !lines.contains_key(*id)).collect();
    panic!("no line for the requests {silent:?}");
}

/// What CloudWatch gets from a line.
#[derive(Debug)]
struct Measured {
    namespace: String,
    /// With the values of its dimensions.
    name: String,
    unit: String,
    value: f64,
}

fn is_metrics(line: &str) -> bool {
    line.starts_with(r#"{"_aws""#)
}

/// Reads a line as CloudWatch does, which drops without a word what it can't read.
fn measured(line: &str) -> Vec<Measured> {
    let line: Value = serde_json::from_str(line).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let then = Duration::from_millis(line["_aws"]["Timestamp"].as_u64().unwrap());
    assert!(now.abs_diff(then) < Duration::from_secs(3600), "{line}");
    let [directive] = &line["_aws"]["CloudWatchMetrics"].as_array().unwrap()[..] else {
        panic!("not one directive: {line}");
    };
    let text = |value: &Value| {
        let text = value.as_str();
        text.unwrap_or_else(|| panic!("no text: {line}")).to_owned()
    };
    let [dimensions] = &directive["Dimensions"].as_array().unwrap()[..] else {
        panic!("not one set of dimensions: {line}");
    };
    let dimensions = dimensions.as_array().unwrap().iter();
    let dimensions: Vec<String> = dimensions.map(|name| text(&line[&text(name)])).collect();
    let metrics = directive["Metrics"].as_array().unwrap();
    // Nothing but metrics, their dimensions and `_aws`.
    let members = line.as_object().unwrap().len();
    assert_eq!(members, 1 + dimensions.len() + metrics.len(), "{line}");
    let read = |metric: &Value| {
        let name = text(&metric["Name"]);
        let value = match &line[&name] {
            Value::Array(values) if values.len() == 1 => values[0].as_f64(),
            value => value.as_f64(),
        };
        Measured {
            namespace: text(&directive["Namespace"]),
            value: value.unwrap_or_else(|| panic!("no value of {name}: {line}")),
            name: [&[name][..], &dimensions].concat().join(" "),
            unit: text(&metric["Unit"]),
        }
    };
    metrics.iter().map(read).collect()
}

/// The request's id in the line that Lambda writes when it starts one.
fn request_id_of_start(line: &str) -> Option<String> {
    let rest = line.strip_prefix("START RequestId: ")?;
    Some(rest.split(' ').next()?.to_owned())
}

/// `SignUpConfirm` as the functions' folders are called.
fn kebab_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[test]
fn a_secret_is_found_in_every_form_that_it_could_have_in_a_log() {
    for secret in ["Secret!+34/é", WRONG_CODE] {
        for text in [
            format!("a line with {secret} in it"),
            json!({ "password": secret }).to_string(),
            json!({ "body": json!({ "password": secret }).to_string() }).to_string(),
            format!("password={}&x=1", url_encoded(secret)),
            STANDARD_NO_PAD.encode(format!("{secret}?")),
            STANDARD_NO_PAD.encode(format!("a{secret}?>")),
            URL_SAFE_NO_PAD.encode(format!("ab{secret}>")),
            URL_SAFE_NO_PAD.encode(format!("abc{secret}")),
            STANDARD.encode(json!({ "code": secret }).to_string()),
        ] {
            assert!(is_in(secret, &text), "{secret} in {text}");
        }
        assert!(!is_in(secret, "1918273 918 273 9182731 Secret!"));
    }
}

/// What is in the events of [`no_function_logs_a_secret_at_any_level_whatever_aws_answers`], and what the stand-in
/// for AWS answers with: tokens and sessions begin so.
const SECRETS: [&str; 14] = [
    "zebra.marker@example.com",
    "+34699123987",
    "Zebra-Secret!1 \u{e9}",
    "918273",
    "zebra-session",
    "zebra.access.token",
    "zebra-refresh",
    "zebra-header",
    "zebra-query",
    "192.0.2.77",
    "zebra-sub",
    "access------",
    "refresh------",
    "session------",
];

/// The functions with an event that has all of them: those of the routes, and the triggers.
fn functions() -> Vec<(String, Mode, Value)> {
    let routes = ROUTES.iter().map(|route| {
        let username = match route.mode {
            Mode::UserPassword => SECRETS[0],
            Mode::Passwordless => SECRETS[1],
        };
        let body = json!({
            "username": username, "password": SECRETS[2], "confirmationCode": SECRETS[3], "session": SECRETS[4],
            "accessToken": SECRETS[5], "refreshToken": SECRETS[6], "userAttributes": { "role": "User" },
        });
        let event = json!({
            "resource": format!("/auth{}", route.path), "httpMethod": "POST", "body": body.to_string(),
            "headers": { "Authorization": SECRETS[7] }, "queryStringParameters": { "q": SECRETS[8] },
            "requestContext": { "identity": { "sourceIp": SECRETS[9] } },
        });
        (route.function(), route.mode, event)
    });
    let triggers = [
        ("pre-sign-up", "PreSignUp_SignUp"),
        ("post-confirmation", "PostConfirmation_ConfirmSignUp"),
        ("custom-message", "CustomMessage_ForgotPassword"),
        (
            "define-auth-challenge",
            "DefineAuthChallenge_Authentication",
        ),
        (
            "create-auth-challenge",
            "CreateAuthChallenge_Authentication",
        ),
        (
            "verify-auth-challenge-response",
            "VerifyAuthChallengeResponse_Authentication",
        ),
    ];
    let triggers = triggers.into_iter().map(|(function, source)| {
        let event = json!({
            "triggerSource": source, "userPoolId": "us-east-1_example", "userName": SECRETS[10],
            "request": {
                "userAttributes": {
                    "sub": SECRETS[10], "phone_number": SECRETS[1], "custom:role": "User",
                    "cognito:user_status": "CONFIRMED",
                },
                "challengeName": "CUSTOM_CHALLENGE", "session": [], "codeParameter": "{####}",
                "privateChallengeParameters": { "code": SECRETS[3] }, "challengeAnswer": SECRETS[3],
            },
            "response": {},
        });
        (function.to_owned(), Mode::Passwordless, event)
    });
    routes.chain(triggers).collect()
}

/// What the function writes, into a file of this name and as errors, where AWS answers each of these events so.
fn written(
    function: &Function,
    aws: &Aws,
    log: &str,
    events: &[(&Value, Option<Fault>)],
) -> String {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(log);
    let mut process = function.start_logging(File::create(&log).unwrap());
    process.ready().unwrap();
    for (event, answer) in events {
        aws.answer_with(*answer);
        process
            .invoke(&event.to_string(), Duration::from_secs(20))
            .unwrap();
        process.ready().unwrap();
    }
    let errors = process.end();
    std::fs::read_to_string(&log).unwrap() + &errors
}

/// How often [`no_function_logs_a_secret_at_any_level_whatever_aws_answers`] calls each function at a level.
const CALLS: usize = 5;

#[test]
fn no_function_logs_a_secret_at_any_level_whatever_aws_answers() {
    let authority = Authority::new(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let lines_at = |level: &str| -> usize {
        let lines = functions().into_iter().map(|(name, mode, event)| {
            let aws = Aws::start(&authority);
            let function = Function::configured(name.as_str()).behind(&aws);
            let function = function.with("LOG_LEVEL", level).with("MODE", mode.name());
            let mut bad = event.clone();
            bad["body"] = format!("{{\"password\":\"{}", SECRETS[2]).into();
            bad["triggerSource"] = "Unheard_Of".into();
            let events: [_; CALLS] = [
                (&event, None),
                (&event, Some(Fault::Exception("NotAuthorizedException"))),
                (&event, Some(Fault::Exception("AccessDeniedException"))),
                (&event, Some(Fault::ClosedRead)),
                (&bad, None),
            ];
            let log = format!("log-{level}-{}-{name}", mode.name());
            let output = written(&function, &aws, &log, &events);
            for line in output.lines() {
                let what = format!("{name} at {level}: {line}");
                for secret in SECRETS {
                    assert!(!is_in(secret, line), "{secret} in {what}");
                }
                let code = |word: &str| word.len() == 6 && word.bytes().all(|c| c.is_ascii_digit());
                assert!(!words(line).any(code), "a code in {what}");
                assert!(serde_json::from_str::<Value>(line).is_ok(), "{what}");
            }
            let (metrics, lines): (Vec<&str>, Vec<&str>) =
                output.lines().partition(|line| is_metrics(line));
            // Whatever is logged of the calls, all are counted.
            let metrics = metrics.into_iter().flat_map(measured);
            let requests = metrics.filter(|metric| metric.name.starts_with("Requests "));
            let requests: f64 = requests.map(|metric| metric.value).sum();
            assert_eq!(requests, CALLS as f64, "{name} at {level}");
            lines.len()
        });
        lines.sum()
    };
    let levels = ["ERROR", "WARN", "INFO", "DEBUG"];
    let lines = std::thread::scope(|scope| {
        let threads = levels.map(|level| scope.spawn(|| lines_at(level)));
        threads.map(|thread| thread.join().unwrap())
    });
    let [error, warn, info, debug] = lines;
    println!("Lines at {levels:?}: {lines:?}");
    assert!(0 < error && error == warn && warn < info);
    assert_eq!([info, debug], [CALLS * functions().len(); 2]);
}

/// What this function writes of its event in [`functions`], answered by AWS in each of these ways.
fn lines_of(
    (name, mode, event): &(String, Mode, Value),
    aws: &Aws,
    namespace: &str,
    answers: &[Option<Fault>],
) -> Vec<String> {
    let function = Function::configured(name.as_str()).behind(aws);
    let function = function
        .with("MODE", mode.name())
        .with("METRICS_NAMESPACE", namespace);
    let log = [namespace, mode.name(), name].join("-").replace('/', "-");
    let events: Vec<_> = answers.iter().map(|answer| (event, *answer)).collect();
    let output = written(&function, aws, &log, &events);
    output.lines().map(str::to_owned).collect()
}

fn metrics_of(lines: &[String]) -> Vec<Measured> {
    let lines = lines.iter().filter(|line| is_metrics(line));
    lines.flat_map(|line| measured(line)).collect()
}

fn aws() -> Aws {
    Aws::start(&Authority::new(Path::new(env!("CARGO_TARGET_TMPDIR"))))
}

/// The sign-in with a password.
fn sign_in() -> (String, Mode, Value) {
    let sign_in =
        |(name, mode, _): &(String, Mode, Value)| name == "sign-in" && *mode == Mode::UserPassword;
    functions().into_iter().find(sign_in).unwrap()
}

#[test]
fn a_sign_in_is_metrics_by_function_and_outcome_and_of_the_whole_api() {
    let answers = [None, Some(Fault::Exception("NotAuthorizedException"))];
    let metrics = metrics_of(&lines_of(&sign_in(), &aws(), "a/name:space", &answers));
    let seen: Vec<(&str, &str)> = metrics
        .iter()
        .map(|metric| (&*metric.name, &*metric.unit))
        .collect();
    assert_eq!(
        seen,
        [
            ("SignIns", "Count"),
            ("Requests sign-in success", "Count"),
            ("UpstreamLatency sign-in success", "Milliseconds"),
            ("SignInFailures", "Count"),
            ("Requests sign-in refusal", "Count"),
            ("UpstreamLatency sign-in refusal", "Milliseconds"),
        ]
    );
    for metric in &metrics {
        assert_eq!(metric.namespace, "a/name:space");
        match &*metric.unit {
            "Count" => assert_eq!(metric.value, 1.0, "{metric:?}"),
            _ => assert!((0.0..5_000.0).contains(&metric.value), "{metric:?}"),
        }
    }
}

#[test]
fn every_function_counts_what_it_did_for_the_user() {
    let aws = aws();
    for function in functions() {
        let (name, mode, _) = &function;
        let expected: &[&str] = match (&**name, mode) {
            ("sign-up", _) => &["CodesSent", "SignUps"],
            ("sign-up-resend-code" | "password-forgot" | "create-auth-challenge", _) => {
                &["CodesSent"]
            }
            ("sign-in", Mode::UserPassword) | ("token", _) => &["SignIns"],
            _ => &[],
        };
        let metrics = metrics_of(&lines_of(&function, &aws, "every/function", &[None]));
        let metrics = metrics.iter().map(|metric| &*metric.name);
        let counted: Vec<&str> = metrics.filter(|name| !name.contains(' ')).collect();
        assert_eq!(counted, expected, "{name} in {}", mode.name());
    }
}

#[test]
fn without_a_namespace_there_are_no_metrics_but_all_else() {
    let lines = lines_of(&sign_in(), &aws(), "", &[None, None]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(metrics_of(&lines).is_empty(), "{lines:?}");
}
