//! Every function's answer to every fault of AWS and of the network. The expected answers are in the table of
//! docs/failures.md. A run writes the actual ones to target/faults.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use e2e::{
    Answer, Authority, Aws, ENVIRONMENT, Fault, Function, InjectedFault, Mode, Process, ROUTES,
    Route, Scope, Stack, TRIGGERS, trigger_event,
};
use serde_json::{Value, json};

/// The page with the table: one row for each of [`FAULTS`], one column for each of [`KINDS`].
const PAGE: &str = include_str!("../../../docs/failures.md");

/// The kinds of calls. The page explains them.
const KINDS: [&str; 9] = [
    "once",
    "once, no content",
    "sessions",
    "repeated",
    "only logged",
    "group",
    "limits",
    "SMS",
    "e-mail",
];

/// A call of AWS that a function makes.
#[derive(Clone, Debug)]
struct Call {
    /// The route or trigger, the operation and its number.
    name: String,
    route: Option<Route>,
    kind: &'static str,
    operation: &'static str,
    /// The number of the function's calls before this one, and in total.
    before: usize,
    all: usize,
    function: Function,
    event: Value,
    /// The time limit of the function, after which Lambda ends it or Cognito calls it again.
    time: Duration,
}

const ROUTE_TIME: Duration = Duration::from_secs(20);
const TRIGGER_TIME: Duration = Duration::from_secs(5);

/// When a fault is injected.
#[derive(Clone, Copy, Debug)]
enum Injection {
    Always(Fault),
    FirstTime(Fault),
    /// In every call, with [`SHORT_TIME`] until Lambda's deadline.
    Late(Fault),
    /// The connection closes while the function is frozen.
    Frozen {
        reset: bool,
    },
    /// The connection was idle for longer than the function keeps one.
    Idle(Fault),
}

const SHORT_TIME: Duration = Duration::from_millis(1500);
const IDLE_TIME: Duration = Duration::from_secs(21);

use Fault::*;
use Injection::{Always, FirstTime, Frozen, Idle, Late};

const FAULTS: [(&str, Injection); 30] = [
    ("connection refused", Always(Refused)),
    ("no answer to connecting", Always(Unanswered)),
    ("TLS handshake that stalls", Always(HandshakeStalls)),
    ("TLS with a wrong name", Always(WrongName)),
    ("TLS of an unknown authority", Always(UntrustedAuthority)),
    ("reset before the request was read", Always(ResetUnread)),
    ("reset after the request was read", Always(ResetRead)),
    ("closed after the request was read", Always(ClosedRead)),
    ("no answer", Always(Silent)),
    ("no answer, 1.5 s before Lambda's deadline", Late(Silent)),
    ("a byte a second", Always(ByteASecond)),
    ("no answer after the headers", Always(HeadersOnly)),
    ("status 500", Always(Failure)),
    ("status 503 with a page", Always(OutOfService)),
    ("throttling once", FirstTime(Throttled)),
    ("throttling for ever", Always(Throttled)),
    ("an unknown exception, status 400", Always(UnknownException)),
    ("an unknown exception, status 500", Always(UnknownFailure)),
    ("truncated JSON", Always(BrokenOff)),
    ("closed within the body", Always(CutShort)),
    ("HTML instead of JSON", Always(Html)),
    ("a redirection", Always(Redirect)),
    ("an empty body", Always(Empty)),
    ("a wrong content type", Always(WrongContentType)),
    ("not HTTP", Always(NotHttp)),
    ("headers without end", Always(EndlessHeaders)),
    ("a body without end", Always(Gigantic)),
    ("closed while frozen", Frozen { reset: false }),
    ("reset while frozen", Frozen { reset: true }),
    ("forgotten after 21 s idle", Idle(Forgotten)),
];

/// A cell of the page's table.
#[derive(Debug)]
struct Expected {
    status: u16,
    attempts: usize,
    within: Duration,
}

/// The time limit of cells without one, including the pauses between attempts.
const DEFAULT_LIMIT: Duration = Duration::from_secs(2);
/// The delay that a busy machine may add.
const SLACK: Duration = Duration::from_millis(1500);

/// The observed answer.
#[derive(Debug)]
struct Observation {
    status: u16,
    attempts: Option<usize>,
    time: Duration,
}

/// The indices of a fault and of a call.
type Cell = (usize, usize);

