//! The one-time code, and what the challenge triggers and `token` call it by.

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use crate::error::{Error, Kind, Result};

/// The challenge's name, which is Cognito's for all challenges of one's own.
pub const CUSTOM_CHALLENGE: &str = "CUSTOM_CHALLENGE";

/// How many answers there are for one code.
pub const ANSWERS_PER_CODE: usize = 3;

/// The private challenge parameter that holds the code.
pub const CODE_PARAMETER: &str = "code";

/// The client metadata in which `token` says whose session it answers.
pub const USERNAME_METADATA: &str = "username";

/// The refusal of a user who has not confirmed the sign-up, in Cognito's words.
pub(crate) fn user_not_confirmed() -> Error {
    Error::new(
        Kind::Forbidden,
        "UserNotConfirmedException",
        "User is not confirmed.",
    )
}

/// Six digits that only the user's phone is told.
#[derive(Clone, Debug)]
pub struct Code(SecretString);

impl Code {
    /// A uniform code from the operating system's generator.
    ///
    /// # Errors
    /// Internal where the generator fails.
    pub fn random() -> Result<Self> {
        const CODES: u32 = 1_000_000;
        // Numbers from here on would make the first codes likelier than the others.
        const FAIR: u32 = u32::MAX - u32::MAX % CODES;
        loop {
            let number = getrandom::u32()
                .map_err(|_| Error::internal("the operating system's random generator fails"))?;
            if number < FAIR {
                return Ok(Self::new(format!("{:06}", number % CODES)));
            }
        }
    }

    /// A code that was made before.
    pub fn new(code: impl Into<String>) -> Self {
        Self(SecretString::from(code.into()))
    }

    /// The digits.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether the answer is this code, in a time that does not depend on where they differ.
    pub fn matches(&self, answer: &str) -> bool {
        self.expose().as_bytes().ct_eq(answer.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_six_digits_and_use_the_whole_range() {
        let codes: Vec<String> = (0..2000)
            .map(|_| Code::random().unwrap().expose().to_owned())
            .collect();
        assert!(
            codes
                .iter()
                .all(|code| code.len() == 6 && code.bytes().all(|c| c.is_ascii_digit()))
        );
        for position in 0..6 {
            for digit in b'0'..=b'9' {
                let hits = codes
                    .iter()
                    .filter(|code| code.as_bytes()[position] == digit)
                    .count();
                // 200 expected; 100 and 300 are more than seven standard deviations away.
                assert!(
                    (100..300).contains(&hits),
                    "digit {} at {position}: {hits} of 2000",
                    char::from(digit)
                );
            }
        }
    }

    #[test]
    fn only_the_code_itself_matches() {
        let code = Code::new("012345");
        assert!(code.matches("012345"));
        for answer in [
            "", "12345", "0123456", "012346", "112345", " 012345", "٠12345",
        ] {
            assert!(!code.matches(answer), "{answer:?}");
        }
    }

    #[test]
    fn a_code_is_not_printed_by_debug() {
        assert!(!format!("{:?}", Code::new("012345")).contains("012345"));
    }
}
