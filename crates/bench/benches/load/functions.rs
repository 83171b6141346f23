//! Sends thousands of events to one process of each function, and measures its memory and open files.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bench::{events, machine};
use e2e::{Authority, Aws, Fault, Function, Mode, Process, Route, TRIGGERS, trigger_event};
use serde_json::{Value, json};

use crate::tally::Tally;

/// Events before the memory is first measured. By then, every kind of event occurred and the heap has its size.
pub const WARM_UP: usize = 1_000;
/// Events after the warm-up, to the same process.
pub const REQUESTS: usize = 20_000;
/// One in so many events has a fault that the function retries, because retries pause.
const RETRIED_EVERY: usize = 2_000;
/// The time limit of an event, as in the template.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The number of functions at a time. A function and its stand-ins work in turns, so they use one core.
const CONCURRENT_FUNCTIONS: usize = 2;

/// The measurements of a function.
pub struct FunctionResult {
    pub name: String,
    pub tally: Tally,
    /// Before the first event.
    pub start: Usage,
    /// After the warm-up.
    pub warm: Usage,
    /// After the last event.
    pub end: Usage,
    pub peak_kib: u64,
}

/// The resources of a process.
pub struct Usage {
    pub resident_kib: u64,
    pub open_files: usize,
}

impl Usage {
    fn of(process: &Process) -> Self {
        Self {
            resident_kib: process.resident_kib(),
            open_files: machine::open_files(process.id()),
        }
    }
}

/// A function and its events.
struct Workload {
    name: String,
    function: String,
    mode: Mode,
    /// The first event succeeds.
    events: Vec<Event>,
    /// Rare events, whose faults the function retries.
    retried: Vec<Event>,
}

/// An event, the fault of AWS during it, and the expected outcome.
#[derive(Clone)]
struct Event {
    event: String,
    fault: Option<Fault>,
    outcome: &'static str,
}

impl Event {
    fn new(event: String, fault: Option<Fault>, outcome: &'static str) -> Self {
        Self {
            event,
            fault,
            outcome,
        }
    }
}

impl Workload {
    fn event(&self, number: usize) -> &Event {
        let round = number / RETRIED_EVERY;
        match self.retried.get(round % self.retried.len().max(1)) {
            Some(event) if number.is_multiple_of(RETRIED_EVERY) => event,
            _ => &self.events[number % self.events.len()],
        }
    }
}

/// Sends every function its events. `folder` gets the stand-ins' certificate.
pub fn run(folder: &Path) -> Vec<FunctionResult> {
    let mut loads: Vec<Workload> = Route::distinct()
        .map(route_workload)
        .chain(TRIGGERS.map(trigger_workload))
        .collect();
    loads.reverse();
    let all = loads.len();
    let authority = Authority::new(folder);
    let (waiting, results) = (Mutex::new(loads), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..CONCURRENT_FUNCTIONS {
            scope.spawn(|| {
                loop {
                    let Some(load) = waiting.lock().unwrap().pop() else {
                        break;
                    };
                    let place = all - waiting.lock().unwrap().len();
                    eprint!("\r\x1b[KFunctions: {place} of {all}, {}", load.name);
                    let result = run_function(load, &authority);
                    results.lock().unwrap().push(result);
                }
            });
        }
    });
    eprintln!();
    results.into_inner().unwrap()
}

/// Sends all events of a function to one process.
fn run_function(load: Workload, authority: &Arc<Authority>) -> FunctionResult {
    let fail = |errors: String| -> ! { panic!("{} ended: {errors}", load.name) };
    let aws = Aws::start(authority);
    let function = Function::configured(load.function.as_str()).behind(&aws);
    let mut process = function.with("MODE", load.mode.name()).start();
    process.ready().unwrap_or_else(|errors| fail(errors));
    let mut tally = Tally::default();
    let mut invoke = |process: &mut Process, event: &Event| {
        aws.answer_with(event.fault);
        let started = Instant::now();
        let answer = process.invoke(&event.event, TIMEOUT);
        let time = started.elapsed();
        let answer = answer.unwrap_or_else(|errors| fail(errors));
        process.ready().unwrap_or_else(|errors| fail(errors));
        tally.add(&load.name, time, &outcome_of(&answer), event.outcome);
    };
    let start = Usage::of(&process);
    let mut usage_after = |numbers: std::ops::Range<usize>| {
        numbers.for_each(|number| invoke(&mut process, load.event(number)));
        // Ends with a success, so that its connection is open at each measurement.
        invoke(&mut process, &load.events[0]);
        Usage::of(&process)
    };
    let warm = usage_after(0..WARM_UP);
    let end = usage_after(0..REQUESTS);
    let peak_kib = process.peak_kib();
    FunctionResult {
        name: load.name,
        tally,
        start,
        warm,
        end,
        peak_kib,
    }
}

/// The outcome of an answer: its status and error type, or [`EVENT`] or the error of a trigger.
fn outcome_of(answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
    match (&answer["statusCode"], &answer["errorType"]) {
        (Value::Null, Value::Null) if answer["triggerSource"].is_string() => EVENT.to_owned(),
        (Value::Null, error) => text(error),
        (status, _) if status == 200 => status.to_string(),
        (status, _) => {
            let body: Value = serde_json::from_str(&text(&answer["body"])).unwrap_or_default();
            format!("{status} {}", text(&body["error"]["type"]))
        }
    }
}

/// The outcome of a trigger that succeeds: it answers with the event.
const EVENT: &str = "the event";