#[test]
fn functions_answer_every_fault_as_documented() {
    let table = Table::new();
    let calls = 0..table.calls.len();
    let cells = (0..FAULTS.len()).flat_map(|fault| calls.clone().map(move |call| (fault, call)));
    let mut failures = table.run(cells);
    let may_be_load = |text: &String| !NOT_CAUSED_BY_LOAD.iter().any(|cause| text.contains(cause));
    if failures.len() <= MAX_RERUNS && failures.values().all(may_be_load) {
        // A cell that failed on a busy machine passes if fewer run at once.
        for failure in failures.values() {
            println!("Run again: {failure}");
        }
        failures = table.run(failures.into_keys());
    }
    table.report();
    let failures: Vec<String> = failures.into_values().collect();
    assert!(
        failures.is_empty(),
        "{} cells failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Without the deadline and frozen or idle connections: the embedded AWS neither freezes functions nor shortens their
/// time.
#[test]
fn functions_answer_every_fault_behind_the_gateway() {
    let table = Table::new();
    let stacks = [Mode::UserPassword, Mode::Passwordless].map(|mode| {
        let name = match mode {
            Mode::UserPassword => "faulty",
            Mode::Passwordless => "faulty-otp",
        };
        let parameters = [
            "Roles=User,Courier",
            "EmailSignUpRoles=User,Courier",
            "PhoneSignUpRoles=User,Courier",
            "MessageThrottlingRateLimit=10000",
            "MessageThrottlingBurstLimit=5000",
        ];
        Stack::deploy(name, mode, &parameters)
    });
    let answered: usize = std::thread::scope(|scope| {
        let table = &table;
        let threads: Vec<_> = stacks
            .iter()
            .flat_map(|stack| {
                let functions = stack.resources();
                stack.mode().routes().map(move |route| {
                    let resource = format!("{}Function", route.resource());
                    let function = ("AWS::Lambda::Function".to_owned(), resource);
                    let function = functions[&function].clone();
                    scope.spawn(move || table.run_deployed(stack, &function, route.path))
                })
            })
            .collect();
        let threads = threads.into_iter();
        threads.map(|thread| thread.join().unwrap()).sum()
    });
    println!("{answered} answers through the gateway");
    let always = FAULTS
        .iter()
        .filter(|(_, injection)| matches!(injection, Always(_) | FirstTime(_)));
    let of_routes = table.calls.iter().filter(|call| call.route.is_some());
    assert_eq!(answered, always.count() * of_routes.count());
}

/// With more failures, nothing is run again.
const MAX_RERUNS: usize = 40;
/// Failures that a busy machine does not explain.
const NOT_CAUSED_BY_LOAD: [&str; 4] = [
    "the process ended",
    "a message was sent that is not counted",
    "KiB of memory",
    "a success is complete",
];
/// The number of threads for cells that do not wait.
const QUICK_THREADS: usize = 3;
/// The pause between the starts of cells that wait.
const BETWEEN_SLOW: Duration = Duration::from_millis(40);

/// The faults and calls, with the expected and the observed answers.
struct Table {
    authority: Arc<Authority>,
    calls: Vec<Call>,
    expected: Vec<Vec<Expected>>,
    observed: Mutex<BTreeMap<Cell, String>>,
}

impl Table {
    fn new() -> Self {
        let authority = Authority::new(Path::new(env!("CARGO_TARGET_TMPDIR")));
        Self {
            calls: calls(&authority),
            authority,
            expected: expected(),
            observed: Mutex::default(),
        }
    }

    /// Runs these cells in parallel, and returns those that fail.
    fn run(&self, cells: impl Iterator<Item = Cell>) -> BTreeMap<Cell, String> {
        let (slow, quick): (Vec<Cell>, Vec<Cell>) = cells.partition(|cell| self.is_slow(*cell));
        let quick = Mutex::new(quick.into_iter());
        let failures = Mutex::new(BTreeMap::new());
        let run = |cell: Cell| {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.run_cell(cell))) {
                let text = panic
                    .downcast::<String>()
                    .map_or_else(|_| String::new(), |text| *text);
                let what = format!("{}, {}: {text}", FAULTS[cell.0].0, self.calls[cell.1].name);
                failures.lock().unwrap().insert(cell, what);
            }
        };
        let next = || quick.lock().unwrap().next();
        std::thread::scope(|scope| {
            for _ in 0..QUICK_THREADS {
                scope.spawn(|| std::iter::from_fn(next).for_each(run));
            }
            // These mostly wait. The longest start first, one after the other, because starting a function delays the
            // others.
            for cell in slow.into_iter().rev() {
                scope.spawn(move || run(cell));
                std::thread::sleep(BETWEEN_SLOW);
            }
        });
        failures.into_inner().unwrap()
    }

    fn is_slow(&self, (fault, call): Cell) -> bool {
        match FAULTS[fault].1 {
            Idle(_) => true,
            Always(Unanswered | HandshakeStalls | Silent | ByteASecond | HeadersOnly) => {
                !matches!(self.calls[call].kind, "limits" | "SMS" | "e-mail")
            }
            _ => false,
        }
    }

    fn expected(&self, cell: Cell) -> &Expected {
        let kind = self.calls[cell.1].kind;
        let column = KINDS.iter().position(|of| *of == kind).unwrap();
        &self.expected[cell.0][column]
    }

    fn run_cell(&self, cell: Cell) {
        let (injection, call) = (FAULTS[cell.0].1, &self.calls[cell.1]);
        let observed = observe(call, injection, &self.authority);
        let text = format!("{} {:.1} s", observed.status, observed.time.as_secs_f32());
        self.observed.lock().unwrap().insert(cell, text);
        check(call, injection, self.expected(cell), &observed);
    }

    /// Injects every fault into a deployed route, one after the other, and returns their number.
    fn run_deployed(&self, stack: &Stack, function: &str, path: &str) -> usize {
        let aws = Aws::start(&self.authority);
        // So that it accepts the examples' token.
        let names = [
            "USER_POOL_ID",
            "USER_POOL_CLIENT_ID",
            "REAUTHENTICATION_MINUTES",
        ];
        let own = ENVIRONMENT
            .into_iter()
            .filter(|(name, _)| names.contains(name));
        let own = own.map(|(name, value)| (name, value.to_owned()));
        let environment: Vec<_> = aws.environment().into_iter().chain(own).collect();
        stack.set_environment(function, &environment);
        let mut answered = 0;
        for (number, call) in self.calls.iter().enumerate() {
            let route = call.route.filter(|route| route.path == path);
            if route.is_none_or(|route| route.mode != stack.mode()) {
                continue;
            }
            let body = call.event["body"].as_str().unwrap();
            let tokens = [Route::example_token()];
            for (fault, (name, injection)) in FAULTS.iter().enumerate() {
                // Each fault needs its own connection.
                aws.close_connections(false);
                match injection {
                    Always(fault) => aws.inject(injected(call, *fault, usize::MAX)),
                    FirstTime(fault) => aws.inject(injected(call, *fault, 1)),
                    Late(_) | Frozen { .. } | Idle(_) => continue,
                }
                let answer = stack.post_with(&tokens, path, body.as_bytes());
                let expected = self.expected((fault, number)).status;
                assert_eq!(status_of(call, &answer), expected, "{name}, {}", call.name);
                aws.recover();
                let answer = stack.post_with(&tokens, path, body.as_bytes());
                assert_eq!(answer.status, 200, "after {name}");
                answered += 1;
            }
        }
        answered
    }

    /// Prints the observed answers, and writes them to target/faults.md.
    fn report(&self) {
        let observed = self.observed.lock().unwrap();
        let mut page = String::from("| |");
        for call in &self.calls {
            write!(page, " {} |", call.name).unwrap();
        }
        page += &format!("\n|---|{}\n", "---|".repeat(self.calls.len()));
        for (number, (fault, _)) in FAULTS.iter().enumerate() {
            write!(page, "| {fault} |").unwrap();
            for call in 0..self.calls.len() {
                let text = observed.get(&(number, call)).map_or("", String::as_str);
                write!(page, " {text} |").unwrap();
            }
            page.push('\n');
        }
        page += "\n429 is `TooManyRequestsException`, 500 `InternalErrorException`, 503 `ServiceUnavailableException`.\n";
        println!("{page}");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        std::fs::write(target.join("faults.md"), page).unwrap();
    }
}

