//! The limits of a user across sessions: codes, and answers to them.
//!
//! Cognito locks out failed sign-ins with a password, but not those with a custom challenge, so the counts are kept
//! here: one DynamoDB item per user, under the user's `sub`, changed by conditional writes only. It holds no phone
//! number.
//!
//! The generic cell rate algorithm (GCRA) limits codes: some at once, then one in each interval. So a stranger who
//! requests many codes delays the user by one interval at most.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use crate::challenge::{ANSWERS_PER_CODE, Code};
use crate::clients::{self, Setup};
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

/// How often a send is decided again if another one came in between.
const ROUNDS: usize = 2;

/// The counts of all users.
#[derive(Debug)]
pub struct OtpTable {
    dynamodb: Client,
    name: String,
}

/// The limits of codes.
#[derive(Debug)]
pub struct Limits {
    table: OtpTable,
    rules: Rules,
}

/// How much is allowed. Times are in milliseconds, as everywhere in this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rules {
    /// Between two codes.
    cooldown: u64,
    /// Codes that may be sent at once.
    burst: u64,
    /// Then one code in each.
    interval: u64,
}

impl Rules {
    /// No hour has more than `per_hour` codes, and no 24 hours more than `per_day`, whenever they begin: in a time
    /// `t` there are at most `burst + t.div_ceil(interval) - 1`. A burst is at most half a day's codes, so that all of
    /// them are allowed again a day after the last one, when the item expires.
    fn new(cooldown_seconds: u32, per_hour: u32, per_day: u32) -> Self {
        let per_day = u64::from(per_day);
        let burst = u64::from(per_hour).min(per_day.div_ceil(2));
        Self {
            cooldown: SECOND * u64::from(cooldown_seconds),
            burst,
            interval: HOUR.max(DAY.div_ceil(per_day - burst + 1)),
        }
    }
}

/// What [`Limits::reserve_send`] allows.
#[derive(Debug)]
pub enum Reserved {
    /// Send this code. [`Limits::withdraw`] takes it back if it can't be sent.
    New(Reservation),
    /// This code has been sent already: this is the same attempt.
    Already(Code),
}

/// A send that is counted already, and what it replaced.
#[derive(Debug)]
pub struct Reservation {
    /// The code to send.
    pub code: Code,
    user: String,
    sent_at: u64,
    full_at: u64,
    before: Sends,
}

/// Why a message could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFailure {
    /// SNS or SES rejected it, or it was never sent.
    Rejected,
    /// No response came: it may be on its way, and be charged for.
    NoResponse,
}

impl SendFailure {
    /// The error of a send, and which of the two failures it is. `rejection` is the error if the service rejects this
    /// contact. A cause can name the contact: the log gets `shown` in its place.
    pub fn explain<E>(
        error: SdkError<E>,
        rejection: Option<Error>,
        contact: &str,
        shown: &str,
    ) -> (Error, Self)
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        // A success that can't be read is no rejection: the message may have been sent.
        let rejected =
            matches!(&error, SdkError::ServiceError(error) if !error.raw().status().is_success());
        let failure = match rejected || clients::was_not_sent(&error) {
            true => Self::Rejected,
            false => Self::NoResponse,
        };
        let error = rejection.unwrap_or_else(|| from_dependency(error));
        let cause = error.cause.map(|cause| cause.replace(contact, shown));
        (Error { cause, ..error }, failure)
    }
}

/// The outcome of counting an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The code is spent.
    Right,
    /// The code may be answered again.
    Wrong,
    /// It was the last wrong answer, or the code had none left.
    Over,
}

/// The stored item of a user's codes.
#[derive(Clone, Debug)]
struct Sends {
    /// When the last code was sent; zero before the first one.
    last_sent_at: u64,
    last: Code,
    /// GCRA's theoretical arrival time: when all codes of a burst are allowed again.
    full_at: u64,
    /// The answers that are left to each code. A code that was answered rightly is not in it.
    answers_left: Option<Vec<(Code, u64)>>,
}

impl Sends {
    /// A code that no session of this user has.
    fn new_code(&self) -> Result<Code> {
        loop {
            let code = Code::random()?;
            if self.answers_to(&code).is_none() {
                return Ok(code);
            }
        }
    }

    fn answers_to(&self, code: &Code) -> Option<u64> {
        let mut codes = self.answers_left.iter().flatten();
        let known = codes.find(|(known, _)| code.matches(known.expose()));
        known.map(|(_, left)| *left)
    }
}

