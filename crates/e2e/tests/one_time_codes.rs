//! Passwordless: right and wrong codes, old sessions, and other users' codes.

use e2e::{Answer, Person, Stack, session_in};

#[test]
fn token_rejects_malformed_codes_and_trims_spaces() {
    let stack = Stack::passwordless();
    for person in stack.users_of_both_channels() {
        let challenge = stack.challenge(&person);
        let mut session = challenge.session.clone();
        for code in [
            format!("{}0", challenge.code),
            challenge.code[1..].to_owned(),
        ] {
            session = stack.answer(&person, &session, &code).assert_wrong_code();
        }
        // These are rejected before they count as an answer.
        for code in [
            challenge.code.replacen("", " ", 3),
            format!("{}\u{200b}", challenge.code),
        ] {
            let code = code.trim_start();
            stack
                .answer(&person, &session, code)
                .assert_error(400, "InvalidParameterException");
        }
        let pasted = format!(" {}\n", challenge.code);
        stack.answer(&person, &session, &pasted).assert_ok();
        assert_eq!(stack.codes_sent_to(&person), [challenge.code]);
    }
}

#[test]
fn token_rejects_unknown_and_used_sessions() {
    let stack = Stack::passwordless();
    for person in stack.users_of_both_channels() {
        let challenge = stack.challenge(&person);
        for session in ["a".repeat(20), "a".repeat(2048)] {
            assert_session_is_invalid(&stack.answer(&person, &session, &challenge.code));
        }
        for session in ["nonsense", &"a".repeat(2049)] {
            stack
                .answer(&person, session, &challenge.code)
                .assert_error(400, "InvalidParameterException");
        }
        // The real session gives tokens once.
        stack.tokens_for(&person, &challenge);
        assert_session_is_invalid(&stack.answer(&person, &challenge.session, &challenge.code));
    }
}

#[test]
fn code_works_only_for_its_own_user_and_session() {
    let stack = Stack::passwordless();
    let [person, stranger] = stack.users_of_both_channels();
    let mine = stack.challenge(&person);
    let mut theirs = stack.challenge(&stranger);
    while theirs.code == mine.code {
        stack.let_time_pass(&stack.user(&stranger.username)["sub"], 60);
        theirs = stack.challenge(&stranger);
    }
    let nobody = [Person::with_phone(), Person::with_email()];
    for (who, session, code, why) in [
        (&person, &mine.session, &theirs.code, "their code"),
        (&stranger, &theirs.session, &mine.code, "their session"),
        (&stranger, &mine.session, &mine.code, "their name"),
        (&nobody[0], &mine.session, &mine.code, "nobody's number"),
        (&nobody[1], &mine.session, &mine.code, "nobody's address"),
        (&person, &theirs.session, &theirs.code, "my name"),
    ] {
        let answer = stack.answer(who, session, code);
        assert_eq!(answer.status, 401, "{why}: {answer:?}");
        let error = &answer.json()["error"]["type"];
        assert!(
            error == "CodeMismatchException" || error == "NotAuthorizedException",
            "{why}: {answer:?}"
        );
    }
}

#[test]
fn repeated_sign_ins_share_one_single_use_code() {
    let stack = Stack::passwordless();
    for person in stack.users_of_both_channels() {
        let sub = &stack.user(&person.username)["sub"];
        let first = stack.challenge(&person);
        let second = stack.challenge(&person);
        assert_ne!(first.session, second.session);
        assert_eq!(stack.codes_sent_to(&person), [&*first.code]);
        stack.tokens_for(&person, &second);
        stack
            .answer(&person, &first.session, &first.code)
            .assert_error(401, "NotAuthorizedException");

        let wait = stack.sign_in(&person).assert_throttled();
        assert!((20..=30).contains(&wait), "{wait}");
        stack.let_time_pass(sub, 30);
        let next = stack.challenge(&person);
        assert_ne!(first.code, next.code, "a used code must not be sent again");
        stack.tokens_for(&person, &next);
        assert_eq!(stack.codes_sent_to(&person), [first.code, next.code]);
    }
}

#[test]
fn earlier_code_stays_valid_for_its_own_session() {
    let stack = Stack::passwordless();
    for person in stack.users_of_both_channels() {
        let sub = &stack.user(&person.username)["sub"];
        let first = stack.challenge(&person);
        stack.let_time_pass(sub, 30);
        // Otherwise a stranger could stop the owner's sign-in by starting another one with the phone number.
        session_in(&stack.sign_in(&person));
        assert_eq!(stack.codes_sent_to(&person).len(), 2);
        stack.tokens_for(&person, &first);
    }
}

#[track_caller]
fn assert_session_is_invalid(answer: &Answer) {
    answer.assert_error_with(
        401,
        "NotAuthorizedException",
        "Invalid session for the user.",
    );
}