/// Injects the fault into a call, then lets one succeed, in the same process.
fn observe(call: &Call, injection: Injection, authority: &Arc<Authority>) -> Observation {
    let aws = Aws::start(authority);
    let mut process = call.function.clone().behind(&aws).start();
    process.ready().unwrap();
    let event = call.event.to_string();
    let invoke = |process: &mut Process, time: Duration| {
        let started = Instant::now();
        let answer = process.invoke(&event, time).expect("the process ended");
        let time = started.elapsed();
        process.ready().expect("the process ended after its answer");
        (answer, time)
    };
    let injected = |fault, times| injected(call, fault, times);
    let mut time = call.time;
    if matches!(injection, Frozen { .. } | Idle(_)) {
        let (answer, _) = invoke(&mut process, time);
        assert_eq!(status(call, &answer), 200, "before the fault: {answer}");
        process.freeze();
        match injection {
            Frozen { reset } => aws.close_connections(reset),
            _ => std::thread::sleep(IDLE_TIME),
        }
        process.thaw();
    }
    match injection {
        Always(fault) | Idle(fault) => aws.inject(injected(fault, usize::MAX)),
        FirstTime(fault) => aws.inject(injected(fault, 1)),
        Late(fault) => {
            aws.inject(injected(fault, usize::MAX));
            time = SHORT_TIME;
        }
        Frozen { .. } => {}
    }
    let calls = aws.calls();
    let (failed, time) = invoke(&mut process, time);
    let peak = process.peak_kib();
    assert!(peak < MAX_MEMORY_KIB, "{peak} KiB of memory");
    let attempts = match injection {
        Frozen { .. } => Some(aws.calls() - calls + 1 - call.all),
        _ => aws.attempts(),
    };
    let observed_status = status(call, &failed);
    if let ("SMS" | "e-mail", Always(fault)) = (call.kind, injection) {
        let failed = observed_status != 200 && fault.scope() != Scope::Listener;
        assert_counted(failed.then_some(fault), &aws.requests("UpdateItem"));
    }
    if call.kind == "limits" && observed_status != 200 {
        let messages = [aws.requests("Publish"), aws.requests("SendEmail")];
        assert!(
            messages.concat().is_empty(),
            "a message was sent that is not counted"
        );
    }
    aws.recover();
    let calls = aws.calls();
    let (answer, _) = invoke(&mut process, call.time);
    assert_eq!(status(call, &answer), 200, "after the fault: {answer}");
    assert_eq!(aws.calls() - calls, call.all, "after the fault");
    if observed_status == 200 && call.time == ROUTE_TIME {
        assert_eq!(failed, answer, "a success is complete");
    }
    Observation {
        status: observed_status,
        attempts,
        time,
    }
}