/// What [`decide`] found.
#[derive(Debug)]
enum Decision {
    Send { full_at: u64 },
    Again(Code),
    Wait(u64),
}

fn decide(rules: Rules, sends: &Sends, now: u64) -> Decision {
    let age = now.saturating_sub(sends.last_sent_at);
    if age < SAME_ATTEMPT && sends.answers_to(&sends.last) > Some(0) {
        return Decision::Again(sends.last.clone());
    }
    let cooldown = rules.cooldown.saturating_sub(age);
    let tolerance = (rules.burst - 1) * rules.interval;
    let allowance = sends.full_at.saturating_sub(tolerance + now);
    match cooldown.max(allowance) {
        0 => Decision::Send {
            full_at: sends.full_at.max(now) + rules.interval,
        },
        wait => Decision::Wait(wait),
    }
}

impl Limits {
    /// Reads `OTP_TABLE_NAME`, `OTP_COOLDOWN_SECONDS`, `OTP_MAX_SENDS_PER_HOUR` and `OTP_MAX_SENDS_PER_DAY`.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn new(setup: &Setup<'_>) -> config::Result<Self> {
        let env = setup.env;
        Ok(Self {
            table: OtpTable::new(setup)?,
            rules: Rules::new(
                env.number("OTP_COOLDOWN_SECONDS", SAME_ATTEMPT_SECONDS)?,
                // None at all would lock everyone out.
                env.number("OTP_MAX_SENDS_PER_HOUR", 1)?,
                env.number("OTP_MAX_SENDS_PER_DAY", 1)?,
            ),
        })
    }

    /// Counts a code for the user before it is sent, if one may be sent now.
    ///
    /// # Errors
    /// `TooManyRequestsException` with the time to wait; unavailable if DynamoDB does not answer.
    pub async fn reserve_send(&self, user: &str) -> Result<Reserved> {
        for _ in 0..ROUNDS {
            let now = now();
            let before = self.table.read(user).await?;
            let full_at = match decide(self.rules, &before, now) {
                Decision::Send { full_at } => full_at,
                Decision::Again(code) => return Ok(Reserved::Already(code)),
                Decision::Wait(wait) => {
                    telemetry::count(Metric::CodesRefused);
                    return Err(trigger_error::too_many_codes(wait));
                }
            };
            // Always later than the last one, because it identifies the version of the item.
            let sent_at = now.max(before.last_sent_at + 1);
            let code = before.new_code()?;
            let update = self
                .table
                .send(user, before.last_sent_at, sent_at, &code, full_at);
            let answers = number(ANSWERS_PER_CODE);
            // A session may still have a code that was sent before.
            let keeps_codes = before.last_sent_at + SESSION >= now && before.answers_left.is_some();
            let update = match keeps_codes {
                true => update
                    .update_expression(format!("{SEND}, answersLeft.#code = :answers"))
                    .expression_attribute_names("#code", code.expose())
                    .expression_attribute_values(":answers", answers),
                false => update
                    .update_expression(format!("{SEND}, answersLeft = :answers"))
                    .expression_attribute_values(
                        ":answers",
                        AttributeValue::M([(code.expose().to_owned(), answers)].into()),
                    ),
            };
            if applied(update.send().await)?.is_some() {
                return Ok(Reserved::New(Reservation {
                    code,
                    user: user.to_owned(),
                    sent_at,
                    full_at,
                    before,
                }));
            }
        }
        Err(Error::unavailable(
            "other sign-ins of the same user kept changing the counts",
        ))
    }

    /// Takes back a send that failed, so that the user can ask again at once. It is still counted if the message may
    /// have been sent: otherwise a slow SNS would send without a limit.
    ///
    /// # Errors
    /// Unavailable if DynamoDB does not answer.
    pub async fn withdraw(&self, reservation: Reservation, failure: SendFailure) -> Result<()> {
        let Reservation {
            code,
            user,
            sent_at,
            full_at: counted,
            before,
        } = reservation;
        let full_at = match failure {
            SendFailure::Rejected => before.full_at,
            SendFailure::NoResponse => counted,
        };
        let update = self
            .table
            .send(&user, sent_at, before.last_sent_at, &before.last, full_at)
            .update_expression(format!("{SEND} REMOVE answersLeft.#code"))
            .expression_attribute_names("#code", code.expose());
        applied(update.send().await).map(drop)
    }
}

