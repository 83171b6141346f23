//! Sends requests to the deployed API on the embedded AWS, as users who call every route and make mistakes.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use e2e::{Answer, Journey, Mode, Person, Route, Stack};
use serde_json::{Value, json};

use crate::tally::Tally;

/// The least number of requests to each mode's stack. Journeys that have started are completed.
pub const REQUESTS: usize = 1_500;
/// The time limit for starting journeys.
const MAX_TIME: Duration = Duration::from_secs(180);
/// The number of concurrent users in each mode.
pub const USERS: usize = 2;
/// The maximum number of retries of a throttled request.
const MAX_RETRIES: usize = 20;

/// The measurements of a stack.
pub struct StackResult {
    pub mode: Mode,
    pub tally: Tally,
    pub time: Duration,
}

/// Sends requests to the stacks of these modes in parallel.
pub fn run(modes: [Mode; 2]) -> Vec<StackResult> {
    std::thread::scope(|scope| {
        let stacks = modes.map(|mode| scope.spawn(move || load(mode)));
        let stacks: Vec<StackResult> = stacks.map(|stack| stack.join().unwrap()).into();
        eprintln!();
        stacks
    })
}

fn load(mode: Mode) -> StackResult {
    let stack = Stack::of(mode);
    let tally = Mutex::new(Tally::default());
    let started = Instant::now();
    let client = Client {
        stack: &stack,
        tally: &tally,
    };
    std::thread::scope(|scope| {
        for _ in 0..USERS {
            scope.spawn(|| {
                while client.requests() < REQUESTS && started.elapsed() < MAX_TIME {
                    // A journey ends early after an unexpected answer, which the tally has recorded.
                    let _ = client.journey();
                    eprint!(
                        "\r\x1b[K{}: {} of {REQUESTS}",
                        mode.name(),
                        client.requests()
                    );
                }
            });
        }
    });
    StackResult {
        mode,
        tally: tally.into_inner().unwrap(),
        time: started.elapsed(),
    }
}

/// Calls the API, and records the answers.
struct Client<'a> {
    stack: &'a Stack,
    tally: &'a Mutex<Tally>,
}

impl Client<'_> {
    fn requests(&self) -> usize {
        self.tally.lock().unwrap().requests()
    }

    /// Sends a token and a body to a route. Returns the answer's body if its outcome, `200` or a status and an error
    /// type, is the expected one.
    fn post(&self, token: &str, route: &str, body: Value, expected: &str) -> Option<Value> {
        self.post_bytes(token, route, body.to_string().as_bytes(), expected)
    }

    fn post_bytes(&self, token: &str, route: &str, body: &[u8], expected: &str) -> Option<Value> {
        let headers = || {
            [
                ("content-type", "application/json".to_owned()),
                ("authorization", format!("Bearer {token}")),
            ]
        };
        for retries in 0.. {
            let started = Instant::now();
            let answer = self.stack.send_with("POST", route, headers(), body);
            let time = started.elapsed();
            if let Some(wait) = throttled(&answer).filter(|_| retries < MAX_RETRIES) {
                std::thread::sleep(wait);
                continue;
            }
            let outcome = match answer.error_type() {
                Ok(None) => "200".to_owned(),
                Ok(Some(error_type)) => format!("{} {error_type}", answer.status),
                Err(breach) => format!("{} against the contract ({breach})", answer.status),
            };
            self.tally
                .lock()
                .unwrap()
                .add(route, time, &outcome, expected);
            return (outcome == expected).then(|| answer.json());
        }
        unreachable!()
    }

    /// Calls every route: with malformed bodies, with a mistake, then with a valid request.
    fn journey(&self) -> Option<()> {
        let mut journey = Journey::start(self.stack);
        let mut has_repeated = false;
        for route in self.stack.mode().routes() {
            let mut request = journey.request(route);
            let token = journey.token().unwrap_or("none").to_owned();
            self.bad_bodies(&token, route, &request)?;
            if route.needs_token() {
                let expected = "401 NotAuthorizedException";
                self.post("nonsense", route.path, request.clone(), expected)?;
            } else {
                let (wrong, expected) = mistake(route, &request);
                let mut error = self.post(&token, route.path, wrong, expected)?;
                if let Some(session) = error["error"].get_mut("session") {
                    request["session"] = session.take();
                }
            }
            if route.needs_token() && !has_repeated {
                self.repeat_sign_up_and_sign_in(&mut journey)?;
                has_repeated = true;
            }
            journey.record(&self.post(&token, route.path, request, "200")?);
        }
        Some(())
    }

    /// Repeats sign-up and sign-in for a user who has just signed in.
    fn repeat_sign_up_and_sign_in(&self, journey: &mut Journey) -> Option<()> {
        let sign_in = match self.stack.mode() {
            Mode::UserPassword => "200",
            Mode::Passwordless => "429 TooManyRequestsException",
        };
        for (path, expected) in [
            ("/sign-up", "409 UsernameExistsException"),
            ("/sign-in", sign_in),
        ] {
            let route = self.stack.mode().route(path)?;
            self.post("none", path, journey.request(route), expected)?;
        }
        Some(())
    }

    /// Sends malformed bodies.
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

/// The request with a mistake, and the expected outcome.
fn mistake(route: Route, request: &Value) -> (Value, &'static str) {
    let has = |field| route.fields.contains(&field);
    let code = another_code(request);
    let nobody = Person::of(route.mode).username;
    let rejected = "401 NotAuthorizedException";
    let (field, wrong, expected) = if has("session") {
        ("confirmationCode", code, "401 CodeMismatchException")
    } else if has("confirmationCode") {
        ("confirmationCode", code, "400 CodeMismatchException")
    } else if has("refreshToken") {
        ("refreshToken", json!("nonsense"), rejected)
    } else if has("accessToken") {
        ("accessToken", json!("nonsense"), rejected)
    } else if request.get("userAttributes").is_some() {
        let role = json!({ "role": "Nobody" });
        ("userAttributes", role, "400 InvalidParameterException")
    } else {
        ("username", json!(nobody), "404 UserNotFoundException")
    };
    let mut request = request.clone();
    request[field] = wrong;
    (request, expected)
}

/// A wrong code.
fn another_code(request: &Value) -> Value {
    let sent = &request["confirmationCode"];
    if sent == "000000" { "111111" } else { "000000" }.into()
}

/// The time to wait before the retry of a request that the gateway or Cognito throttled. Their waits are short. A
/// longer wait comes from the limits of codes, which is an answer to the user.
fn throttled(answer: &Answer) -> Option<Duration> {
    const MAX_SECONDS: u64 = 5;
    let seconds = answer.header("retry-after")?.parse().ok()?;
    (answer.status == 429 && seconds <= MAX_SECONDS).then(|| Duration::from_secs(seconds))
}
