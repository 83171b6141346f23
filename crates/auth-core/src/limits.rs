//! What a user may ask for across sessions: codes sent, and answers compared.
//!
//! Cognito locks out failed sign-ins with a password, but not those with a challenge of one's own, so the
//! counts are kept here: one DynamoDB item per user, under the user's `sub`, changed by conditional writes
//! only. It holds no phone number.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::challenge::Code;
use crate::clients::Setup;
use crate::config;
use crate::error::{Error, Result};
use crate::exceptions::from_dependency;
use crate::telemetry::{self, Metric};
use crate::trigger_error;

const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;

/// Cognito gives a trigger 5 s and calls a slow one again: within this time a second call is the same attempt. No
/// cool-down is shorter.
const SAME_ATTEMPT_SECONDS: u32 = 15;
const SAME_ATTEMPT: u64 = SAME_ATTEMPT_SECONDS as u64 * SECOND;

/// The longest that `AuthSessionMinutes` can be, and the sign-ins that share its code.
const SESSION: u64 = 15 * 60 * SECOND + SAME_ATTEMPT;

/// How often a send is decided anew where another one came in between.
const ROUNDS: usize = 2;

/// The counts of all users.
#[derive(Debug)]
pub struct Limits {
    dynamodb: Client,
    table: String,
    rules: Rules,
}

/// How much is allowed. Times are in milliseconds, as everywhere in this module.
#[derive(Clone, Copy, Debug)]
struct Rules {
    cooldown: u64,
    sends_per_hour: u32,
    sends_per_day: u32,
    wrong_answers_per_hour: u32,
}

/// What [`Limits::reserve_send`] allows.
#[derive(Debug)]
pub enum Reserved {
    /// Send this code. [`Limits::withdraw`] takes it back if it can't be sent.
    New(Reservation),
    /// This code has been sent already: this is the same attempt.
    Already(Code),
}

/// A send that is counted already, with the counts and with what it replaced.
#[derive(Debug)]
pub struct Reservation {
    /// The code to send.
    pub code: Code,
    user: String,
    sent_at: u64,
    hour: Window,
    day: Window,
    before: Sends,
}

/// Why a message could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFailure {
    /// SNS rejected it, or was never asked.
    Rejected,
    /// No response came: it may be on its way, and be charged for.
    NoResponse,
}

/// What is stored about the codes that were sent to a user.
#[derive(Clone, Debug, Default)]
struct Sends {
    last: Option<(u64, Code)>,
    /// The codes that were answered rightly, as far back as a session with them can live.
    spent: Vec<Code>,
    hour: Window,
    day: Window,
    wrong_answers: Window,
}

impl Sends {
    /// A code that is not spent, as it would be refused.
    fn new_code(&self) -> Result<Code> {
        loop {
            let code = Code::random()?;
            if !self.is_spent(&code) {
                return Ok(code);
            }
        }
    }

    fn is_spent(&self, code: &Code) -> bool {
        self.spent.iter().any(|spent| spent.matches(code.expose()))
    }
}

/// A count that starts over when its time is up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Window {
    start: u64,
    count: u32,
}

impl Window {
    /// The milliseconds until there is room, where there is none now.
    fn wait(self, now: u64, length: u64, most: u32) -> Option<u64> {
        let end = self.start + length;
        (self.count >= most && now < end).then(|| end - now)
    }

    fn add(self, now: u64, length: u64) -> Self {
        if now < self.start + length {
            Self {
                count: self.count + 1,
                ..self
            }
        } else {
            Self {
                start: now,
                count: 1,
            }
        }
    }
}

/// What [`decide`] found.
#[derive(Debug)]
enum Decision {
    Send { hour: Window, day: Window },
    Again(Code),
    Wait(u64),
}

fn decide(rules: Rules, sends: &Sends, now: u64) -> Decision {
    if let Some((sent_at, code)) = &sends.last {
        let age = now.saturating_sub(*sent_at);
        if age < SAME_ATTEMPT && !sends.is_spent(code) {
            return Decision::Again(code.clone());
        }
        if age < rules.cooldown {
            return Decision::Wait(rules.cooldown - age);
        }
    }
    let waits = [
        sends.hour.wait(now, HOUR, rules.sends_per_hour),
        sends.day.wait(now, DAY, rules.sends_per_day),
        // Where no answer would be right, no code is worth sending.
        sends
            .wrong_answers
            .wait(now, HOUR, rules.wrong_answers_per_hour),
    ];
    match waits.into_iter().flatten().max() {
        Some(wait) => Decision::Wait(wait),
        None => Decision::Send {
            hour: sends.hour.add(now, HOUR),
            day: sends.day.add(now, DAY),
        },
    }
}

