//! Trigger events that Cognito would not send, and the functions of the triggers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::clients::UserPoolAdmin;
use auth_core::create_auth_challenge::{Channels, create_auth_challenge};
use auth_core::custom_message::{Messages, custom_message};
use auth_core::define_auth_challenge::define_auth_challenge;
use auth_core::error::{Error, Kind};
use auth_core::limits::{Limits, OtpTable};
use auth_core::post_confirmation::post_confirmation;
use auth_core::pre_sign_up::pre_sign_up;
use auth_core::roles::{Roles, SignUpRules};
use auth_core::trigger::Event;
use auth_core::verify_auth_challenge_response::verify_auth_challenge_response;
use fake_aws::{FakeAws, Reply};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::MARK;
use crate::api::configured;
use crate::request::json;

/// The functions of all triggers in this process. AWS is a fake.
#[derive(Debug)]
pub struct Triggers {
    admin: UserPoolAdmin,
    rules: SignUpRules,
    roles: Roles,
    messages: Messages,
    limits: Limits,
    table: OtpTable,
    channels: Channels,
    runtime: Runtime,
}

impl Default for Triggers {
    fn default() -> Self {
        configured(&strict_table(), "Passwordless", |setup| {
            Ok(Self {
                admin: setup.user_pool_admin()?,
                rules: SignUpRules::from_env(setup.env)?,
                roles: Roles::from_env(setup.env)?,
                messages: Messages::from_env(setup.env)?,
                limits: Limits::new(setup)?,
                table: OtpTable::new(setup)?,
                channels: Channels::new(setup)?,
                runtime: tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build()
                    .unwrap(),
            })
        })
    }
}

/// A table in which every other user was sent a code 20 s ago, and every other condition does not hold.
fn strict_table() -> FakeAws {
    let (reads, writes) = (AtomicU32::new(0), AtomicU32::new(0));
    let is_second = |count: &AtomicU32| count.fetch_add(1, Ordering::Relaxed) % 2 == 1;
    FakeAws::new(move |call| match &*call.operation {
        "GetItem" if is_second(&reads) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let sent_at = (now - Duration::from_secs(20)).as_millis();
            let item = json!({ "sentAt": { "N": sent_at.to_string() } });
            Some(Reply::json(200, &json!({ "Item": item })))
        }
        "UpdateItem" if is_second(&writes) => {
            let error = "ConditionalCheckFailedException";
            Some(Reply::exception(call, 400, error, ""))
        }
        _ => None,
    })
}

impl Triggers {
    /// Generates events for this trigger.
    pub fn any(trigger: &str) -> impl Strategy<Value = Value> + use<> {
        let event = well_formed(trigger);
        let changes = vec((any::<Index>(), json(), any::<bool>()), 0..4);
        let changed = changes.prop_map(move |changes| {
            let mut event = event.clone();
            for (index, value, remove) in changes {
                change(&mut event, index, value, remove);
            }
            event
        });
        prop_oneof![9 => changed, 1 => json()]
    }

    /// Sends this event to the trigger's function, checks the answer, and returns `success` or the error's name.
    ///
    /// # Panics
    /// If the function changed more than the response, or an error repeats the event.
    pub fn check(&self, trigger: &str, event: &Value) -> String {
        // As `trigger::serve` reads it.
        let before = event.as_object().cloned().unwrap_or_default();
        let mut event = Event::new(before.clone());
        let outcome = self.runtime.block_on(async {
            match trigger {
                "pre-sign-up" => pre_sign_up(&mut event, &self.rules),
                "post-confirmation" => post_confirmation(&event, &self.admin, &self.roles).await,
                "custom-message" => custom_message(&mut event, &self.messages),
                "define-auth-challenge" => define_auth_challenge(&mut event),
                "create-auth-challenge" => {
                    create_auth_challenge(&mut event, &self.limits, &self.channels).await
                }
                "verify-auth-challenge-response" => {
                    verify_auth_challenge_response(&mut event, &self.table).await
                }
                other => panic!("no trigger {other}"),
            }
        });
        match outcome {
            Ok(()) => {
                assert_eq!(
                    without_response(event.into_json()),
                    without_response(before)
                );
                "success".to_owned()
            }
            Err(error) => {
                assert_error_repeats_nothing(&error);
                error.name.into_owned()
            }
        }
    }
}

fn without_response(mut event: Map<String, Value>) -> Map<String, Value> {
    event.remove("response");
    event
}

fn assert_error_repeats_nothing(error: &Error) {
    let known = matches!(
        error.kind,
        Kind::Internal
            | Kind::Invalid
            | Kind::Unauthenticated
            | Kind::Forbidden
            | Kind::Unavailable
            | Kind::Throttled
    );
    assert!(known, "{error:?}");
    let texts = [
        &*error.name,
        &*error.message,
        error.cause.as_deref().unwrap_or_default(),
    ];
    for text in texts {
        assert!(!text.to_lowercase().contains(MARK), "{error:?}");
    }
}

/// A valid event. The user's values contain the mark.
fn well_formed(trigger: &str) -> Value {
    let mut event = e2e::trigger_event(trigger).to_string();
    for (text, marked) in [("a-sub", "zebra-sub"), ("012345", "zebra-012345")] {
        event = event.replace(text, marked);
    }
    let mut event: Value = serde_json::from_str(&event).unwrap();
    event["request"]["clientMetadata"] = json!({ "username": "+34999999999" });
    event["request"]["userNotFound"] = json!(false);
    if trigger != "create-auth-challenge" {
        let round = json!({
            "challengeName": "CUSTOM_CHALLENGE",
            "challengeResult": false,
            "challengeMetadata": "zebra-012345",
        });
        event["request"]["session"] = json!([round]);
    }
    event
}

/// Replaces or removes one value of the event.
fn change(event: &mut Value, index: Index, value: Value, remove: bool) {
    let mut paths = Vec::new();
    add_pointers(event, &mut String::new(), &mut paths);
    let path = index.get(&paths);
    let (parent, key) = path.rsplit_once('/').unwrap();
    match event.pointer_mut(parent) {
        Some(Value::Object(fields)) if remove => drop(fields.remove(key)),
        _ => *event.pointer_mut(path).unwrap() = value,
    }
}

/// Adds the JSON pointers of all values in this one.
fn add_pointers(value: &Value, path: &mut String, paths: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(values) => (0..)
            .map(|index: usize| index.to_string())
            .zip(values)
            .collect(),
        _ => return,
    };
    for (key, child) in children {
        let length = path.len();
        path.push('/');
        path.push_str(&key.replace('~', "~0").replace('/', "~1"));
        paths.push(path.clone());
        add_pointers(child, path, paths);
        path.truncate(length);
    }
}
