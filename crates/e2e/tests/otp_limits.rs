//! Passwordless: how many codes are sent and how many answers are compared, through the API and around it.

use e2e::{Answer, Person, Stack, session_in};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// As many as the embedded AWS answers at once within a trigger's time.
const MANY: usize = 20;

/// Two who can sign in to the strict stack, by SMS and by e-mail, and the keys of their limits.
fn members(stack: &Stack) -> [(Person, String); 2] {
    [Person::with_phone(), Person::with_email()].map(|person| {
        let body = stack.sign_up(&person, "Member").assert_ok();
        (person, body["id"].as_str().unwrap().to_owned())
    })
}

/// Two who can sign in, by SMS and by e-mail, and the keys of their limits.
fn users(stack: &Stack) -> [(Person, String); 2] {
    stack.users_of_both_channels().map(|person| {
        let sub = stack.user(&person.username)["sub"].clone();
        (person, sub)
    })
}

/// All at once, on a thread each.
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
    // Two in an hour and three in a day: two at once, then one in 12 hours.
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
        // Nobody is locked out: the next code is as good as any.
        stack.let_time_pass(&sub, MINUTE);
        stack.tokens_of(&person);
    }
}

#[test]
fn many_concurrent_wrong_answers_use_up_the_code() {
    let stack = Stack::passwordless();
    for (person, sub) in users(&stack) {
        let challenge = stack.challenge(&person);
        // A session each, as Cognito takes one answer for a session.
        let sessions = at_once(MANY, |_| session_in(&stack.sign_in(&person)));
        let answers = at_once(MANY, |n| {
            stack.answer(&person, &sessions[n], &challenge.wrong_code())
        });
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

#[test]
fn limits_hold_for_direct_calls_to_cognito() {
    let stack = Stack::passwordless();
    for (person, sub) in users(&stack) {
        let answer = initiate(&stack, &person);
        assert_eq!(answer.status, 200, "{answer:?}");
        let challenge = stack.challenge(&person);
        assert!(!answer.text.contains(&challenge.code), "told to the caller");
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
            [&known, &unknown].map(|person| all_that_can_be_seen(&stack, person));
        assert_eq!(to_known, to_unknown);
        assert_eq!(stack.messages_to(&known).len(), 3);
        assert!(stack.messages_to(&unknown).is_empty());
    }
}

/// What someone sees who signs in as this person up to all limits, without ever seeing the phone. The
/// waits are rounded to minutes, as the two are not asked at once.
fn all_that_can_be_seen(stack: &Stack, person: &Person) -> Vec<(u16, String, u64)> {
    let mut seen = Vec::new();
    let mut see = |answer: Answer| {
        let mut body = answer.json();
        let session = session_of(&mut body);
        let wait: u64 = answer
            .header("retry-after")
            .map_or(0, |wait| wait.parse().unwrap());
        // A guess has one chance in a million to be right.
        seen.push((answer.status, body.to_string(), wait.div_ceil(60)));
        session
    };
    let mut session = see(stack.sign_in(person));
    let key = &limits_key(stack, person);
    session = see(stack.answer(person, &session, "012345"));
    let again = see(stack.sign_in(person));
    see(stack.answer(person, &again, "012345"));
    see(stack.answer(person, &session, "012345"));
    see(stack.sign_in(person));
    stack.let_time_pass(key, MINUTE);
    see(stack.sign_in(person));
    stack.let_time_pass(key, HOUR);
    // Two codes an hour, and three a day.
    see(stack.sign_in(person));
    stack.let_time_pass(key, 12 * HOUR);
    see(stack.sign_in(person));
    see(stack.sign_in(person));
    stack.let_time_pass(key, MINUTE);
    see(stack.sign_in(person));
    seen
}

/// The session of an answer, which is put out of sight; they differ, but not in how they look.
fn session_of(body: &mut Value) -> String {
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

/// What the limits of a user who signs in are kept under: the name by which Cognito tells our triggers of them, or for
/// someone who does not exist a digest of it.
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

/// Starts a sign-in around the API.
fn initiate(stack: &Stack, person: &Person) -> Answer {
    stack.initiate_auth("CUSTOM_AUTH", json!({ "USERNAME": person.username }))
}
