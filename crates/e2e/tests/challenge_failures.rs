//! What becomes of the counts of a code that could not be sent: none that may have gone out goes uncounted, or a
//! failing SNS would send without a limit, and none that did not keeps the user from asking again.

use std::path::Path;
use std::time::Duration;

use e2e::{Authority, Aws, Fault, Function, Trouble, trigger_event};
use serde_json::Value;

/// Cognito waits this long for a trigger, then calls it again.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn a_message_that_was_not_sent_does_not_count_and_one_that_may_have_been_does() {
    let authority = Authority::new(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let refused = [
        Fault::Failure,
        Fault::OutOfService,
        Fault::Throttled,
        Fault::UnknownException,
        Fault::WrongName,
        Fault::UntrustedAuthority,
    ];
    let unanswered = [
        Fault::ResetUnread,
        Fault::ResetRead,
        Fault::ClosedRead,
        Fault::Silent,
        Fault::HeadersOnly,
        Fault::CutShort,
        Fault::Html,
        Fault::Empty,
        Fault::NotHttp,
        Fault::HandshakeStalls,
    ];
    let refused = refused.map(|fault| (fault, "0"));
    let unanswered = unanswered.map(|fault| (fault, "1"));
    for (fault, count) in refused.into_iter().chain(unanswered) {
        let aws = Aws::start(&authority);
        aws.fail(Trouble {
            fault,
            operation: Some("Publish"),
            after: 2,
            most: 1,
        });
        let trigger = "create-auth-challenge";
        let function = Function::configured(trigger).behind(&aws);
        let answer = function.answer(&trigger_event(trigger), PATIENCE);
        let answer = answer.expect("no answer");
        assert!(answer["errorType"].is_string(), "{fault:?}: {answer}");
        let writes = aws.requests("UpdateItem");
        let [counted, taken_back] = &writes[..] else {
            panic!("{fault:?}: not counted and then taken back: {writes:?}");
        };
        assert_eq!(left_by(counted), ("1".to_owned(), "1".to_owned(), true));
        let expected = (count.to_owned(), count.to_owned(), false);
        assert_eq!(left_by(taken_back), expected, "{fault:?}");
    }
}

/// The counts of the hour and the day that a write leaves behind, and whether it leaves a code to use again.
fn left_by(write: &str) -> (String, String, bool) {
    let write: Value = serde_json::from_str(write).unwrap();
    let values = &write["ExpressionAttributeValues"];
    let number = |name: &str| values[name]["N"].as_str().unwrap().to_owned();
    let keeps_code = values[":code"].is_object();
    (number(":hourSends"), number(":daySends"), keeps_code)
}