/// Half of a route's events succeed. Of the others, the function rejects some, Cognito rejects some, and Cognito fails
/// in the rest.
fn route_workload(route: Route) -> Workload {
    const LARGEST: usize = 16 * 1024;
    let event = |change: Option<(&str, Value)>, fault, outcome| {
        let mut body = route.body();
        body.extend(change.map(|(key, value)| (key.to_owned(), value)));
        let body = Value::Object(body).to_string();
        Event::new(events::of_route(route.path, &body), fault, outcome)
    };
    let changed = |key, value, outcome| event(Some((key, value)), None, outcome);
    let faulty = |(fault, outcome)| event(None, Some(fault), outcome);
    let padding = "x".repeat(LARGEST).into();
    let unreadable = events::of_route(route.path, "{");
    let mut other = vec![
        Event::new(unreadable, None, "400 SerializationException"),
        changed("padding", padding, "413 RequestEntityTooLargeException"),
    ];
    if let Some(field) = route.fields.first() {
        other.extend([
            changed(field, Value::Null, "400 MissingRequiredParameter"),
            changed(field, json!(1), "400 InvalidParameterType"),
        ]);
    }
    // If the signed-in user is not found, the token is no longer valid.
    let unknown = match route.needs_token() {
        true => "401 NotAuthorizedException",
        false => "404 UserNotFoundException",
    };
    let rejections = [
        ("NotAuthorizedException", "401 NotAuthorizedException"),
        ("UserNotFoundException", unknown),
        ("AccessDeniedException", "500 InternalErrorException"),
    ];
    let rejections = rejections.map(|(name, outcome)| (Fault::Exception(name), outcome));
    other.extend(rejections.map(faulty));
    let throttled = Fault::Exception("TooManyRequestsException");
    let failing = [
        (throttled, "429 TooManyRequestsException"),
        (Fault::Failure, "503 ServiceUnavailableException"),
        (Fault::ClosedRead, "503 ServiceUnavailableException"),
    ];
    let failing = failing.map(faulty);
    let mut retried = Vec::new();
    // A route with a token first looks the user up, except to change the password.
    let looks_up = route.needs_token() && !route.fields.contains(&"password");
    match (route.path, route.mode) {
        ("/sign-in", Mode::UserPassword) | ("/token/refresh", _) => retried.extend(failing),
        _ if looks_up => retried.extend(failing),
        _ => other.extend(failing),
    }
    Workload {
        name: route.distinct_name(),
        function: route.function(),
        mode: route.mode,
        events: interleave(&event(None, None, "200"), other),
        retried,
    }
}

/// A trigger's events: successes, rejections and, if it calls AWS, AWS's faults.
fn trigger_workload(name: &'static str) -> Workload {
    const PHONE: &str = "/request/userAttributes/phone_number";
    const ROLE: &str = "/request/userAttributes/custom:role";
    const STATUS: &str = "/request/userAttributes/cognito:user_status";
    const INVALID: &str = "InvalidParameterException";
    const INTERNAL: &str = "InternalErrorException";
    const UNAVAILABLE: &str = "ServiceUnavailableException";
    let event = |change: Option<(&str, Value)>, fault, outcome| {
        let mut event = trigger_event(name);
        if let Some((pointer, value)) = change {
            *event.pointer_mut(pointer).unwrap() = value;
        }
        Event::new(event.to_string(), fault, outcome)
    };
    let changed = |pointer, value, outcome| event(Some((pointer, value)), None, outcome);
    let exception = |name, outcome| event(None, Some(Fault::Exception(name)), outcome);
    let denied = || exception("AccessDeniedException", INTERNAL);
    let failing = || {
        [
            Fault::Failure,
            Fault::ClosedRead,
            Fault::Exception("ThrottlingException"),
        ]
        .map(|fault| event(None, Some(fault), UNAVAILABLE))
    };
    let disallowed_prefix = || changed(PHONE, json!("+44999999999"), INVALID);
    let second_round = || {
        let round = json!({
            "challengeName": "CUSTOM_CHALLENGE",
            "challengeResult": false,
            "challengeMetadata": "123456",
        });
        changed("/request/session", json!([round]), EVENT)
    };
    let mut retried = Vec::new();
    let mut other = match name {
        "pre-sign-up" => vec![disallowed_prefix(), changed(ROLE, json!("Nobody"), INVALID)],
        "custom-message" => vec![changed("/request/codeParameter", Value::Null, INTERNAL)],
        "post-confirmation" => {
            retried.extend(failing());
            vec![changed(ROLE, json!("Nobody"), INTERNAL), denied()]
        }
        "define-auth-challenge" => {
            let unconfirmed = json!("UNCONFIRMED");
            vec![
                second_round(),
                changed(STATUS, unconfirmed, "UserNotConfirmedException"),
            ]
        }
        "create-auth-challenge" => {
            let [failure, closed, throttled] = failing();
            vec![
                second_round(),
                disallowed_prefix(),
                denied(),
                failure,
                closed,
                throttled,
            ]
        }
        "verify-auth-challenge-response" => {
            let wrong = changed("/request/challengeAnswer", json!("654321"), EVENT);
            let used_up = exception("ConditionalCheckFailedException", "NotAuthorizedException");
            let [failure, closed, throttled] = failing();
            vec![wrong, used_up, denied(), failure, closed, throttled]
        }
        _ => panic!("crates/bench/benches/load/functions.rs lacks the events of {name}"),
    };
    other.push(changed("/triggerSource", json!("Unknown"), INTERNAL));
    Workload {
        name: name.to_owned(),
        function: name.to_owned(),
        mode: Mode::Passwordless,
        events: interleave(&event(None, None, EVENT), other),
        retried,
    }
}

/// The other events, each after a successful one.
fn interleave(good: &Event, other: Vec<Event>) -> Vec<Event> {
    let pairs = other.into_iter().map(|event| [good.clone(), event]);
    pairs.flatten().collect()
}