impl OtpTable {
    /// Reads `OTP_TABLE_NAME`.
    ///
    /// # Errors
    /// Names the variable if it is missing.
    pub fn new(setup: &Setup<'_>) -> config::Result<Self> {
        Ok(Self {
            dynamodb: setup.dynamodb()?,
            name: setup.env.required("OTP_TABLE_NAME")?,
        })
    }

    /// Counts an answer to a code by one write, which succeeds only while the code has answers left: a right answer
    /// takes the code, a wrong one takes an answer. Parallel writes have an order too: after the third wrong answer,
    /// every answer is rejected.
    ///
    /// # Errors
    /// Unavailable if DynamoDB does not answer.
    pub async fn count_answer(&self, user: &str, code: &Code, is_right: bool) -> Result<Answer> {
        let update = self
            .update(user)
            .condition_expression("answersLeft.#code > :none")
            .expression_attribute_names("#code", code.expose())
            .expression_attribute_values(":none", number(0));
        if is_right {
            let update = update.update_expression("REMOVE answersLeft.#code");
            let spent = applied(update.send().await)?.is_some();
            return Ok(if spent { Answer::Right } else { Answer::Over });
        }
        let update = update
            .update_expression("SET answersLeft.#code = answersLeft.#code - :one")
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew);
        let updated = applied(update.send().await)?;
        let codes = updated.and_then(|updated| answers_left(&updated.attributes?));
        Ok(match codes.as_deref() {
            Some([(_, 1..)]) => Answer::Wrong,
            _ => Answer::Over,
        })
    }

    async fn read(&self, user: &str) -> Result<Sends> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&self.name)
            .key("sub", text(user))
            .consistent_read(true)
            .send()
            .await
            .map_err(from_dependency)?;
        let item = answer.item.unwrap_or_default();
        let time = |name: &str| as_number(item.get(name)?);
        let last = item.get("lastCode").and_then(|code| code.as_s().ok());
        Ok(Sends {
            last_sent_at: time("sentAt").unwrap_or_default(),
            last: Code::new(last.cloned().unwrap_or_default()),
            full_at: time("fullAt").unwrap_or_default(),
            answers_left: answers_left(&item),
        })
    }

    /// Writes [`SEND`] if the last send is still that of `version`.
    fn send(
        &self,
        user: &str,
        version: u64,
        sent_at: u64,
        code: &Code,
        full_at: u64,
    ) -> UpdateItemFluentBuilder {
        self.update(user)
            .condition_expression("attribute_not_exists(sentAt) OR sentAt = :version")
            .expression_attribute_values(":version", number(version))
            .expression_attribute_values(":sentAt", number(sent_at))
            .expression_attribute_values(":lastCode", text(code.expose()))
            .expression_attribute_values(":fullAt", number(full_at))
            .expression_attribute_values(":expires", number(expiry(now())))
    }

    fn update(&self, user: &str) -> UpdateItemFluentBuilder {
        self.dynamodb
            .update_item()
            .table_name(&self.name)
            .key("sub", text(user))
    }
}

const SEND: &str =
    "SET sentAt = :sentAt, lastCode = :lastCode, fullAt = :fullAt, expiresAt = :expires";

/// The result of a conditional write; `None` if its condition did not hold.
fn applied<T>(outcome: std::result::Result<T, SdkError<UpdateItemError>>) -> Result<Option<T>> {
    match outcome {
        Ok(output) => Ok(Some(output)),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
        {
            Ok(None)
        }
        Err(error) => Err(from_dependency(error)),
    }
}

fn answers_left(item: &HashMap<String, AttributeValue>) -> Option<Vec<(Code, u64)>> {
    let codes = item.get("answersLeft")?.as_m().ok()?.iter();
    let codes = codes.map(|(code, left)| Some((Code::new(code), as_number(left)?)));
    codes.collect()
}

fn now() -> u64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    elapsed.as_millis().try_into().unwrap_or(u64::MAX)
}

/// When DynamoDB may drop the item, in seconds: by then all codes are allowed again.
fn expiry(now: u64) -> u64 {
    (now + DAY) / SECOND + 1
}

