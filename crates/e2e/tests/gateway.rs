//! What the gateway does itself: routes that do not exist, other methods, the preflight.

use e2e::{Mode, Stack};

/// A REST API's own answer where it knows no such route or method. The template gives it another status
/// and the body of every error; the embedded AWS leaves that part of the template out.
#[track_caller]
fn assert_no_function_answers(stack: &Stack, method: &str, route: &str) {
    let answer = stack.send(method, route, b"{}");
    assert_eq!(
        answer.header("x-amzn-errortype"),
        Some("MissingAuthenticationTokenException"),
        "{method} {route}: {answer:?}"
    );
    assert!(
        (400..500).contains(&answer.status),
        "{method} {route}: {answer:?}"
    );
}

#[test]
fn routes_that_do_not_exist_reach_no_function() {
    for stack in [Stack::standard(), Stack::strict()] {
        for route in ["", "/", "/sign-out", "/sign-in/x", "/Sign-In"] {
            assert_no_function_answers(&stack, "POST", route);
        }
    }
}

#[test]
fn the_routes_of_the_other_mode_do_not_exist() {
    for stack in [Stack::passwordless(), Stack::passwordless_strict()] {
        for route in ["/password/forgot", "/password/change"] {
            assert_no_function_answers(&stack, "POST", route);
        }
    }
    for stack in [Stack::standard(), Stack::strict()] {
        assert_no_function_answers(&stack, "POST", "/token");
    }
}

#[test]
fn methods_other_than_post_reach_no_function() {
    let stack = Stack::standard();
    for route in Mode::UserPassword.routes() {
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            assert_no_function_answers(&stack, method, route.path);
        }
    }
}

#[test]
fn the_preflight_of_every_route_is_answered_by_the_gateway() {
    let stack = Stack::standard();
    for route in Mode::UserPassword.routes() {
        let answer = stack.send("OPTIONS", route.path, b"");
        assert_eq!(answer.status, 200, "{}: {answer:?}", route.path);
    }
}
