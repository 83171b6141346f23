//! Events as Lambda hands them to the functions.

use serde_json::Value;

/// The event of a route, such as `/sign-in`, with this body.
pub fn of_route(path: &str, body: &str) -> String {
    let event = include_str!("../events/route.json");
    let mut event: Value = serde_json::from_str(event).unwrap();
    let path = format!("/auth{path}");
    event["resource"] = path.as_str().into();
    event["path"] = path.into();
    event["body"] = body.into();
    event.to_string()
}