fn as_number(value: &AttributeValue) -> Option<u64> {
    value.as_n().ok()?.parse().ok()
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, Reply};
    use serde_json::json;

    use super::*;
    use crate::error::Kind;
    use crate::testing::{metrics, with_setup};

    const NOW: u64 = 1_800_000_000_000;

    fn sent(age: u64, full_in: u64, answers_left: u64) -> Sends {
        Sends {
            last_sent_at: NOW - age,
            last: Code::new("012345"),
            full_at: NOW + full_in,
            answers_left: Some(vec![(Code::new("012345"), answers_left)]),
        }
    }

    fn none_sent() -> Sends {
        Sends {
            last_sent_at: 0,
            last: Code::new(""),
            full_at: 0,
            answers_left: None,
        }
    }

    #[test]
    fn a_code_needs_the_cool_down_and_the_allowance() {
        let rules = Rules::new(30, 5, 20);
        const INTERVAL: u64 = DAY / 16;
        const FULL: u64 = 4 * INTERVAL;
        assert_eq!(rules.interval, INTERVAL);
        let ahead = Sends {
            last_sent_at: NOW + 5000,
            ..sent(0, 0, 3)
        };
        let early_and_full = sent(15 * SECOND, FULL + 20_000, 3);
        let spent = Sends {
            answers_left: Some(Vec::new()),
            ..sent(0, 0, 3)
        };
        for (why, sends, expected) in [
            ("the first code", none_sent(), "send"),
            ("the same attempt", sent(0, FULL, 3), "again"),
            ("the same, late", sent(14_999, FULL + 1, 1), "again"),
            ("answered three times", sent(0, 0, 0), "wait 30000"),
            ("answered rightly", spent, "wait 30000"),
            ("a clock ahead of ours", ahead, "again"),
            ("too early", sent(15 * SECOND, 0, 3), "wait 15000"),
            ("almost in time", sent(29_999, 0, 3), "wait 1"),
            ("in time", sent(30 * SECOND, 0, 3), "send"),
            ("the last of a burst", sent(HOUR, FULL, 3), "send"),
            ("one more than a burst", sent(HOUR, FULL + 1, 3), "wait 1"),
            ("too early and too many", early_and_full, "wait 20000"),
        ] {
            let found = match decide(rules, &sends, NOW) {
                Decision::Send { .. } => "send".to_owned(),
                Decision::Again(_) => "again".to_owned(),
                Decision::Wait(wait) => format!("wait {wait}"),
            };
            assert_eq!(found, expected, "{why}");
        }
    }

    #[test]
    fn no_hour_and_no_day_has_more_codes_than_allowed() {
        for (per_hour, per_day) in [(1, 1), (1, 2), (2, 3), (5, 20), (10, 10), (10, 40), (1, 40)] {
            let rules = Rules::new(15, per_hour, per_day);
            // Requests a code every 15 s, and once in the seconds after the end of the hour and the day.
            let mut sends = none_sent();
            let mut times: Vec<u64> = Vec::new();
            let mut longest_wait = 0;
            let mut now = NOW;
            while now < NOW + 3 * DAY {
                match decide(rules, &sends, now) {
                    Decision::Send { full_at } => {
                        sends = Sends {
                            last_sent_at: now,
                            full_at,
                            ..sends
                        };
                        times.push(now);
                    }
                    Decision::Wait(wait) => longest_wait = longest_wait.max(wait),
                    Decision::Again(_) => panic!("sent twice"),
                }
                now += 15 * SECOND;
            }
            for (length, most) in [(HOUR, per_hour), (DAY, per_day)] {
                let sent_from = |start: &u64| {
                    let within = |time: &&u64| (*start..start + length).contains(*time);
                    times.iter().filter(within).count()
                };
                let found = times.iter().map(sent_from).max().unwrap();
                assert!(found <= most as usize, "{found} in {length}, not {most}");
            }
            assert!(longest_wait <= rules.interval.max(rules.cooldown));
            assert!(times.len() as u64 >= 3 * DAY / rules.interval);
        }
    }

    #[test]
    fn a_known_code_is_not_sent_again() {
        let all = (0..1_000_000).map(|code| (Code::new(format!("{code:06}")), 0));
        let odd = all.filter(|(code, _)| !code.expose().ends_with(['0', '2', '4', '6', '8']));
        let sends = Sends {
            answers_left: Some(odd.collect()),
            ..none_sent()
        };
        assert!(sends.answers_to(&Code::new("246810")).is_none());
        assert_eq!(sends.answers_to(&Code::new("246811")), Some(0));
        // A random code is odd as often as even.
        for _ in 0..16 {
            let code = sends.new_code().unwrap();
            assert!(code.expose().ends_with(['0', '2', '4', '6', '8']));
        }
    }

    #[test]
    fn unusable_limits_fail_at_start() {
        for (name, value, expected) in [
            ("OTP_COOLDOWN_SECONDS", "14", "15"),
            ("OTP_MAX_SENDS_PER_HOUR", "0", "1"),
            ("OTP_MAX_SENDS_PER_DAY", "0", "1"),
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

    fn condition_failed() -> Reply {
        let error = json!({ "__type": "ConditionalCheckFailedException" });
        Reply::json(400, &error)
    }

    /// The item of a user whose code 246810 was sent this long ago.
    fn item(age: u64) -> Reply {
        let item = json!({
            "sub": { "S": "user" },
            "sentAt": { "N": (now() - age).to_string() },
            "lastCode": { "S": "246810" },
            "answersLeft": { "M": { "246810": { "N": "3" } } },
        });
        Reply::json(200, &json!({ "Item": item }))
    }

    #[tokio::test]
    async fn codes_of_open_sessions_are_kept_with_a_new_one() {
        let minute = 60 * SECOND;
        for (age, keeps) in [(minute, true), (14 * minute, true), (16 * minute, false)] {
            let aws = FakeAws::with("GetItem", item(age));
            limits(&aws).reserve_send("user").await.unwrap();
            let update = &aws.bodies("UpdateItem")[0]["UpdateExpression"];
            let update = update.as_str().unwrap();
            let adds = update.contains("answersLeft.#code = :answers");
            let replaces = update.contains("answersLeft = :answers");
            assert_eq!((adds, replaces), (keeps, !keeps), "{age}");
        }
    }

    #[tokio::test]
    async fn a_send_that_another_one_overtook_is_the_same_attempt() {
        let reads = FakeAws::in_turn("GetItem", [Reply::text(200, "{}"), item(0)]);
        let aws = FakeAws::new(move |call| match &*call.operation {
            "GetItem" => reads.reply(call),
            _ => Some(condition_failed()),
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
        for (failure, full_at) in [
            (SendFailure::Rejected, NOW + 1),
            (SendFailure::NoResponse, NOW + 2),
        ] {
            let reservation = Reservation {
                code: Code::new("246810"),
                user: "user".to_owned(),
                sent_at: NOW,
                full_at: NOW + 2,
                before: sent(HOUR, 1, 3),
            };
            let aws = FakeAws::default();
            limits(&aws).withdraw(reservation, failure).await.unwrap();
            let update = &aws.bodies("UpdateItem")[0];
            let number = |name: &str| update["ExpressionAttributeValues"][name]["N"].clone();
            assert_eq!(number(":fullAt"), full_at.to_string(), "{failure:?}");
            assert_eq!(number(":sentAt"), (NOW - HOUR).to_string(), "{failure:?}");
            assert_eq!(number(":version"), NOW.to_string(), "{failure:?}");
            assert_eq!(update["ExpressionAttributeNames"]["#code"], "246810");
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
            for is_right in [false, true] {
                let answer = limits
                    .table
                    .count_answer("user", &Code::new("1"), is_right)
                    .await;
                assert_eq!(answer.unwrap_err().kind, kind, "{code}");
            }
        }
    }

    #[tokio::test]
    async fn an_answer_counts_while_its_code_has_some_left() {
        let left = |left: &str| {
            let codes = json!({ "answersLeft": { "M": { "246810": { "N": left } } } });
            Reply::json(200, &json!({ "Attributes": codes }))
        };
        for (reply, is_right, expected) in [
            (left("2"), false, Answer::Wrong),
            (left("1"), false, Answer::Wrong),
            (left("0"), false, Answer::Over),
            (Reply::text(200, "{}"), false, Answer::Over),
            (condition_failed(), false, Answer::Over),
            (Reply::text(200, "{}"), true, Answer::Right),
            (condition_failed(), true, Answer::Over),
        ] {
            let aws = FakeAws::with("UpdateItem", reply);
            let answer = limits(&aws)
                .table
                .count_answer("user", &Code::new("246810"), is_right)
                .await;
            assert_eq!(answer.unwrap(), expected);
            assert_eq!(aws.calls().len(), 1);
            let condition = &aws.bodies("UpdateItem")[0]["ConditionExpression"];
            assert_eq!(condition, "answersLeft.#code > :none");
        }
    }
}