impl Limits {
    /// Reads `OTP_TABLE_NAME`, `OTP_COOLDOWN_SECONDS`, `OTP_MAX_SENDS_PER_HOUR`, `OTP_MAX_SENDS_PER_DAY` and
    /// `OTP_MAX_WRONG_ANSWERS_PER_HOUR`.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn new(setup: &Setup<'_>) -> config::Result<Self> {
        let env = setup.env;
        Ok(Self {
            dynamodb: setup.dynamodb()?,
            table: env.required("OTP_TABLE_NAME")?,
            rules: Rules {
                cooldown: SECOND
                    * u64::from(env.number("OTP_COOLDOWN_SECONDS", SAME_ATTEMPT_SECONDS)?),
                // None at all would lock everyone out.
                sends_per_hour: env.number("OTP_MAX_SENDS_PER_HOUR", 1)?,
                sends_per_day: env.number("OTP_MAX_SENDS_PER_DAY", 1)?,
                wrong_answers_per_hour: env.number("OTP_MAX_WRONG_ANSWERS_PER_HOUR", 1)?,
            },
        })
    }

    /// Counts a code for the user before it is sent, if one may be sent now.
    ///
    /// # Errors
    /// `TooManyRequestsException` with the time to wait; unavailable where DynamoDB does not answer.
    pub async fn reserve_send(&self, user: &str) -> Result<Reserved> {
        for _ in 0..ROUNDS {
            let now = now();
            let before = self.read(user).await?;
            let (hour, day) = match decide(self.rules, &before, now) {
                Decision::Send { hour, day } => (hour, day),
                Decision::Again(code) => return Ok(Reserved::Already(code)),
                Decision::Wait(wait) => {
                    telemetry::count(Metric::CodesRefused);
                    return Err(trigger_error::too_many_codes(wait));
                }
            };
            // Later than the one before it in any case, as it tells versions of the item apart.
            let sent_at = before
                .last
                .as_ref()
                .map_or(now, |(last, _)| now.max(last + 1));
            // No session is left that was opened before the last send.
            let prune = before
                .last
                .as_ref()
                .is_none_or(|(last, _)| last + SESSION < now);
            let code = before.new_code()?;
            let after = Sends {
                last: Some((sent_at, code.clone())),
                hour,
                day,
                ..before.clone()
            };
            if self
                .write(
                    user,
                    before.last.as_ref().map(|(last, _)| *last),
                    &after,
                    prune,
                )
                .await?
            {
                return Ok(Reserved::New(Reservation {
                    code,
                    user: user.to_owned(),
                    sent_at,
                    hour,
                    day,
                    before,
                }));
            }
        }
        Err(Error::unavailable(
            "other sign-ins of the same user kept changing the counts",
        ))
    }

    /// Takes back a send that failed, so that the user can ask again at once. It does not count either, but
    /// where the message may have gone out: else a slow SNS would send without a limit.
    ///
    /// # Errors
    /// Unavailable where DynamoDB does not answer.
    pub async fn withdraw(&self, reservation: Reservation, failure: SendFailure) -> Result<()> {
        let Reservation {
            user,
            sent_at,
            hour,
            day,
            before,
            ..
        } = reservation;
        let sends = match failure {
            SendFailure::Rejected => before,
            SendFailure::NoResponse => Sends {
                hour,
                day,
                ..before
            },
        };
        self.write(&user, Some(sent_at), &sends, false)
            .await
            .map(drop)
    }

    /// Counts an answer before it is compared, as if it were wrong; `false` where none may be compared now.
    ///
    /// # Errors
    /// Unavailable where DynamoDB does not answer.
    pub async fn reserve_answer(&self, user: &str) -> Result<bool> {
        let now = now();
        let most = self.rules.wrong_answers_per_hour;
        let oldest = number(now.saturating_sub(HOUR));
        let in_window = || {
            self.update(user)
                .update_expression("SET wrongCount = wrongCount + :one")
                .condition_expression("wrongStart > :oldest AND wrongCount < :most")
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":most", number(most))
                .expression_attribute_values(":oldest", oldest.clone())
        };
        let new_window = self
            .update(user)
            .update_expression("SET wrongStart = :now, wrongCount = :one, expiresAt = :expires")
            .condition_expression("attribute_not_exists(wrongStart) OR wrongStart <= :oldest")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":oldest", oldest.clone())
            .expression_attribute_values(":expires", number(expiry(now)));
        Ok(applied(in_window().send().await)?
            || applied(new_window.send().await)?
            // Another answer may have opened the window in between.
            || applied(in_window().send().await)?)
    }

    /// Takes back the count of an answer that was right and spends its code; `false` where it is spent, as
    /// sign-ins within one attempt share a code.
    ///
    /// # Errors
    /// Unavailable where DynamoDB does not answer.
    pub async fn spend(&self, user: &str, code: &Code) -> Result<bool> {
        let update = self
            .update(user)
            .update_expression("SET wrongCount = wrongCount - :one ADD spentCodes :codes")
            .condition_expression("NOT contains(spentCodes, :code)")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":code", text(code.expose()))
            .expression_attribute_values(
                ":codes",
                AttributeValue::Ss(vec![code.expose().to_owned()]),
            );
        applied(update.send().await)
    }

    async fn read(&self, user: &str) -> Result<Sends> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .key("sub", text(user))
            .consistent_read(true)
            .send()
            .await
            .map_err(from_dependency)?;
        let item = answer.item.unwrap_or_default();
        let get = |name: &str| item.get(name)?.as_n().ok()?.parse::<u64>().ok();
        let window = |start: &str, count: &str| Window {
            start: get(start).unwrap_or_default(),
            count: get(count)
                .unwrap_or_default()
                .try_into()
                .unwrap_or(u32::MAX),
        };
        let code = |name: &str| Some(Code::new(item.get(name)?.as_s().ok()?));
        let spent = item.get("spentCodes").and_then(|codes| codes.as_ss().ok());
        Ok(Sends {
            last: get("sentAt").zip(code("lastCode")),
            spent: spent.into_iter().flatten().map(Code::new).collect(),
            hour: window("hourStart", "hourSends"),
            day: window("dayStart", "daySends"),
            wrong_answers: window("wrongStart", "wrongCount"),
        })
    }

    /// Writes what was sent, if the last send is still the one of `version`; tells whether it was. `prune`
    /// forgets the spent codes.
    async fn write(
        &self,
        user: &str,
        version: Option<u64>,
        sends: &Sends,
        prune: bool,
    ) -> Result<bool> {
        let mut update = self
            .update(user)
            .expression_attribute_values(":hourStart", number(sends.hour.start))
            .expression_attribute_values(":hourSends", number(sends.hour.count))
            .expression_attribute_values(":dayStart", number(sends.day.start))
            .expression_attribute_values(":daySends", number(sends.day.count))
            .expression_attribute_values(":expires", number(expiry(now())));
        const WINDOWS: &str = "SET hourStart = :hourStart, hourSends = :hourSends, dayStart = :dayStart, \
                               daySends = :daySends, expiresAt = :expires";
        update = match &sends.last {
            Some((sent_at, code)) => update
                .update_expression(format!(
                    "{WINDOWS}, sentAt = :sentAt, lastCode = :code{}",
                    if prune { " REMOVE spentCodes" } else { "" }
                ))
                .expression_attribute_values(":sentAt", number(*sent_at))
                .expression_attribute_values(":code", text(code.expose())),
            None => update.update_expression(format!("{WINDOWS} REMOVE sentAt, lastCode")),
        };
        update = match version {
            Some(version) => update
                .condition_expression("sentAt = :version")
                .expression_attribute_values(":version", number(version)),
            None => update.condition_expression("attribute_not_exists(sentAt)"),
        };
        applied(update.send().await)
    }

    fn update(&self, user: &str) -> UpdateItemFluentBuilder {
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .key("sub", text(user))
    }
}

