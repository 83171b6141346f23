//! The functions' logs: one line and the metrics of each request, and no secrets.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use e2e::{
    Authority, Aws, Fault, Function, Journey, Mode, Person, ROUTES, Route, Stack, TRIGGERS,
    resource, trigger_event, url_encoded,
};
use serde_json::{Value, json};

const WRONG_CODE: &str = "918273";

/// The triggers that a journey calls.
fn triggers(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::UserPassword => &["PreSignUp"],
        Mode::Passwordless => &[
            "PreSignUp",
            "DefineAuthChallenge",
            "CreateAuthChallenge",
            "VerifyAuthChallengeResponse",
        ],
    }
}

/// Calls every route with valid requests, and with wrong codes, unknown usernames, misplaced values and malformed
/// bodies.
fn exercise_routes(stack: &Stack) {
    let mut journey = Journey::start(stack);
    let mark = Person::another_password();
    let nobody = Person::of(stack.mode()).username;
    let mut sent = Vec::new();
    for route in stack.mode().routes() {
        let path = route.path;
        let mut request = journey.request(route);
        if request.get("confirmationCode").is_some() {
            let mut wrong = request.clone();
            wrong["confirmationCode"] = WRONG_CODE.into();
            let answer = stack.post(path, wrong);
            if request.get("session").is_some() {
                request["session"] = answer.assert_wrong_code().into();
            } else {
                answer.assert_error(400, "CodeMismatchException");
            }
        }
        let answer = journey.post(route, &request).assert_ok();
        journey.record(&answer);
        sent.push((path, request));

        let mut body = route.body();
        body.insert("username".to_owned(), json!(nobody));
        body.insert("userAttributes".to_owned(), json!({ "role": mark }));
        stack.post(path, body.into());
        let field = json!({ "username": { "password": mark } });
        stack.post(&format!("{path}?token={mark}"), field);
        stack.post_bytes(path, format!("password={mark}").as_bytes());
        stack.post(
            path,
            json!({
                "username": mark, "password": mark, "session": mark, "confirmationCode": mark,
                "accessToken": mark, "refreshToken": format!("{mark} "),
            }),
        );
    }
    // Repeats the valid requests, most of which fail now.
    for (path, request) in sent {
        stack.post(path, request);
    }
}

/// Whether the line contains one of these forms.
fn contains_any(line: &str, forms: &[String]) -> bool {
    forms.iter().any(|form| match form.len() {
        // A code must be a whole word, because its digits can be part of another number.
        6 => words(line).any(|word| word == form),
        _ => line.contains(form),
    })
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric())
}

/// The forms that a text could have in a log: plain, in base64 at any offset, URL-encoded, escaped.
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
            // The first and last characters depend on the neighbouring bytes.
            let start = [0, 2, 3][offset];
            forms.push(encoded[start..encoded.len() - 1].to_owned());
        }
    }
    forms
}

#[test]
fn requests_log_one_json_line_without_secrets() {
    for mode in Mode::BOTH {
        let stack = Stack::of(mode);
        exercise_routes(&stack);
        let logs = stack.logs();
        // Nothing looks like a contact, a password, a token or a code of this test or another one.
        let patterns = ["@", "eyJ", "+34", "%2B34", "Secret!", "example.com"];
        for (function, line) in &logs {
            let found = patterns.iter().find(|pattern| line.contains(*pattern));
            assert_eq!(found, None, "{function} logs {line}");
            let mut words = words(line);
            assert!(
                !words.any(|word| word == WRONG_CODE),
                "{function} logs {line}"
            );
        }
        let metrics = logs.iter().filter(|(_, line)| is_metrics(line));
        let metrics: Vec<Metric> = metrics.flat_map(|(_, line)| parse_metrics(line)).collect();
        let namespace = format!("AuthRocket/{}", stack.name());
        assert!(!metrics.is_empty());
        assert!(metrics.iter().all(|metric| metric.namespace == namespace));
        assert_request_lines(&stack, &logs);
    }
}

