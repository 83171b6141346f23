//! The deployed API on the embedded AWS: people who sign up, sign in and out, mistype and come back.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use e2e::{Answer, Mode, PASSWORD_CODE, Person, SIGN_UP_CODE, Stack};
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
/// A code that nobody was sent.
const WRONG_CODE: &str = "000000";

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
                    let _ = match mode {
                        Mode::UserPassword => app.journey_with_password(),
                        Mode::Passwordless => app.journey_with_codes(),
                    };
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

    /// Sends a body to a route; gives the answer's body where it is the right answer: `200`, or a status and
    /// an error type.
    fn post(&self, route: &str, body: Value, right: &str) -> Option<Value> {
        self.post_bytes(route, body.to_string().as_bytes(), right)
    }

    fn post_bytes(&self, route: &str, body: &[u8], right: &str) -> Option<Value> {
        for repeats in 0.. {
            let started = Instant::now();
            let answer = self.stack.send("POST", route, body);
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

    fn journey_with_password(&self) -> Option<()> {
        let person = Person::with_email();
        let name = &person.username;
        let sign_in = |password: &str| json!({ "username": name, "password": password });
        self.sign_up_and_confirm(&person, sign_in(&person.password))?;

        let another = Person::another_password();
        self.post("/sign-in", sign_in(&another), "401 NotAuthorizedException")?;
        let stranger = Person::with_email().username;
        let body = json!({ "username": stranger, "password": another });
        self.post("/sign-in", body, "404 UserNotFoundException")?;
        self.bad_bodies("/sign-in", json!({ "password": another }))?;
        self.use_tokens(self.post("/sign-in", sign_in(&person.password), "200")?)?;

        self.post("/password/forgot", json!({ "username": name }), "200")?;
        let change =
            |code| json!({ "username": name, "password": another, "confirmationCode": code });
        self.post(
            "/password/change",
            change(WRONG_CODE),
            "400 CodeMismatchException",
        )?;
        self.post("/password/change", change(PASSWORD_CODE), "200")?;
        self.post(
            "/sign-in",
            sign_in(&person.password),
            "401 NotAuthorizedException",
        )?;
        self.use_tokens(self.post("/sign-in", sign_in(&another), "200")?)
    }

    fn journey_with_codes(&self) -> Option<()> {
        let person = Person::with_phone();
        let sign_in = || json!({ "username": person.username });
        self.sign_up_and_confirm(&person, sign_in())?;

        let stranger = json!({ "username": Person::with_phone().username });
        self.post("/sign-in", stranger, "404 UserNotFoundException")?;
        let session = self.post("/sign-in", sign_in(), "200")?["session"].take();
        let code = self.stack.codes_sent_to(&person).pop().expect("no message");
        let answer = |session: &Value, code: &str| json!({ "username": person.username, "session": session, "confirmationCode": code });
        let wrong = if code == WRONG_CODE {
            "111111"
        } else {
            WRONG_CODE
        };
        let mut refusal = self.post(
            "/token",
            answer(&session, wrong),
            "401 CodeMismatchException",
        )?;
        let session = refusal["error"]["session"].take();
        self.bad_bodies("/token", json!({ "confirmationCode": code }))?;
        self.use_tokens(self.post("/token", answer(&session, &code), "200")?)?;
        self.post("/sign-in", sign_in(), "429 TooManyRequestsException")?;
        Some(())
    }

    fn sign_up_and_confirm(&self, person: &Person, sign_in: Value) -> Option<()> {
        let Person { username, password } = person;
        let body = json!({ "username": username, "password": password, "userAttributes": { "role": "User" } });
        let confirm = |code| json!({ "username": username, "confirmationCode": code });
        self.post("/sign-up", body.clone(), "200")?;
        self.post("/sign-in", sign_in, "403 UserNotConfirmedException")?;
        self.post(
            "/sign-up/confirm",
            confirm(WRONG_CODE),
            "400 CodeMismatchException",
        )?;
        self.post(
            "/sign-up/resend-code",
            json!({ "username": username }),
            "200",
        )?;
        self.post("/sign-up/confirm", confirm(SIGN_UP_CODE), "200")?;
        self.post("/sign-up", body, "409 UsernameExistsException")?;
        Some(())
    }

    /// What makes no sense to a route; `body` is one without a username.
    fn bad_bodies(&self, route: &str, mut body: Value) -> Option<()> {
        self.post_bytes(route, b"{", "400 SerializationException")?;
        self.post(route, body.clone(), "400 MissingRequiredParameter")?;
        body["username"] = json!(["user"]);
        self.post(route, body.clone(), "400 InvalidParameterType")?;
        body["username"] = "u".repeat(16 * 1024).into();
        self.post(route, body, "413 RequestEntityTooLargeException")?;
        Some(())
    }

    /// A refresh, and the sign-out, after which there is no other.
    fn use_tokens(&self, tokens: Value) -> Option<()> {
        let refresh = |token: &Value| json!({ "refreshToken": token });
        let new = self.post("/token/refresh", refresh(&tokens["refreshToken"]), "200")?;
        self.post(
            "/token/refresh",
            refresh(&"nonsense".into()),
            "401 NotAuthorizedException",
        )?;
        self.post(
            "/token/revoke",
            json!({ "accessToken": new["accessToken"] }),
            "200",
        )?;
        let last = refresh(&new["refreshToken"]);
        self.post("/token/refresh", last, "401 NotAuthorizedException")?;
        Some(())
    }
}

/// How long to wait before a request is sent again that the gateway or Cognito throttled: both ask for a second
/// or so, unlike our own limits for codes, which are answers to the user.
fn throttled(answer: &Answer) -> Option<Duration> {
    const MOST_SECONDS: u64 = 5;
    let seconds = answer.header("retry-after")?.parse().ok()?;
    (answer.status == 429 && seconds <= MOST_SECONDS).then(|| Duration::from_secs(seconds))
}
