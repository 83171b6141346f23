//! Passwordless: the limits of codes and answers, through the API and directly at Cognito.

use e2e::{Answer, Challenge, Person, Stack, session_in};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// The number of concurrent requests that the embedded AWS answers within a trigger's time limit.
const MANY: usize = 20;

/// Two users of the strict stack, by SMS and by e-mail, with the keys of their limits.
fn members(stack: &Stack) -> [(Person, String); 2] {
    [Person::with_phone(), Person::with_email()].map(|person| {
        let body = stack.sign_up(&person, "Member").assert_ok();
        (person, body["id"].as_str().unwrap().to_owned())
    })
}

/// Two users, by SMS and by e-mail, with the keys of their limits.
fn users(stack: &Stack) -> [(Person, String); 2] {
    stack.users_of_both_channels().map(|person| {
        let sub = stack.user(&person.username)["sub"].clone();
        (person, sub)
    })
}

/// Runs all at once, each on its own thread.
fn at_once<T: Send>(times: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let run = &run;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..times).map(|n| scope.spawn(move || run(n))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[track_caller]
fn assert_about(seconds: u64, expected: i64) {
    let expected = u64::try_from(expected).unwrap();
    assert!(
        (expected.saturating_sub(20)..=expected).contains(&seconds),
        "{seconds}, not {expected}"
    );
}

#[test]
fn codes_are_sent_in_a_burst_then_one_per_interval() {
    // The limits are two an hour and three a day: two at once, then one every 12 hours.
    const INTERVAL: i64 = 12 * HOUR;
    let stack = Stack::passwordless_strict();
    for (person, sub) in members(&stack) {
        let sent = || stack.messages_to(&person).len();
        session_in(&stack.sign_in(&person));
        stack.let_time_pass(&sub, MINUTE);
        session_in(&stack.sign_in(&person));
        assert_eq!(sent(), 2);
        for passed in [MINUTE, 0] {
            stack.let_time_pass(&sub, MINUTE);
            let wait = INTERVAL - MINUTE - passed;
            assert_about(stack.sign_in(&person).assert_throttled(), wait);
            stack.let_time_pass(&sub, wait);
            session_in(&stack.sign_in(&person));
        }
        assert_eq!(sent(), 4);
    }
}

#[test]
fn many_concurrent_sign_ins_send_one_message() {
    let stack = Stack::passwordless();
    for (person, sub) in users(&stack) {
        let sessions = at_once(MANY, |_| session_in(&stack.sign_in(&person)));
        assert_eq!(stack.messages_to(&person).len(), 1);
        assert_eq!(stack.answers_left(&sub), [3]);

        stack.let_time_pass(&sub, 15);
        for wait in at_once(MANY, |_| stack.sign_in(&person).assert_throttled()) {
            assert_about(wait, 15);
        }
        assert_eq!(stack.messages_to(&person).len(), 1);

        stack.let_time_pass(&sub, 15);
        at_once(MANY, |_| session_in(&stack.sign_in(&person)));
        assert_eq!(stack.messages_to(&person).len(), 2);
        assert_eq!(stack.answers_left(&sub), [3, 3]);
        let first = &stack.codes_sent_to(&person)[0];
        stack.answer(&person, &sessions[0], first).assert_ok();
        assert_eq!(stack.answers_left(&sub), [3]);
    }
}

#[test]
fn code_allows_three_answers_across_all_sessions() {
    let stack = Stack::passwordless();
    for (person, sub) in users(&stack) {
        let challenge = stack.challenge(&person);
        let more = [(); 3].map(|()| session_in(&stack.sign_in(&person)));
        assert_eq!(stack.messages_to(&person).len(), 1);
        let wrong = |session: &str| stack.answer(&person, session, &challenge.wrong_code());
        let next = wrong(&challenge.session).assert_wrong_code();
        wrong(&more[0]).assert_wrong_code();
        assert_eq!(stack.answers_left(&sub), [1]);
        wrong(&more[1]).assert_error(401, "NotAuthorizedException");
        for session in [&next, &more[2]] {
            let answer = stack.answer(&person, session, &challenge.code);
            answer.assert_error(401, "NotAuthorizedException");
        }
        // The user is not locked out: the next code works.
        stack.let_time_pass(&sub, MINUTE);
        stack.tokens_of(&person);
    }
}

#[test]
fn many_concurrent_wrong_answers_use_up_the_code() {
    let stack = Stack::passwordless();
    // These only start the triggers: the embedded AWS is too slow for this many cold starts.
    concurrent_wrong_answers(&stack, &stack.confirmed_user());
    for (person, sub) in users(&stack) {
        let (challenge, answers) = concurrent_wrong_answers(&stack, &person);
        let has_next = |answer: &&Answer| answer.json()["error"]["session"].is_string();
        assert_eq!(answers.iter().filter(has_next).count(), 2);
        for answer in &answers {
            assert_eq!(answer.status, 401, "{answer:?}");
        }
        assert_eq!(stack.answers_left(&sub), [0]);
        stack
            .answer(&person, &challenge.session, &challenge.code)
            .assert_error(401, "NotAuthorizedException");
        assert_eq!(stack.messages_to(&person).len(), 1);
    }
}

fn concurrent_wrong_answers(stack: &Stack, person: &Person) -> (Challenge, Vec<Answer>) {
    let challenge = stack.challenge(person);
    // One session each, because Cognito accepts one answer for a session.
    let sessions = at_once(MANY, |_| session_in(&stack.sign_in(person)));
    let answers = at_once(MANY, |n| {
        stack.answer(person, &sessions[n], &challenge.wrong_code())
    });
    (challenge, answers)
}

#[test]
fn limits_hold_for_direct_calls_to_cognito() {
    let stack = Stack::passwordless();
    for (person, sub) in users(&stack) {
        let answer = initiate(&stack, &person);
        assert_eq!(answer.status, 200, "{answer:?}");
        let challenge = stack.challenge(&person);
        assert!(
            !answer.text.contains(&challenge.code),
            "the answer contains the code"
        );
        assert_eq!(stack.messages_to(&person).len(), 1);

        let responses = json!({ "USERNAME": person.username, "ANSWER": challenge.wrong_code() });
        let answer = json!({
            "ClientId": stack.client_id(),
            "ChallengeName": "CUSTOM_CHALLENGE",
            "Session": challenge.session,
            "ChallengeResponses": responses,
        });
        let answer = stack.cognito_public("RespondToAuthChallenge", answer);
        assert_eq!(answer.json()["AuthenticationResult"], Value::Null);
        assert_eq!(stack.answers_left(&sub), [2]);

        stack.tokens_of(&person);
        let answer = initiate(&stack, &person);
        assert_eq!(answer.status, 400, "{answer:?}");
        let text =
            "TooManyRequestsException: Please wait before you ask for another code. Retry after ";
        assert!(answer.text.contains(text), "{answer:?}");
        assert_eq!(stack.messages_to(&person).len(), 1);
    }
}

#[test]
fn enabled_answers_unknown_users_like_known_ones() {
    let stack = Stack::passwordless_strict();
    let unknown = [Person::with_phone(), Person::with_email()];
    for ((known, _), unknown) in members(&stack).into_iter().zip(unknown) {
        let [to_known, to_unknown] =
            [&known, &unknown].map(|person| visible_answers(&stack, person));
        assert_eq!(to_known, to_unknown);
        assert_eq!(stack.messages_to(&known).len(), 3);
        assert!(stack.messages_to(&unknown).is_empty());
    }
}

/// Signs in as this person up to every limit, without the messages, and returns the visible parts of the answers. Waits
/// are rounded up to minutes, because the two persons sign in one after the other.
fn visible_answers(stack: &Stack, person: &Person) -> Vec<(u16, String, u64)> {
    let mut observed = Vec::new();
    let mut observe = |answer: Answer| {
        let mut body = answer.json();
        let session = take_session(&mut body);
        let wait: u64 = answer
            .header("retry-after")
            .map_or(0, |wait| wait.parse().unwrap());
        // A guessed code is right once in a million runs.
        observed.push((answer.status, body.to_string(), wait.div_ceil(60)));
        session
    };
    let mut session = observe(stack.sign_in(person));
    let key = &limits_key(stack, person);
    session = observe(stack.answer(person, &session, "012345"));
    let again = observe(stack.sign_in(person));
    observe(stack.answer(person, &again, "012345"));
    observe(stack.answer(person, &session, "012345"));
    observe(stack.sign_in(person));
    stack.let_time_pass(key, MINUTE);
    observe(stack.sign_in(person));
    stack.let_time_pass(key, HOUR);
    // The limits are two codes an hour and three a day.
    observe(stack.sign_in(person));
    stack.let_time_pass(key, 12 * HOUR);
    observe(stack.sign_in(person));
    observe(stack.sign_in(person));
    stack.let_time_pass(key, MINUTE);
    observe(stack.sign_in(person));
    observed
}

/// The session of an answer. Replaces it by its length, because sessions differ.
fn take_session(body: &mut Value) -> String {
    let holder = match body.get_mut("error") {
        Some(error) => error,
        None => body,
    };
    let Some(session) = holder.get_mut("session") else {
        return String::new();
    };
    let text = session.as_str().unwrap().to_owned();
    *session = json!(text.len());
    text
}

/// The key of a user's limits: the username that Cognito passes to triggers, or a digest of it if the user does not
/// exist.
fn limits_key(stack: &Stack, person: &Person) -> String {
    let name = initiate(stack, person).json()["ChallengeParameters"]["USERNAME"].clone();
    let name = name.as_str().unwrap();
    if stack.has_user(&person.username) {
        return name.to_owned();
    }
    let digest = Sha256::digest(format!("{}/{name}", stack.pool_id()));
    let hexadecimal: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("unknown-{hexadecimal}")
}

/// Starts a sign-in directly at Cognito.
fn initiate(stack: &Stack, person: &Person) -> Answer {
    stack.initiate_auth("CUSTOM_AUTH", json!({ "USERNAME": person.username }))
}