/// Checks that each request that Lambda started has one line, and that every function logged each outcome.
fn assert_request_lines(stack: &Stack, logs: &[(String, String)]) {
    let started = logs.iter();
    let started = started.filter_map(|(_, line)| request_id_of_start(line));
    let started: HashSet<String> = started.collect();
    let lines = lines_by_request(stack, &started);
    let mut logged: HashSet<(String, String)> = HashSet::new();
    for id in &started {
        let [(function, line)] = &lines[id][..] else {
            panic!("not one line for the request {id}: {:?}", lines[id]);
        };
        for key in ["timestamp", "level", "durationMs", "coldStart"] {
            assert!(!line[key].is_null(), "no {key}: {line}");
        }
        let outcome = line["outcome"].as_str().unwrap_or_default();
        let mut routes = stack.mode().routes();
        if let Some(route) = routes.find(|route| route.resource() == *function) {
            assert_eq!(line["route"], format!("/auth{}", route.path), "{line}");
            if outcome == "success" && route.calls_aws() {
                assert!(line["upstreamAttempts"].as_u64() > Some(0), "{line}");
                assert!(line["upstreamMs"].is_f64(), "{line}");
            }
        }
        let name = line["function"].as_str().unwrap();
        assert_eq!(resource(name), *function, "{line}");
        let reasons = match outcome {
            "success" => [false, false],
            "refusal" => [true, false],
            "failure" => [true, true],
            _ => panic!("no outcome: {line}"),
        };
        let given = ["errorType", "cause"].map(|key| line[key].is_string());
        assert_eq!(given, reasons, "{line}");
        logged.insert((function.clone(), outcome.to_owned()));
    }
    let routes = stack.mode().routes();
    let routes =
        routes.flat_map(|route| ["success", "refusal"].map(|outcome| (route.resource(), outcome)));
    let triggers = triggers(stack.mode()).iter();
    let triggers = triggers.map(|function| ((*function).to_owned(), "success"));
    for (function, outcome) in routes.chain(triggers) {
        let pair = (function, outcome.to_owned());
        assert!(logged.contains(&pair), "not logged: {pair:?}");
    }
}

/// The JSON lines of each of these requests. The embedded AWS can hold a line back until the function's next request.
/// So this sends more requests until every line is there.
fn lines_by_request(stack: &Stack, ids: &HashSet<String>) -> HashMap<String, Vec<(String, Value)>> {
    for _ in 0..20 {
        let mut lines: HashMap<String, Vec<(String, Value)>> = HashMap::new();
        for (function, line) in stack.logs() {
            if let Ok(line) = serde_json::from_str::<Value>(&line) {
                let id = line["requestId"].as_str().unwrap_or_default().to_owned();
                lines.entry(id).or_default().push((function, line));
            }
        }
        if ids.iter().all(|id| lines.contains_key(id)) {
            return lines;
        }
        exercise_routes(stack);
    }
    panic!("no line for one of the requests {ids:?}");
}

/// A metric that CloudWatch reads from a line.
#[derive(Debug)]
struct Metric {
    namespace: String,
    /// The name, followed by the values of the dimensions.
    name: String,
    unit: String,
    value: f64,
}

fn is_metrics(line: &str) -> bool {
    line.starts_with(r#"{"_aws""#)
}

/// Parses a line as CloudWatch does. CloudWatch drops an invalid line silently, so this panics.
fn parse_metrics(line: &str) -> Vec<Metric> {
    let line: Value = serde_json::from_str(line).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let then = Duration::from_millis(line["_aws"]["Timestamp"].as_u64().unwrap());
    assert!(now.abs_diff(then) < Duration::from_secs(3600), "{line}");
    let text = |value: &Value| match value.as_str() {
        Some(text) => text.to_owned(),
        None => panic!("not a string: {line}"),
    };
    let only = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([one]) => one.clone(),
        _ => panic!("not exactly one: {line}"),
    };
    let directive = only(&line["_aws"]["CloudWatchMetrics"]);
    let dimensions = only(&directive["Dimensions"]);
    let dimensions = dimensions.as_array().unwrap().iter();
    let dimensions: Vec<String> = dimensions.map(|name| text(&line[&text(name)])).collect();
    let metrics = directive["Metrics"].as_array().unwrap();
    // The line has only metrics, dimensions and `_aws`.
    let members = line.as_object().unwrap().len();
    assert_eq!(members, 1 + dimensions.len() + metrics.len(), "{line}");
    let read = |metric: &Value| {
        let name = text(&metric["Name"]);
        let value = match &line[&name] {
            Value::Array(_) => only(&line[&name]).as_f64(),
            value => value.as_f64(),
        };
        Metric {
            namespace: text(&directive["Namespace"]),
            value: value.unwrap_or_else(|| panic!("no value of {name}: {line}")),
            name: [&[name][..], &dimensions].concat().join(" "),
            unit: text(&metric["Unit"]),
        }
    };
    metrics.iter().map(read).collect()
}

