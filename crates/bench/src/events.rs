//! The events that Lambda sends to functions.

use e2e::Route;
use serde_json::Value;

/// The event of a route, such as `/sign-in`, with this body and the examples' access token.
pub fn of_route(path: &str, body: &str) -> String {
    let event = include_str!("../events/route.json");
    let mut event: Value = serde_json::from_str(event).unwrap();
    let path = format!("/auth{path}");
    event["resource"] = path.as_str().into();
    event["path"] = path.into();
    let token = format!("Bearer {}", Route::example_token());
    event["headers"]["Authorization"] = token.as_str().into();
    event["multiValueHeaders"]["Authorization"] = [token].into();
    event["body"] = body.into();
    event.to_string()
}
