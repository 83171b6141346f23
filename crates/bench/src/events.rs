//! Events as Lambda hands them to the functions.

use serde_json::Value;

/// The event of a route, such as `/sign-in`, with this body.
pub fn of_route(path: &str, body: &str) -> String {
    let mut event = read(include_str!("../events/route.json"));
    let path = format!("/auth{path}");
    event["resource"] = path.as_str().into();
    event["path"] = path.into();
    event["body"] = body.into();
    event.to_string()
}

/// The event of a trigger: what it has of its own, and what all triggers are sent.
pub fn of_trigger(own: &Value) -> String {
    let mut event = read(include_str!("../events/trigger.json"));
    event["triggerSource"] = own["triggerSource"].clone();
    for (name, value) in own["request"].as_object().unwrap() {
        event["request"][name] = value.clone();
    }
    event.to_string()
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