/// The request id in the line that Lambda writes at the start of a request.
fn request_id_of_start(line: &str) -> Option<String> {
    let rest = line.strip_prefix("START RequestId: ")?;
    Some(rest.split(' ').next()?.to_owned())
}

#[test]
fn secret_search_finds_every_encoding() {
    for secret in ["Secret!+34/é", WRONG_CODE] {
        let forms = forms(secret);
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
            assert!(contains_any(&text, &forms), "{secret} in {text}");
        }
        assert!(!contains_any("1918273 918 273 9182731 Secret!", &forms));
    }
}

/// The secrets in the events of [`functions_log_no_secret_at_any_level`], and the starts of the tokens and sessions in
/// the answers of the stand-in for AWS.
static SECRETS: LazyLock<[&str; 15]> = LazyLock::new(|| {
    [
        "zebra.marker@example.com",
        "+34699123987",
        "Zebra-Secret!1 \u{e9}",
        "918273",
        "zebra-session",
        Route::example_token(),
        "zebra-refresh",
        "zebra-header",
        "zebra-query",
        "192.0.2.77",
        "zebra-sub",
        fake_aws::SUB,
        "access------",
        "refresh------",
        "session------",
    ]
});

/// The functions, each with an event that has the secrets that it reads, and others.
fn functions() -> Vec<(String, Mode, Value)> {
    let routes = ROUTES.iter().map(|route| {
        let mut body = route.body();
        for field in route.fields {
            let secret = match (*field, route.mode) {
                ("username", Mode::UserPassword) => 0,
                ("username", Mode::Passwordless) => 1,
                ("confirmationCode", _) => 3,
                ("session", _) => 4,
                ("accessToken", _) => 5,
                ("refreshToken", _) => 6,
                _ => 2,
            };
            body.insert((*field).to_owned(), SECRETS[secret].into());
        }
        let mut event = route.event(body);
        event["headers"]["X-Zebra"] = SECRETS[7].into();
        event["queryStringParameters"] = json!({ "q": SECRETS[8] });
        event["requestContext"]["identity"] = json!({ "sourceIp": SECRETS[9] });
        (route.function(), route.mode, event)
    });
    let triggers = TRIGGERS.iter().map(|trigger| {
        let mut event = trigger_event(trigger).to_string();
        for (text, secret) in [("a-sub", 10), ("+34999999999", 1), ("012345", 3)] {
            event = event.replace(text, SECRETS[secret]);
        }
        let event = serde_json::from_str(&event).unwrap();
        ((*trigger).to_owned(), Mode::Passwordless, event)
    });
    routes.chain(triggers).collect()
}

/// Runs the function on these events, with these faults of AWS, and returns its output. Standard output goes to this
/// file.
fn output_of(
    function: &Function,
    aws: &Aws,
    log: &str,
    events: &[(&Value, Option<Fault>)],
) -> String {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(log);
    let mut process = function.start_logging(File::create(&log).unwrap());
    process.ready().unwrap();
    for (event, fault) in events {
        aws.answer_with(*fault);
        process
            .invoke(&event.to_string(), Duration::from_secs(20))
            .unwrap();
        process.ready().unwrap();
    }
    let errors = process.end();
    std::fs::read_to_string(&log).unwrap() + &errors
}

/// How often [`functions_log_no_secret_at_any_level`] calls each function at a level.
const CALLS: usize = 5;

