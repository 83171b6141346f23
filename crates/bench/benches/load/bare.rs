//! Each function as one process behind a Runtime API of its own: thousands of events, the same memory.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bench::{events, machine};
use e2e::{Authority, Aws, Fault, Function, Mode, Process, Route};
use serde_json::{Map, Value, json};

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
struct Event {
    event: String,
    fault: Option<Fault>,
    answer: String,
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
    let mut loads: Vec<Load> = Route::distinct().map(of_route).chain(triggers()).collect();
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
    let function = Function::configured(load.function.as_str()).with("MODE", load.mode.name());
    let function = aws
        .environment()
        .into_iter()
        .fold(function, |function, (name, value)| {
            function.with(name, value)
        });
    let mut process = function.start();
    process.ready().unwrap_or_else(|errors| fail(errors));
    let mut tally = Tally::default();
    let mut give = |process: &mut Process, event: &Event| {
        aws.answer_with(event.fault);
        let started = Instant::now();
        let answer = process.invoke(&event.event, TIMEOUT);
        let time = started.elapsed();
        let answer = answer.unwrap_or_else(|errors| fail(errors));
        process.ready().unwrap_or_else(|errors| fail(errors));
        tally.add(&load.name, time, &told(&answer), &event.answer);
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
    let body = route.body();
    let with = |key: &str, value: Value| {
        let mut body = body.clone();
        body.insert(key.to_owned(), value);
        Value::Object(body).to_string()
    };
    let good = Value::Object(body.clone()).to_string();
    let event = |body: &str, fault, answer: &str| Event {
        event: events::of_route(route.path, body),
        fault,
        answer: answer.to_owned(),
    };
    let mut other = vec![
        event("{", None, "400 SerializationException"),
        event(
            &with("padding", "x".repeat(LARGEST).into()),
            None,
            "413 RequestEntityTooLargeException",
        ),
        event(
            &good,
            Some(Fault::Exception("NotAuthorizedException")),
            "401 NotAuthorizedException",
        ),
        event(
            &good,
            Some(Fault::Exception("UserNotFoundException")),
            "404 UserNotFoundException",
        ),
        event(
            &good,
            Some(Fault::Exception("AccessDeniedException")),
            "500 InternalErrorException",
        ),
    ];
    for field in route.fields.iter().take(1) {
        for (value, answer) in [
            (Value::Null, "400 MissingRequiredParameter"),
            (json!(1), "400 InvalidParameterType"),
        ] {
            other.push(event(&with(field, value), None, answer));
        }
    }
    let failing = [
        event(
            &good,
            Some(Fault::Exception("TooManyRequestsException")),
            "429 TooManyRequestsException",
        ),
        event(
            &good,
            Some(Fault::Failure),
            "503 ServiceUnavailableException",
        ),
        event(
            &good,
            Some(Fault::ClosedRead),
            "503 ServiceUnavailableException",
        ),
    ];
    let tries_again = matches!(
        (route.path, route.mode),
        ("/sign-in", Mode::UserPassword) | ("/token/refresh", _)
    );
    let mut retried = Vec::new();
    match tries_again {
        true => retried.extend(failing),
        false => other.extend(failing),
    }
    let function = route.function();
    Load {
        name: route.distinct_name(),
        function,
        mode: route.mode,
        events: between(|| event(&good, None, "200"), other),
        retried,
    }
}

/// The triggers, each with its reasons to refuse and, where it calls AWS, with AWS's to fail.
fn triggers() -> impl Iterator<Item = Load> {
    let user = |name: &str, value: &str| {
        let event: Value =
            serde_json::from_str(&events::of_trigger(&json!({ "request": {} }))).unwrap();
        let mut attributes = event["request"]["userAttributes"].clone();
        attributes[name] = value.into();
        json!({ "userAttributes": attributes })
    };
    let abroad = user("phone_number", "+44999999999");
    let round = json!({
        "challengeName": "CUSTOM_CHALLENGE",
        "challengeResult": false,
        "challengeMetadata": "123456",
    });
    let answered = |answer: &str| {
        let code = json!({ "code": "123456" });
        json!({ "privateChallengeParameters": code, "challengeAnswer": answer })
    };
    let refused = "InvalidParameterException";
    let internal = "InternalErrorException";
    let unavailable = "ServiceUnavailableException";
    let denied = Some(Fault::Exception("AccessDeniedException"));
    let throttled = Some(Fault::Exception("ThrottlingException"));
    let failing = [Some(Fault::Failure), Some(Fault::ClosedRead), throttled]
        .map(|fault| (fault, unavailable));
    [
        (
            "pre-sign-up",
            "PreSignUp_SignUp",
            json!({ "validationData": null }),
            vec![
                (abroad.clone(), None, refused),
                (user("custom:role", "Nobody"), None, refused),
            ],
            vec![],
        ),
        (
            "custom-message",
            "CustomMessage_ForgotPassword",
            json!({ "codeParameter": "{####}" }),
            vec![(json!({ "codeParameter": null }), None, internal)],
            vec![],
        ),
        (
            "post-confirmation",
            "PostConfirmation_ConfirmSignUp",
            json!({}),
            vec![
                (user("custom:role", "Nobody"), None, internal),
                (json!({}), denied, internal),
            ],
            failing.to_vec(),
        ),
        (
            "define-auth-challenge",
            "DefineAuthChallenge_Authentication",
            json!({ "session": [] }),
            vec![
                (json!({ "session": [round] }), None, EVENT),
                (
                    user("cognito:user_status", "UNCONFIRMED"),
                    None,
                    "UserNotConfirmedException",
                ),
            ],
            vec![],
        ),
        (
            "create-auth-challenge",
            "CreateAuthChallenge_Authentication",
            json!({ "challengeName": "CUSTOM_CHALLENGE", "session": [] }),
            vec![
                (json!({ "session": [round] }), None, EVENT),
                (abroad, None, refused),
                (json!({}), denied, internal),
            ],
            failing.to_vec(),
        ),
        (
            "verify-auth-challenge-response",
            "VerifyAuthChallengeResponse_Authentication",
            answered("123456"),
            vec![
                (answered("654321"), None, EVENT),
                (
                    json!({}),
                    Some(Fault::Exception("ConditionalCheckFailedException")),
                    EVENT,
                ),
                (json!({}), denied, internal),
            ],
            failing.to_vec(),
        ),
    ]
    .into_iter()
    .map(|(name, source, good, mut other, failing)| {
        let event = |source: &str, own: &Value, fault, answer: &str| {
            let mut request: Map<String, Value> = good.as_object().unwrap().clone();
            request.extend(own.as_object().unwrap().clone());
            Event {
                event: events::of_trigger(&json!({ "triggerSource": source, "request": request })),
                fault,
                answer: answer.to_owned(),
            }
        };
        let failing: Vec<_> = failing
            .into_iter()
            .map(|(fault, answer)| (json!({}), fault, answer))
            .collect();
        let mut retried = Vec::new();
        match name {
            "post-confirmation" => retried = failing,
            _ => other.extend(failing),
        }
        let all = |events: Vec<(Value, Option<Fault>, &str)>| -> Vec<Event> {
            events
                .iter()
                .map(|(own, fault, answer)| event(source, own, *fault, answer))
                .collect()
        };
        let mut other = all(other);
        other.push(event("Unknown", &json!({}), None, internal));
        Load {
            name: name.to_owned(),
            function: name.to_owned(),
            mode: Mode::Passwordless,
            events: between(|| event(source, &json!({}), None, EVENT), other),
            retried: all(retried),
        }
    })
}

/// The other events, each after a good one.
fn between(good: impl Fn() -> Event, other: Vec<Event>) -> Vec<Event> {
    other
        .into_iter()
        .flat_map(|event| [good(), event])
        .collect()
}
