//! Answers of the gateway itself: unknown routes, other methods, preflights, throttling and other origins.

use e2e::{Person, Route, Stack};
use serde_json::json;

#[test]
fn gateway_answers_404_outside_the_routes_of_the_mode() {
    for stack in [
        Stack::standard(),
        Stack::strict(),
        Stack::passwordless(),
        Stack::passwordless_strict(),
    ] {
        let others = stack.mode().other().routes();
        let others = others.filter(|route| route.only_mode().is_some());
        let unknown = ["", "/", "/sign-out", "/sign-in/x", "/Sign-In"];
        let unknown = others.map(|route| route.path).chain(unknown);
        let methods = ["GET", "PUT", "PATCH", "DELETE"].into_iter();
        let of_routes = methods.flat_map(|method| {
            let routes = stack.mode().routes();
            routes.map(move |route| (method, route.path))
        });
        for (method, path) in unknown.map(|path| ("POST", path)).chain(of_routes) {
            stack.send(method, path, b"{}").assert_error_with(
                404,
                "NotFoundException",
                "There is no such route, or it does not answer this method: every route answers POST.",
            );
        }
    }
}

#[test]
fn gateway_answers_the_preflight_of_every_route() {
    for (stack, origin) in [
        (Stack::standard(), "*"),
        (Stack::strict(), "https://app.example.com"),
        (Stack::passwordless(), "*"),
    ] {
        for route in stack.mode().routes() {
            let answer = stack.send("OPTIONS", route.path, b"");
            assert_eq!(answer.status, 200, "{}: {answer:?}", route.path);
            for (name, value) in [
                ("access-control-allow-origin", origin),
                ("access-control-allow-headers", "*,Authorization"),
                ("access-control-allow-methods", "POST,OPTIONS"),
                ("access-control-max-age", "600"),
            ] {
                assert_eq!(answer.header(name), Some(value), "{}: {name}", route.path);
            }
        }
    }
}

#[test]
fn routes_that_send_messages_have_their_own_throttle() {
    let stack = Stack::passwordless_strict();
    // A route that no other test calls on this stack.
    let mut routes = stack.mode().routes().filter(Route::sends_messages);
    let route = routes.find(|route| !["/sign-up", "/sign-in"].contains(&route.path));
    let path = route.unwrap().path;
    let throttled = (0..1000)
        .map(|_| stack.post_bytes(path, b"{}"))
        .enumerate()
        .find(|(_, answer)| answer.status == 429);
    let (before, throttled) = throttled.expect("never throttled");
    throttled.assert_documented_error(429, "TooManyRequestsException");
    assert_eq!(throttled.header("retry-after"), Some("1"));
    assert_eq!(
        throttled.header("access-control-expose-headers"),
        Some("Retry-After")
    );
    assert!(before >= 200, "only {before} requests before");

    // Other routes have another limit.
    stack
        .post_bytes("/token/refresh", b"{}")
        .assert_error(400, "MissingRequiredParameter");
}

#[test]
fn enable_waf_protects_the_api_and_the_pool() {
    assert!(Stack::standard().resources_with_web_acl().is_empty());

    let stack = Stack::strict();
    let mut protected = stack.resources_with_web_acl();
    protected.sort_unstable();
    let [api, pool] = &protected[..] else {
        panic!("{protected:?}");
    };
    let url = stack.output("AuthApiURL").trim_end_matches("/v1/auth");
    let api_id = url.rsplit('/').next().unwrap();
    assert!(
        api.ends_with(&format!("::/restapis/{api_id}/stages/v1")),
        "{api}"
    );
    assert!(
        pool.ends_with(&format!(":userpool/{}", stack.pool_id())),
        "{pool}"
    );
}

#[test]
fn gateway_rejects_pages_of_other_origins() {
    let stack = Stack::strict();
    let person = Person::with_email();
    let body = json!({
        "username": person.username,
        "password": person.password,
        "userAttributes": { "role": "Member" },
    });
    let body = body.to_string();
    // A page can send this content type without a preflight.
    let send = |origin: &str| {
        let headers = [("content-type", "text/plain"), ("origin", origin)];
        stack.send_with("POST", "/sign-up", headers, body.as_bytes())
    };
    for origin in ["https://evil.example", "null"] {
        send(origin).assert_error_with(
            403,
            "ForbiddenException",
            "Pages of this origin may not call this API.",
        );
        assert!(!stack.has_user(&person.username), "{origin}");
    }
    send("https://app.example.com").assert_ok();
}