#[test]
fn functions_log_no_secret_at_any_level() {
    let authority = Authority::new(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let forms = SECRETS.map(forms);
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
            let output = output_of(&function, &aws, &log, &events);
            for line in output.lines() {
                let what = format!("{name} at {level}: {line}");
                for (secret, forms) in SECRETS.iter().zip(&forms) {
                    assert!(!contains_any(line, forms), "{secret} in {what}");
                }
                let code = |word: &str| word.len() == 6 && word.bytes().all(|c| c.is_ascii_digit());
                assert!(!words(line).any(code), "a code in {what}");
                assert!(serde_json::from_str::<Value>(line).is_ok(), "{what}");
            }
            let (metrics, lines): (Vec<&str>, Vec<&str>) =
                output.lines().partition(|line| is_metrics(line));
            // Every request is counted, at any log level.
            let metrics = metrics.into_iter().flat_map(parse_metrics);
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

/// The lines that a function of [`functions`] writes for its event, once for each of these faults.
fn lines_of(
    (name, mode, event): &(String, Mode, Value),
    aws: &Aws,
    namespace: &str,
    faults: &[Option<Fault>],
) -> Vec<String> {
    let function = Function::configured(name.as_str()).behind(aws);
    let function = function
        .with("MODE", mode.name())
        .with("METRICS_NAMESPACE", namespace);
    let log = [namespace, mode.name(), name].join("-").replace('/', "-");
    let events: Vec<_> = faults.iter().map(|fault| (event, *fault)).collect();
    let output = output_of(&function, aws, &log, &events);
    output.lines().map(str::to_owned).collect()
}

fn metrics_of(lines: &[String]) -> Vec<Metric> {
    let lines = lines.iter().filter(|line| is_metrics(line));
    lines.flat_map(|line| parse_metrics(line)).collect()
}

fn aws() -> Aws {
    Aws::start(&Authority::new(Path::new(env!("CARGO_TARGET_TMPDIR"))))
}

/// Sign-in with a password.
fn sign_in() -> (String, Mode, Value) {
    let sign_in =
        |(name, mode, _): &(String, Mode, Value)| name == "sign-in" && *mode == Mode::UserPassword;
    functions().into_iter().find(sign_in).unwrap()
}

#[test]
fn sign_in_writes_metrics_by_function_and_outcome() {
    let faults = [None, Some(Fault::Exception("NotAuthorizedException"))];
    let metrics = metrics_of(&lines_of(&sign_in(), &aws(), "a/name:space", &faults));
    let names = metrics.iter().map(|metric| {
        assert_eq!(metric.namespace, "a/name:space");
        match &*metric.unit {
            "Count" => assert_eq!(metric.value, 1.0, "{metric:?}"),
            "Milliseconds" => assert!((0.0..5_000.0).contains(&metric.value), "{metric:?}"),
            _ => panic!("{metric:?}"),
        }
        &*metric.name
    });
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            "SignIns",
            "Requests sign-in success",
            "UpstreamLatency sign-in success",
            "SignInFailures",
            "Requests sign-in refusal",
            "UpstreamLatency sign-in refusal",
        ]
    );
}

#[test]
fn functions_count_sign_ups_sign_ins_and_codes() {
    let aws = aws();
    let sends = ROUTES.iter().filter(|route| route.sends_messages());
    let sends: HashSet<String> = sends.map(Route::function).collect();
    for function in functions() {
        let (name, mode, _) = &function;
        let expected: &[&str] = match (&**name, mode) {
            ("sign-up", _) => &["CodesSent", "SignUps"],
            ("sign-in", Mode::UserPassword) | ("token", _) => &["SignIns"],
            // The trigger counts the code.
            ("sign-in", Mode::Passwordless) => &[],
            ("create-auth-challenge", _) => &["CodesSent"],
            _ if sends.contains(name) => &["CodesSent"],
            _ => &[],
        };
        let metrics = metrics_of(&lines_of(&function, &aws, "every/function", &[None]));
        let metrics = metrics.iter().map(|metric| &*metric.name);
        let counted: Vec<&str> = metrics.filter(|name| !name.contains(' ')).collect();
        assert_eq!(
            counted,
            expected,
            "{name} in {}: see its x-sends-messages in openapi.yaml",
            mode.name()
        );
    }
}

#[test]
fn functions_write_no_metrics_without_a_namespace() {
    let lines = lines_of(&sign_in(), &aws(), "", &[None, None]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(metrics_of(&lines).is_empty(), "{lines:?}");
}
