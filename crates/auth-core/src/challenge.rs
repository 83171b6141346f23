//! The one-time code, and the names that the challenge triggers and `token` share.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::{Error, Result};
use crate::trigger::{Text, UserAttributes, View, nullable};

/// The name of the challenge: Cognito has one name for all custom challenges.
pub const CUSTOM_CHALLENGE: &str = "CUSTOM_CHALLENGE";

/// How many answers there are for one code.
pub const ANSWERS_PER_CODE: usize = 3;

/// The private challenge parameter that holds the code.
pub const CODE_PARAMETER: &str = "code";

/// The client metadata with the username whose session `token` answers.
pub const USERNAME_METADATA: &str = "username";

/// What Cognito sends the three challenge triggers; each reads its part.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Request<'a> {
    /// Empty for a user who does not exist.
    #[serde(borrow, deserialize_with = "nullable")]
    pub user_attributes: UserAttributes<'a>,
    /// Whether the user does not exist, which Cognito hides from its caller.
    #[serde(deserialize_with = "nullable")]
    pub user_not_found: bool,
    /// The rounds of the sign-in so far, the oldest first.
    #[serde(borrow, deserialize_with = "nullable")]
    pub session: Vec<Round<'a>>,
    /// The challenge to create.
    #[serde(borrow)]
    pub challenge_name: Text<'a>,
    /// What `create-auth-challenge` answered.
    #[serde(borrow, deserialize_with = "nullable")]
    pub private_challenge_parameters: PrivateChallengeParameters<'a>,
    /// The caller's answer.
    #[serde(borrow)]
    pub challenge_answer: Text<'a>,
    /// What `token` adds to the answer.
    #[serde(borrow, deserialize_with = "nullable")]
    pub client_metadata: ClientMetadata<'a>,
}

/// One challenge of a sign-in.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Round<'a> {
    /// [`CUSTOM_CHALLENGE`], or one of Cognito's own.
    #[serde(borrow)]
    pub challenge_name: Text<'a>,
    /// Whether the answer was right.
    #[serde(deserialize_with = "nullable")]
    pub challenge_result: bool,
    /// The code.
    #[serde(borrow)]
    pub challenge_metadata: Text<'a>,
}

/// What only the triggers see: [`CODE_PARAMETER`].
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PrivateChallengeParameters<'a> {
    /// The code.
    #[serde(borrow)]
    pub code: Text<'a>,
}

/// The metadata that `token` sends with the answer: [`USERNAME_METADATA`].
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ClientMetadata<'a> {
    /// Whose session it answers.
    #[serde(borrow)]
    pub username: Text<'a>,
}

impl View<'_, Request<'_>> {
    /// The key of the user's limits: the `sub`, or for a user who does not exist a digest of the name that
    /// Cognito invents. So unknown users have limits too, and no phone number is stored.
    ///
    /// # Errors
    /// Internal if the event names no user.
    pub fn limits_key(&self) -> Result<String> {
        if !self.request.user_not_found {
            let sub = self.request.user_attributes.sub;
            return sub
                .required("request.userAttributes.sub")
                .map(str::to_owned);
        }
        let pool = self.user_pool_id.required("userPoolId")?;
        let name = self.user_name.required("userName")?;
        let digest = Sha256::digest(format!("{pool}/{name}"));
        Ok(digest.iter().fold("unknown-".to_owned(), |key, byte| {
            key + &format!("{byte:02x}")
        }))
    }
}

/// Six digits that only the user gets.
#[derive(Clone, Debug)]
pub struct Code(SecretString);

impl Code {
    /// A uniform code from the operating system's generator.
    ///
    /// # Errors
    /// Internal if the generator fails.
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

    /// Whether the answer is this code, compared in constant time.
    pub fn matches(&self, answer: &str) -> bool {
        self.expose().as_bytes().ct_eq(answer.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Kind;
    use crate::testing::event;

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
    fn limits_are_kept_under_the_sub_and_never_under_a_name() {
        let key = |request| event("any", request).view::<Request<'_>>()?.limits_key();
        let user = json!({ "userAttributes": { "sub": "s-1", "phone_number": "+34999999999" } });
        assert_eq!(key(user).unwrap(), "s-1");
        let unknown = key(json!({ "userNotFound": true })).unwrap();
        assert!(unknown.starts_with("unknown-") && !unknown.contains("the-username"));
        let error = key(json!({ "userNotFound": false })).unwrap_err();
        assert_eq!(
            error.cause.unwrap(),
            "the trigger's event has no request.userAttributes.sub"
        );
        let error = key(json!({ "userNotFound": "true" })).unwrap_err();
        assert_eq!(error.kind, Kind::Internal);
    }
}