/// Faults after which no message was sent.
const NOT_SENT: [Fault; 8] = [
    WrongName,
    UntrustedAuthority,
    Failure,
    OutOfService,
    Throttled,
    UnknownException,
    UnknownFailure,
    Redirect,
];

/// A message is counted before it is sent. If it was not sent, the count is undone, so that the user can ask again. If
/// it may have been sent, it stays counted, so that a failing SNS can't exceed the limit. Neither code is used again.
fn assert_counted(failed: Option<Fault>, writes: &[String]) {
    let counts = writes.iter().map(|write| {
        let write: Value = serde_json::from_str(write).unwrap();
        let values = &write["ExpressionAttributeValues"];
        let counts = values[":fullAt"]["N"] != "0";
        let has_answers = values[":answers"].is_object();
        (counts, has_answers)
    });
    let after = failed.map(|fault| (!NOT_SENT.contains(&fault), false));
    let expected: Vec<_> = [(true, true)].into_iter().chain(after).collect();
    assert_eq!(counts.collect::<Vec<_>>(), expected, "counts, has answers");
}

fn injected(call: &Call, fault: Fault, times: usize) -> InjectedFault {
    InjectedFault {
        fault,
        operation: Some(call.operation),
        after: call.before,
        // A message is sent once. The call that undoes its count succeeds.
        times: if matches!(call.kind, "SMS" | "e-mail") {
            1
        } else {
            times
        },
    }
}

/// A function has 128 MiB. An answer without end has 64 MiB.
const MAX_MEMORY_KIB: u64 = 40 << 10;

