//! The errors that a trigger passes on to a route. Cognito carries a text from the one to the other, and nothing else:
//! the trigger encodes its error in it, the route decodes it again.

use crate::error::{Error, Name};

/// The user has not confirmed the sign-up, in Cognito's words.
pub fn user_not_confirmed() -> Error {
    Error::new(Name::UserNotConfirmedException, "User is not confirmed.")
}

/// The user's limits allow no code for this many milliseconds.
pub fn too_many_codes(wait: u64) -> Error {
    let seconds = wait.div_ceil(1000).try_into().unwrap_or(u32::MAX);
    Error::throttled("Please wait before you ask for another code.", seconds)
}

/// The phone number has none of the stack's prefixes.
pub fn phone_not_allowed() -> Error {
    Error::invalid_parameter("Phone numbers of this country are not accepted.")
}

/// SNS can't send to the phone number.
pub fn no_sms_to_this_number() -> Error {
    Error::invalid_parameter("No SMS can be sent to this phone number.")
}

/// SES can't send to the e-mail address.
pub fn no_email_to_this_address() -> Error {
    Error::invalid_parameter("No email can be sent to this address.")
}

/// The code was answered as often as it may be, in Cognito's words for the end of a sign-in.
pub fn no_answer_left() -> Error {
    Error::not_authorized("Incorrect username or password.")
}

/// Every error that a route can decode.
fn errors() -> [Error; 8] {
    [
        no_answer_left(),
        user_not_confirmed(),
        too_many_codes(0),
        phone_not_allowed(),
        no_sms_to_this_number(),
        no_email_to_this_address(),
        Error::internal("a trigger failed: see its log"),
        Error::unavailable("a trigger failed: see its log"),
    ]
}

/// The text that a trigger fails with. Cognito passes it on to its caller, after a text of its own.
pub(crate) fn encode(error: &Error) -> String {
    match error.retry_after {
        Some(seconds) => format!("{error} Retry after {seconds} s."),
        None => error.to_string(),
    }
}

/// The error in Cognito's report of a trigger: one that [`encode`] wrote, or Lambda's own report of a function that
/// ended without a response.
pub(crate) fn decode(report: &str) -> Option<Error> {
    if report.contains(" failed with error RequestId: ") {
        return Some(Error::internal(
            "a trigger ended without a response: see its log",
        ));
    }
    errors().into_iter().find_map(|error| {
        let (_, rest) = report.split_once(&error.to_string())?;
        let seconds = || {
            rest.strip_prefix(" Retry after ")?
                .split_once(" s.")?
                .0
                .parse()
                .ok()
        };
        Some(Error {
            retry_after: error
                .retry_after
                .and_then(|_| seconds())
                .or(error.retry_after),
            ..error
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_reads_what_encode_wrote() {
        for error in errors().into_iter().chain([too_many_codes(26_001)]) {
            let report = format!("X failed with error {}.", encode(&error));
            assert!(!report.contains("see its log"), "the cause stays here");
            let decoded = decode(&report).unwrap();
            assert_eq!(decoded.to_string(), error.to_string());
            assert_eq!(
                (decoded.kind, decoded.retry_after),
                (error.kind, error.retry_after)
            );
        }
    }

    #[test]
    fn decode_compares_the_name_and_the_whole_message() {
        for report in [
            "X failed with error of its own.",
            "X failed with error UserNotConfirmedException.",
            "X failed with error UserNotConfirmedException: Not today.",
            "X failed with error TooManyRequestsException: Slow down. Retry after 27 s.",
            "X failed with error InternalErrorException: Something went wrong.",
            "User is not confirmed.",
        ] {
            assert!(decode(report).is_none(), "{report}");
        }
    }
}