/// Whether a conditional write was made.
fn applied<T>(outcome: std::result::Result<T, SdkError<UpdateItemError>>) -> Result<bool> {
    match outcome {
        Ok(_) => Ok(true),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
        {
            Ok(false)
        }
        Err(error) => Err(from_dependency(error)),
    }
}

fn now() -> u64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    elapsed.as_millis().try_into().unwrap_or(u64::MAX)
}

/// When DynamoDB may drop the item, in seconds: every window has ended by then.
fn expiry(now: u64) -> u64 {
    (now + DAY) / SECOND + 1
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[cfg(test)]
mod tests {
    use fake_aws::{Call, FakeAws, Reply};
    use serde_json::json;

    use super::*;
    use crate::error::Kind;
    use crate::testing::{metrics, with_setup};

    const RULES: Rules = Rules {
        cooldown: 30 * SECOND,
        sends_per_hour: 5,
        sends_per_day: 20,
        wrong_answers_per_hour: 10,
    };

    const NOW: u64 = 1_800_000_000_000;

    fn ago(age: u64, count: u32) -> Window {
        Window {
            start: NOW - age,
            count,
        }
    }

    fn sent(age: u64) -> Option<(u64, Code)> {
        Some((NOW - age, Code::new("012345")))
    }

    #[test]
    fn whether_a_code_is_sent_depends_on_the_codes_and_wrong_answers_before() {
        let none = Window::default();
        for (why, last, hour, day, wrong_answers, expected) in [
            ("the first code", None, none, none, none, "send"),
            (
                "the same attempt",
                sent(0),
                ago(0, 1),
                ago(0, 1),
                none,
                "again",
            ),
            (
                "the same attempt, late",
                sent(15 * SECOND - 1),
                ago(HOUR, 1),
                ago(HOUR, 1),
                none,
                "again",
            ),
            (
                "too early",
                sent(15 * SECOND),
                ago(0, 1),
                ago(0, 1),
                none,
                "wait 15000",
            ),
            (
                "almost in time",
                sent(30 * SECOND - 1),
                ago(0, 1),
                ago(0, 1),
                none,
                "wait 1",
            ),
            (
                "in time",
                sent(30 * SECOND),
                ago(30 * SECOND, 1),
                ago(30 * SECOND, 1),
                none,
                "send",
            ),
            (
                "the last of the hour",
                sent(60 * SECOND),
                ago(120 * SECOND, 4),
                ago(0, 4),
                none,
                "send",
            ),
            (
                "one more than the hour has",
                sent(60 * SECOND),
                ago(HOUR - 1000, 5),
                ago(0, 5),
                none,
                "wait 1000",
            ),
            (
                "the hour has ended",
                sent(60 * SECOND),
                ago(HOUR, 5),
                ago(HOUR, 5),
                none,
                "send",
            ),
            (
                "one more than the day has",
                sent(HOUR),
                ago(HOUR, 5),
                ago(DAY - 5000, 20),
                none,
                "wait 5000",
            ),
            (
                "the day has ended",
                sent(HOUR),
                ago(HOUR, 5),
                ago(DAY, 20),
                none,
                "send",
            ),
            (
                "both have to end",
                sent(HOUR),
                ago(HOUR - 1, 5),
                ago(DAY - 2, 20),
                none,
                "wait 2",
            ),
            (
                "locked by wrong answers",
                sent(HOUR),
                none,
                none,
                ago(HOUR - 3000, 10),
                "wait 3000",
            ),
            (
                "no longer locked",
                sent(HOUR),
                none,
                none,
                ago(HOUR, 10),
                "send",
            ),
            (
                "sent by a clock ahead of ours",
                Some((NOW + 5000, Code::new("1"))),
                none,
                none,
                none,
                "again",
            ),
        ] {
            let sends = Sends {
                last,
                spent: Vec::new(),
                hour,
                day,
                wrong_answers,
            };
            let decision = match decide(RULES, &sends, NOW) {
                Decision::Send { .. } => "send".to_owned(),
                Decision::Again(_) => "again".to_owned(),
                Decision::Wait(wait) => format!("wait {wait}"),
            };
            assert_eq!(decision, expected, "{why}");
        }
    }

    #[test]
    fn a_window_counts_up_and_starts_over_when_it_has_ended() {
        assert_eq!(Window::default().add(NOW, HOUR), ago(0, 1));
        assert_eq!(ago(HOUR - 1, 3).add(NOW, HOUR), ago(HOUR - 1, 4));
        assert_eq!(ago(HOUR, 3).add(NOW, HOUR), ago(0, 1));
    }

    #[test]
    fn a_spent_code_is_not_handed_out_again() {
        let sends = |age| Sends {
            last: sent(age),
            spent: vec![Code::new("246810"), Code::new("012345")],
            ..Sends::default()
        };
        assert!(matches!(
            decide(RULES, &sends(0), NOW),
            Decision::Wait(wait) if wait == 30 * SECOND
        ));
        assert!(matches!(
            decide(RULES, &sends(30 * SECOND), NOW),
            Decision::Send { .. }
        ));
    }

    #[test]
    fn limits_that_would_let_nobody_in_or_cut_an_attempt_short_fail_at_start() {
        for (name, value, expected) in [
            ("OTP_COOLDOWN_SECONDS", "14", "15"),
            ("OTP_MAX_SENDS_PER_HOUR", "0", "1"),
            ("OTP_MAX_SENDS_PER_DAY", "0", "1"),
            ("OTP_MAX_WRONG_ANSWERS_PER_HOUR", "0", "1"),
        ] {
            let http_client = FakeAws::default().http_client();
            let error = with_setup(http_client, &[(name, value)], Limits::new).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "The environment variable {name} has a bad value: expected a whole number of at least {expected}."
                )
            );
        }
    }

    fn limits(aws: &FakeAws) -> Limits {
        with_setup(aws.http_client(), &[], Limits::new).unwrap()
    }

    fn conditional_check_failed(call: &Call) -> Reply {
        Reply::exception(
            call,
            400,
            "ConditionalCheckFailedException",
            "The conditional request failed",
        )
    }

    /// The item of a user who was sent the code 246810 this long ago.
    fn item(age: u64) -> Reply {
        let sent_at = (now() - age).to_string();
        let item = json!({ "sub": { "S": "user" }, "sentAt": { "N": sent_at }, "lastCode": { "S": "246810" } });
        Reply::json(200, &json!({ "Item": item }))
    }

    #[tokio::test]
    async fn a_send_that_another_one_overtook_is_the_same_attempt() {
        let reads = FakeAws::in_turn("GetItem", [Reply::text(200, "{}"), item(0)]);
        let aws = FakeAws::new(move |call| match &*call.operation {
            "GetItem" => reads.reply(call),
            _ => Some(conditional_check_failed(call)),
        });
        match limits(&aws).reserve_send("user").await.unwrap() {
            Reserved::Already(code) => assert_eq!(code.expose(), "246810"),
            Reserved::New(_) => panic!("sent twice"),
        }
        assert_eq!(aws.calls().len(), 3);
    }

    #[tokio::test]
    async fn a_send_that_the_limits_forbid_is_counted_and_writes_nothing() {
        let aws = FakeAws::with("GetItem", item(20 * SECOND));
        let (metrics, _guard) = metrics();
        let error = limits(&aws).reserve_send("user").await.unwrap_err();
        assert_eq!(&*error.name, "TooManyRequestsException");
        assert_eq!(metrics.take(), [("CodesRefused".to_owned(), 1)]);
        assert_eq!(aws.calls().len(), 1);
    }

    #[tokio::test]
    async fn a_rejected_sms_is_taken_back_and_a_lost_one_counts() {
        let before = Sends {
            last: sent(HOUR),
            hour: ago(60 * SECOND, 1),
            day: ago(HOUR, 2),
            ..Sends::default()
        };
        for (failure, hour, day) in [
            (SendFailure::Rejected, "1", "2"),
            (SendFailure::NoResponse, "2", "3"),
        ] {
            let reservation = Reservation {
                code: Code::new("246810"),
                user: "user".to_owned(),
                sent_at: NOW,
                hour: ago(60 * SECOND, 2),
                day: ago(HOUR, 3),
                before: before.clone(),
            };
            let aws = FakeAws::default();
            limits(&aws).withdraw(reservation, failure).await.unwrap();
            let [update] = &aws.bodies("UpdateItem")[..] else {
                panic!("{failure:?}");
            };
            let number = |name: &str| update["ExpressionAttributeValues"][name]["N"].clone();
            assert_eq!(number(":hourSends"), hour, "{failure:?}");
            assert_eq!(number(":daySends"), day, "{failure:?}");
            assert_eq!(number(":sentAt"), (NOW - HOUR).to_string(), "{failure:?}");
            assert_eq!(number(":version"), NOW.to_string(), "{failure:?}");
        }
    }

    #[tokio::test]
    async fn a_table_that_fails_is_never_the_callers_fault() {
        for (code, kind) in [
            ("InternalServerError", Kind::Unavailable),
            ("ThrottlingException", Kind::Unavailable),
            ("ProvisionedThroughputExceededException", Kind::Unavailable),
            ("ResourceNotFoundException", Kind::Internal),
            ("AccessDeniedException", Kind::Internal),
        ] {
            let aws = FakeAws::new(move |call| Some(Reply::exception(call, 400, code, "no")));
            let limits = limits(&aws);
            let error = limits.reserve_send("user").await.unwrap_err();
            assert_eq!(error.kind, kind, "{code}");
            let error = limits.reserve_answer("user").await.unwrap_err();
            assert_eq!(error.kind, kind, "{code}");
        }
    }

    #[tokio::test]
    async fn no_answer_is_compared_if_none_is_allowed() {
        let aws = FakeAws::new(|call| Some(conditional_check_failed(call)));
        assert!(!limits(&aws).reserve_answer("user").await.unwrap());
        assert_eq!(aws.calls().len(), 3);
    }
}