/// Checks the contract, and returns the status that the caller gets. A route passes on the error of a trigger.
fn status(call: &Call, answer: &str) -> u16 {
    if let Some(route) = call.route {
        let answer = Answer::of_function(&serde_json::from_str(answer).unwrap());
        answer.assert_specified(route);
        return status_of(call, &answer);
    }
    let answer: Value = serde_json::from_str(answer).unwrap();
    let status = match answer["errorType"].as_str() {
        None => {
            assert_eq!(
                answer["triggerSource"], call.event["triggerSource"],
                "{answer}"
            );
            return 200;
        }
        Some("InternalErrorException") => 500,
        Some("ServiceUnavailableException") => 503,
        _ => panic!("not a documented error: {answer}"),
    };
    let message = answer["errorMessage"].as_str().unwrap();
    assert!(message.contains(message_of(status)), "{answer}");
    status
}

/// Checks a route's answer against the contract, and returns its status.
fn status_of(call: &Call, answer: &Answer) -> u16 {
    if answer.status == 200 {
        answer.assert_ok();
        return 200;
    }
    let (error_type, wait) = match answer.status {
        429 => ("TooManyRequestsException", Some("1")),
        500 => ("InternalErrorException", None),
        503 => ("ServiceUnavailableException", Some("5")),
        _ => panic!("not a documented status: {answer:?}"),
    };
    let message = answer.assert_error(answer.status, error_type);
    // Lambda's deadline may come first.
    let password_changed = message.starts_with("Your password has been changed, but ");
    if !(call.kind == "sessions" && password_changed) {
        assert_eq!(message, message_of(answer.status));
    }
    assert_eq!(answer.header("retry-after"), wait);
    let exposed = answer.header("access-control-expose-headers");
    assert_eq!(exposed, wait.map(|_| "Retry-After"));
    answer.status
}

fn message_of(status: u16) -> &'static str {
    match status {
        429 => "Rate exceeded",
        500 => "Something went wrong on our side. Please try again later.",
        _ => "The service is not available at the moment. Please try again in a few seconds.",
    }
}

fn check(call: &Call, injection: Injection, expected: &Expected, observed: &Observation) {
    assert_eq!(observed.status, expected.status, "{observed:?}");
    if let Some(attempts) = observed.attempts {
        assert_eq!(attempts, expected.attempts, "attempts: {observed:?}");
    }
    let limit = match injection {
        Late(_) => SHORT_TIME,
        _ => call.time,
    };
    let limit = limit.min(expected.within + SLACK);
    assert!(observed.time < limit, "not within {limit:?}: {observed:?}");
}

/// The page's table of faults and kinds.
fn expected() -> Vec<Vec<Expected>> {
    let mut rows = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").map(str::trim).collect::<Vec<_>>())
        .skip_while(|row| row[1..] != KINDS);
    assert!(
        rows.next().is_some(),
        "the page has no table of these kinds"
    );
    FAULTS
        .iter()
        .map(|(name, _)| {
            let row = rows.next().unwrap_or_default();
            assert_eq!(row.first(), Some(name), "the rows of docs/failures.md");
            let cells = row[1..].iter().map(|cell| expected_of(cell));
            let cells: Vec<_> = cells.collect();
            assert_eq!(cells.len(), KINDS.len(), "{name}");
            cells
        })
        .collect()
}

/// Parses a cell such as `503` or `503 ×3 in 12 s`.
fn expected_of(cell: &str) -> Expected {
    let (cell, within) = match cell.split_once(" in ") {
        Some((cell, time)) => {
            let seconds = time.strip_suffix(" s").unwrap().parse().unwrap();
            (cell, Duration::from_secs_f32(seconds))
        }
        None => (cell, DEFAULT_LIMIT),
    };
    let (status, attempts) = cell.split_once(" ×").unwrap_or((cell, "1"));
    Expected {
        status: status.parse().unwrap(),
        attempts: attempts.parse().unwrap(),
        within,
    }
}

/// The operations in the page's table of kinds, each with its kinds, in the order of the page.
fn kinds() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut kinds: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in PAGE.lines() {
        let mut cells = line.split(" | ");
        let kind = cells.next().unwrap_or_default().trim_start_matches("| ");
        let Some(kind) = KINDS.iter().find(|of| **of == kind) else {
            continue;
        };
        let calls = cells.next().unwrap_or_default();
        for operation in calls.split('`').skip(1).step_by(2) {
            kinds.entry(operation).or_default().push(*kind);
        }
    }
    kinds
}

