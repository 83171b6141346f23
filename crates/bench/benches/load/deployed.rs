//! The deployed API on the embedded AWS: people who sign up, sign in and out, mistype and come back.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use e2e::{Answer, Mode, Person, Route, Stack, Walk};
use serde_json::{Value, json};

use crate::tally::Tally;

/// Requests to each mode's stack, after which the journeys under way are ended.
pub const REQUESTS: usize = 1_500;
/// The most time for them.
const MOST_TIME: Duration = Duration::from_secs(180);
/// People at a time in each mode.
pub const AT_A_TIME: usize = 2;
/// How often a request is sent again that the gateway throttled.
const MOST_REPEATS: usize = 20;

/// A stack that was under load.
pub struct Stacked {
    pub mode: Mode,
    pub tally: Tally,
    /// Requests that were throttled, and sent again after the time that the answer asked to wait.
    pub throttled: usize,
    pub time: Duration,
}

/// Sends the requests to the stacks of these modes at once.
pub fn run(modes: [Mode; 2]) -> Vec<Stacked> {
    std::thread::scope(|scope| {
        let stacks = modes.map(|mode| scope.spawn(move || load(mode)));
        let stacks: Vec<Stacked> = stacks.map(|stack| stack.join().unwrap()).into();
        eprintln!();
        stacks
    })
}

fn load(mode: Mode) -> Stacked {
    let stack = Stack::of(mode);
    let (tally, throttled) = (Mutex::new(Tally::default()), AtomicUsize::new(0));
    let started = Instant::now();
    let app = App {
        stack: &stack,
        tally: &tally,
        throttled: &throttled,
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while app.requests() < REQUESTS && started.elapsed() < MOST_TIME {
                    // One that ends early met an answer that should not have come, which is taken down.
                    let _ = app.journey();
                    eprint!("\r\x1b[K{}: {} of {REQUESTS}", mode.name(), app.requests());
                }
            });
        }
    });
    Stacked {
        mode,
        tally: tally.into_inner().unwrap(),
        throttled: throttled.into_inner(),
        time: started.elapsed(),
    }
}

/// Whoever uses the API, and takes down what comes back.
struct App<'a> {
    stack: &'a Stack,
    tally: &'a Mutex<Tally>,
    throttled: &'a AtomicUsize,
}

impl App<'_> {
    fn requests(&self) -> usize {
        self.tally.lock().unwrap().requests()
    }

    /// Sends a token and a body to a route; gives the answer's body where it is the right answer: `200`, or a status and
    /// an error type.
    fn post(&self, token: &str, route: &str, body: Value, right: &str) -> Option<Value> {
        self.post_bytes(token, route, body.to_string().as_bytes(), right)
    }

    fn post_bytes(&self, token: &str, route: &str, body: &[u8], right: &str) -> Option<Value> {
        let headers = || {
            [
                ("content-type", "application/json".to_owned()),
                ("authorization", format!("Bearer {token}")),
            ]
        };
        for repeats in 0.. {
            let started = Instant::now();
            let answer = self.stack.send_with("POST", route, headers(), body);
            let time = started.elapsed();
            if let Some(wait) = throttled(&answer).filter(|_| repeats < MOST_REPEATS) {
                self.throttled.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(wait);
                continue;
            }
            let told = match answer.error_type() {
                Ok(None) => "200".to_owned(),
                Ok(Some(error_type)) => format!("{} {error_type}", answer.status),
                Err(breach) => format!("{} against the contract ({breach})", answer.status),
            };
            self.tally.lock().unwrap().add(route, time, &told, right);
            return (told == right).then(|| answer.json());
        }
        unreachable!()
    }

    /// Goes through every route, each with bodies that it can't read and with a mistake before the right request.
    fn journey(&self) -> Option<()> {
        let mut walk = Walk::start(self.stack);
        let mut has_begun_again = false;
        for route in self.stack.mode().routes() {
            let mut request = walk.request(route);
            let token = walk.token().unwrap_or("none").to_owned();
            self.bad_bodies(&token, route, &request)?;
            if route.needs_token() {
                let right = "401 NotAuthorizedException";
                self.post("nonsense", route.path, request.clone(), right)?;
            } else {
                let (wrong, right) = mistake(route, &request);
                let mut refusal = self.post(&token, route.path, wrong, right)?;
                if let Some(session) = refusal["error"].get_mut("session") {
                    request["session"] = session.take();
                }
            }
            if route.needs_token() && !has_begun_again {
                self.again(&mut walk)?;
                has_begun_again = true;
            }
            walk.take(&self.post(&token, route.path, request, "200")?);
        }
        Some(())
    }

    /// What someone does once more who has just signed in.
    fn again(&self, walk: &mut Walk) -> Option<()> {
        let sign_in = match self.stack.mode() {
            Mode::UserPassword => "200",
            Mode::Passwordless => "429 TooManyRequestsException",
        };
        for (path, right) in [
            ("/sign-up", "409 UsernameExistsException"),
            ("/sign-in", sign_in),
        ] {
            let route = self.stack.mode().route(path)?;
            self.post("none", path, walk.request(route), right)?;
        }
        Some(())
    }

    /// What makes no sense to a route.
    fn bad_bodies(&self, token: &str, route: Route, request: &Value) -> Option<()> {
        let path = route.path;
        self.post_bytes(token, path, b"{", "400 SerializationException")?;
        for field in route.fields.iter().take(1) {
            let mut body = request.clone();
            body[field] = Value::Null;
            self.post(token, path, body.clone(), "400 MissingRequiredParameter")?;
            body[field] = json!(["user"]);
            self.post(token, path, body, "400 InvalidParameterType")?;
        }
        let large = json!({ "large": "x".repeat(16 * 1024) });
        self.post(token, path, large, "413 RequestEntityTooLargeException")?;
        Some(())
    }
}

/// The request with a mistake in it, and the right answer to that.
fn mistake(route: Route, request: &Value) -> (Value, &'static str) {
    let has = |field| route.fields.contains(&field);
    let (field, wrong, right) = if has("session") {
        (
            "confirmationCode",
            another_code(request),
            "401 CodeMismatchException",
        )
    } else if has("confirmationCode") {
        (
            "confirmationCode",
            another_code(request),
            "400 CodeMismatchException",
        )
    } else if has("refreshToken") {
        (
            "refreshToken",
            json!("nonsense"),
            "401 NotAuthorizedException",
        )
    } else if has("accessToken") {
        (
            "accessToken",
            json!("nonsense"),
            "401 NotAuthorizedException",
        )
    } else if request.get("userAttributes").is_some() {
        (
            "userAttributes",
            json!({ "role": "Nobody" }),
            "400 InvalidParameterException",
        )
    } else {
        let nobody = Person::of(route.mode).username;
        ("username", nobody.into(), "404 UserNotFoundException")
    };
    let mut request = request.clone();
    request[field] = wrong;
    (request, right)
}

/// A code that was not sent.
fn another_code(request: &Value) -> Value {
    let sent = &request["confirmationCode"];
    if sent == "000000" { "111111" } else { "000000" }.into()
}

/// How long to wait before a request is sent again that the gateway or Cognito throttled: both ask for a second
/// or so, unlike our own limits for codes, which are answers to the user.
fn throttled(answer: &Answer) -> Option<Duration> {
    const MOST_SECONDS: u64 = 5;
    let seconds = answer.header("retry-after")?.parse().ok()?;
    (answer.status == 429 && seconds <= MOST_SECONDS).then(|| Duration::from_secs(seconds))
}
