//! Each function as one process behind a Runtime API of its own: thousands of events, the same memory.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bench::{events, machine};
use e2e::{Authority, Aws, Fault, Function, Mode, Process, Route, TRIGGERS, trigger_event};
use serde_json::{Value, json};

use crate::tally::Tally;

/// Events before the memory is first looked at: by then everything was done once, and the heap has its size.
pub const WARM_UP: usize = 1_000;
/// Events after it, to the same process.
pub const REQUESTS: usize = 20_000;
/// Where AWS fails in a way that the function tries again, with pauses, every so many events do.
const RETRIED_EVERY: usize = 2_000;
/// The time that an event has, as in the template.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Functions at a time: each takes turns with what it talks to, and so takes one core.
const AT_A_TIME: usize = 2;

/// A function that was given its events.
pub struct Served {
    pub name: String,
    pub tally: Tally,
    /// Before the first event.
    pub start: Held,
    /// After the warm-up.
    pub warm: Held,
    /// In the end.
    pub end: Held,
    pub peak_kib: u64,
}

/// What a process holds.
pub struct Held {
    pub resident_kib: u64,
    pub open_files: usize,
}

impl Held {
    fn by(process: &Process) -> Self {
        Self {
            resident_kib: process.resident_kib(),
            open_files: machine::open_files(process.id()),
        }
    }
}

/// A function and what it is given.
struct Load {
    name: String,
    function: String,
    mode: Mode,
    /// The first one succeeds.
    events: Vec<Event>,
    /// What happens rarely, as the function then tries again.
    retried: Vec<Event>,
}

/// An event, what is wrong with AWS then, and the right answer.
#[derive(Clone)]
struct Event {
    event: String,
    fault: Option<Fault>,
    answer: &'static str,
}

impl Event {
    fn new(event: String, fault: Option<Fault>, answer: &'static str) -> Self {
        Self {
            event,
            fault,
            answer,
        }
    }
}

impl Load {
    fn event(&self, number: usize) -> &Event {
        let round = number / RETRIED_EVERY;
        match self.retried.get(round % self.retried.len().max(1)) {
            Some(event) if number.is_multiple_of(RETRIED_EVERY) => event,
            _ => &self.events[number % self.events.len()],
        }
    }
}

/// Gives every function its events. `folder` is for the stand-ins' certificate.
pub fn run(folder: &Path) -> Vec<Served> {
    let mut loads: Vec<Load> = Route::distinct()
        .map(of_route)
        .chain(TRIGGERS.map(of_trigger))
        .collect();
    loads.reverse();
    let all = loads.len();
    let authority = Authority::new(folder);
    let (waiting, served) = (Mutex::new(loads), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some(load) = waiting.lock().unwrap().pop() else {
                        break;
                    };
                    let place = all - waiting.lock().unwrap().len();
                    eprint!("\r\x1b[KFunctions: {place} of {all}, {}", load.name);
                    let figures = serve(load, &authority);
                    served.lock().unwrap().push(figures);
                }
            });
        }
    });
    eprintln!();
    served.into_inner().unwrap()
}

/// One process for all of a function's events.
fn serve(load: Load, authority: &Arc<Authority>) -> Served {
    let fail = |errors: String| -> ! { panic!("{} ended: {errors}", load.name) };
    let aws = Aws::start(authority);
    let function = Function::configured(load.function.as_str()).behind(&aws);
    let mut process = function.with("MODE", load.mode.name()).start();
    process.ready().unwrap_or_else(|errors| fail(errors));
    let mut tally = Tally::default();
    let mut give = |process: &mut Process, event: &Event| {
        aws.answer_with(event.fault);
        let started = Instant::now();
        let answer = process.invoke(&event.event, TIMEOUT);
        let time = started.elapsed();
        let answer = answer.unwrap_or_else(|errors| fail(errors));
        process.ready().unwrap_or_else(|errors| fail(errors));
        tally.add(&load.name, time, &told(&answer), event.answer);
    };
    let start = Held::by(&process);
    let mut held_after = |numbers: std::ops::Range<usize>| {
        numbers.for_each(|number| give(&mut process, load.event(number)));
        // A success, so that it holds its connection each time.
        give(&mut process, &load.events[0]);
        Held::by(&process)
    };
    let warm = held_after(0..WARM_UP);
    let end = held_after(0..REQUESTS);
    let peak_kib = process.peak_kib();
    Served {
        name: load.name,
        tally,
        start,
        warm,
        end,
        peak_kib,
    }
}

