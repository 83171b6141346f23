//! The deployed API on the embedded AWS: 2,000 generated requests to all routes in both modes, and sign-ins after them.

use e2e::{Mode, ROUTES, Stack};
use hostile::{MARK, Request, run, run_all};

const REQUESTS: u32 = 2_000;

/// Sends the request, checks the answer against the contract, and returns its status and error type.
fn outcome(stack: &Stack, path: &str, token: &str, request: &Request) -> String {
    let headers = request.headers.iter();
    let headers = headers.map(|(name, value)| (*name, &value[..]));
    let path = format!("{path}{}", request.query);
    let answer = stack.send_with("POST", &path, headers, &request.body);
    let error = answer.assert_contract()["error"]["type"].clone();
    assert!(answer.status < 500, "{answer:?}");
    let text = match request.username() {
        Some(username) => answer.text.replace(&username, ""),
        None => answer.text.clone(),
    };
    let repeats = |text: &str| text.to_lowercase().contains(MARK);
    assert!(!repeats(&text) && !text.contains(token), "{answer:?}");
    for (name, value) in answer.headers() {
        assert!(
            !repeats(name) && !repeats(&String::from_utf8_lossy(value)),
            "{answer:?}"
        );
    }
    format!("{} {}", answer.status, error.as_str().unwrap_or_default())
}

#[test]
fn deployed_api_survives_generated_requests() {
    let each = REQUESTS.div_ceil(ROUTES.len() as u32);
    let tallies = run_all(&ROUTES, 4, |number, route| {
        let stack = Stack::of(route.mode);
        let token = stack.tokens_of(&stack.confirmed_user()).access;
        run(number, each, &Request::any(*route, &token), |request| {
            outcome(&stack, route.path, &token, &request)
        })
    });
    let total: u32 = tallies.iter().flat_map(|tally| tally.values()).sum();
    assert!(total >= REQUESTS, "{total}");

    let stack = Stack::of(Mode::UserPassword);
    stack.tokens_of(&stack.confirmed_user());
    let stack = Stack::of(Mode::Passwordless);
    let person = stack.confirmed_user();
    stack.tokens_of(&person);
}