/// The operations that a function calls without a fault, in order.
fn operations(function: &Function, event: &Value, authority: &Arc<Authority>) -> Vec<String> {
    let aws = Aws::start(authority);
    // Records the requests, and affects none.
    aws.inject(InjectedFault {
        fault: Fault::Failure,
        operation: None,
        after: 0,
        times: 0,
    });
    let answer = function.clone().behind(&aws).answer(event, TRIGGER_TIME);
    let answer = answer.expect("no answer");
    let succeeded = answer["statusCode"] == 200 || answer["triggerSource"].is_string();
    assert!(succeeded, "{function:?}: {answer}");
    aws.operations()
}

/// Every call of AWS by every route and trigger.
fn calls(authority: &Arc<Authority>) -> Vec<Call> {
    const ROLES: [&str; 3] = ["ROLES", "EMAIL_SIGN_UP_ROLES", "PHONE_SIGN_UP_ROLES"];
    let routes = ROUTES.iter().flat_map(|route| {
        let function = Function::configured(route.function());
        let function = ROLES.iter().fold(function, |function, name| {
            function.with(name, "User,Courier")
        });
        let function = function.with("MODE", route.mode.name());
        let name = format!("{} ({})", route.path, route.mode.name());
        let mut body = route.body();
        let event = route.event(body.clone());
        let mut made = vec![(name.clone(), Some(*route), function.clone(), event)];
        if body.remove("accessToken").is_some() {
            body.insert("refreshToken".to_owned(), "a-refresh-token".into());
            let (name, event) = (format!("{name}, one session"), route.event(body.clone()));
            made.push((name, Some(*route), function.clone(), event));
        }
        if let Some(attributes) = body.get_mut("userAttributes") {
            attributes["role"] = "Courier".into();
            let name = format!("{name}, needs no confirmation");
            made.push((name, Some(*route), function, route.event(body)));
        }
        made
    });
    let triggers = TRIGGERS.map(|trigger| {
        let function = Function::configured(trigger);
        (trigger.to_owned(), None, function, trigger_event(trigger))
    });
    let mut reset = trigger_event("post-confirmation");
    reset["triggerSource"] = "PostConfirmation_ConfirmForgotPassword".into();
    let function = Function::configured("post-confirmation");
    let reset = ("post-confirmation, reset".to_owned(), None, function, reset);
    let mut by_email = trigger_event("create-auth-challenge");
    by_email["request"]["userAttributes"] =
        json!({ "sub": "a-sub", "email": "user@example.com", "email_verified": "true" });
    let function = Function::configured("create-auth-challenge");
    let name = "create-auth-challenge, e-mail".to_owned();
    let more = [reset, (name, None, function, by_email)];
    let (kinds, mut calls) = (kinds(), Vec::new());
    for (name, route, function, event) in routes.chain(triggers).chain(more) {
        let operations = operations(&function, &event, authority);
        let body = event["body"].as_str().unwrap_or_default();
        let courier = body.contains("Courier");
        for (before, operation) in operations.iter().enumerate() {
            let kind = match (&**operation, kinds.get(&**operation)) {
                ("GetItem" | "UpdateItem", _) => "limits",
                ("GlobalSignOut", Some(kinds)) => kinds[before],
                ("AdminAddUserToGroup", _) if courier || route.is_none() => "group",
                ("AdminUserGlobalSignOut", _) => "only logged",
                // Except for the group, the same as any other sign-up.
                _ if courier => continue,
                (_, Some(kinds)) => match (&kinds[..], route.map(|route| route.mode)) {
                    // `InitiateAuth` has two kinds. It is sent once if it sends a code.
                    ([once, _], Some(Mode::Passwordless)) => once,
                    (kinds, _) => kinds[kinds.len() - 1],
                },
                _ => panic!("docs/failures.md has no kind for {operation}, which {name} calls"),
            };
            calls.push(Call {
                name: format!("{name}: {operation} {}", before + 1),
                route,
                kind,
                operation: operation.clone().leak(),
                before,
                all: operations.len(),
                function: function.clone(),
                event: event.clone(),
                time: if route.is_some() {
                    ROUTE_TIME
                } else {
                    TRIGGER_TIME
                },
            });
        }
    }
    calls
}