/// An answer in short: its status and error type, or what a trigger tells Cognito.
fn told(answer: &str) -> String {
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

/// What a trigger answers where all is well: the event that it was given.
const EVENT: &str = "the event";

/// Half of a route's events succeed; of the others, some are refused by Cognito, some by the function, and in
/// some Cognito fails.
fn of_route(route: Route) -> Load {
    const LARGEST: usize = 16 * 1024;
    let event = |change: Option<(&str, Value)>, fault, answer| {
        let mut body = route.body();
        body.extend(change.map(|(key, value)| (key.to_owned(), value)));
        let body = Value::Object(body).to_string();
        Event::new(events::of_route(route.path, &body), fault, answer)
    };
    let changed = |key, value, answer| event(Some((key, value)), None, answer);
    let faulty = |(fault, answer)| event(None, Some(fault), answer);
    let padding = "x".repeat(LARGEST).into();
    let unread = events::of_route(route.path, "{");
    let mut other = vec![
        Event::new(unread, None, "400 SerializationException"),
        changed("padding", padding, "413 RequestEntityTooLargeException"),
    ];
    if let Some(field) = route.fields.first() {
        other.extend([
            changed(field, Value::Null, "400 MissingRequiredParameter"),
            changed(field, json!(1), "400 InvalidParameterType"),
        ]);
    }
    // A signed-in user who is not found is one whose token is over.
    let unknown = match route.needs_token() {
        true => "401 NotAuthorizedException",
        false => "404 UserNotFoundException",
    };
    let refusals = [
        ("NotAuthorizedException", "401 NotAuthorizedException"),
        ("UserNotFoundException", unknown),
        ("AccessDeniedException", "500 InternalErrorException"),
    ];
    let refusals = refusals.map(|(name, answer)| (Fault::Exception(name), answer));
    other.extend(refusals.map(faulty));
    let throttled = Fault::Exception("TooManyRequestsException");
    let failing = [
        (throttled, "429 TooManyRequestsException"),
        (Fault::Failure, "503 ServiceUnavailableException"),
        (Fault::ClosedRead, "503 ServiceUnavailableException"),
    ];
    let failing = failing.map(faulty);
    let mut retried = Vec::new();
    // A signed-in user is looked up first, but to change the password.
    let looks_up = route.needs_token() && !route.fields.contains(&"password");
    match (route.path, route.mode) {
        ("/sign-in", Mode::UserPassword) | ("/token/refresh", _) => retried.extend(failing),
        _ if looks_up => retried.extend(failing),
        _ => other.extend(failing),
    }
    Load {
        name: route.distinct_name(),
        function: route.function(),
        mode: route.mode,
        events: between(&event(None, None, "200"), other),
        retried,
    }
}

/// A trigger, with its reasons to refuse and, where it calls AWS, with AWS's to fail.
fn of_trigger(name: &'static str) -> Load {
    const PHONE: &str = "/request/userAttributes/phone_number";
    const ROLE: &str = "/request/userAttributes/custom:role";
    const STATUS: &str = "/request/userAttributes/cognito:user_status";
    const REFUSED: &str = "InvalidParameterException";
    const INTERNAL: &str = "InternalErrorException";
    const UNAVAILABLE: &str = "ServiceUnavailableException";
    let event = |change: Option<(&str, Value)>, fault, answer| {
        let mut event = trigger_event(name);
        if let Some((pointer, value)) = change {
            *event.pointer_mut(pointer).unwrap() = value;
        }
        Event::new(event.to_string(), fault, answer)
    };
    let changed = |pointer, value, answer| event(Some((pointer, value)), None, answer);
    let exception = |name, answer| event(None, Some(Fault::Exception(name)), answer);
    let denied = || exception("AccessDeniedException", INTERNAL);
    let failing = || {
        [
            Fault::Failure,
            Fault::ClosedRead,
            Fault::Exception("ThrottlingException"),
        ]
        .map(|fault| event(None, Some(fault), UNAVAILABLE))
    };
    let abroad = || changed(PHONE, json!("+44999999999"), REFUSED);
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
        "pre-sign-up" => vec![abroad(), changed(ROLE, json!("Nobody"), REFUSED)],
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
                abroad(),
                denied(),
                failure,
                closed,
                throttled,
            ]
        }
        "verify-auth-challenge-response" => {
            let wrong = changed("/request/challengeAnswer", json!("654321"), EVENT);
            let spent = exception("ConditionalCheckFailedException", EVENT);
            let [failure, closed, throttled] = failing();
            vec![wrong, spent, denied(), failure, closed, throttled]
        }
        _ => panic!("crates/bench/benches/load/bare.rs lacks the events of {name}"),
    };
    other.push(changed("/triggerSource", json!("Unknown"), INTERNAL));
    Load {
        name: name.to_owned(),
        function: name.to_owned(),
        mode: Mode::Passwordless,
        events: between(&event(None, None, EVENT), other),
        retried,
    }
}

/// The other events, each after a good one.
fn between(good: &Event, other: Vec<Event>) -> Vec<Event> {
    let pairs = other.into_iter().map(|event| [good.clone(), event]);
    pairs.flatten().collect()
}
