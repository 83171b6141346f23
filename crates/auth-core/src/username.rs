//! Usernames: e-mail addresses and phone numbers.

use std::fmt;

use crate::config::{self, Env, Mode};
use crate::error::{Error, Result};

/// A well-formed e-mail address or phone number, at most 128 bytes of ASCII, as Cognito accepts it.
#[derive(Clone, PartialEq, Eq)]
pub struct Username {
    text: String,
    kind: UsernameKind,
}

/// The two kinds of username.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsernameKind {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
}

impl UsernameKind {
    /// The Cognito attribute that holds a username of this kind.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone_number",
        }
    }
}

impl Username {
    /// Reads a username of either kind.
    ///
    /// # Errors
    /// `InvalidParameterException` if it is neither.
    pub fn parse(text: String) -> Result<Self> {
        if is_phone(&text) {
            Ok(Self {
                text,
                kind: UsernameKind::Phone,
            })
        } else if is_email(&text) {
            Ok(Self {
                text,
                kind: UsernameKind::Email,
            })
        } else {
            Err(Error::invalid_parameter(match text.strip_prefix('+') {
                Some(digits) if is_e164(digits) => {
                    "Leave out the zero after the country code of the phone number."
                }
                _ => {
                    "Username should be an email address or a phone number in E.164 format, such as +34999999999."
                }
            }))
        }
    }

    /// The text as the user gave it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a phone number.
    pub fn is_phone(&self) -> bool {
        self.kind == UsernameKind::Phone
    }

    /// Which of the two it is.
    pub fn kind(&self) -> UsernameKind {
        self.kind
    }
}

/// The kinds of username that users of a stack can have.
#[derive(Clone, Copy, Debug)]
pub struct UsernameKinds {
    email: bool,
}

impl UsernameKinds {
    /// Reads `MODE`. Passwordless has e-mail addresses only if `EMAIL_SIGN_UP_ROLES` has a role, which takes SES.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(env: Env<'_>) -> config::Result<Self> {
        let mode: Mode = env.parsed("MODE")?;
        let has_roles = env.optional("EMAIL_SIGN_UP_ROLES").is_some();
        Ok(Self {
            email: mode == Mode::UserPassword || has_roles,
        })
    }

    /// The same username, if it is of one of these kinds.
    ///
    /// # Errors
    /// `InvalidParameterException` for an e-mail address, if users of the stack can have none.
    pub fn check(self, username: Username) -> Result<Username> {
        match self.email || username.is_phone() {
            true => Ok(username),
            false => Err(Error::invalid_parameter(
                "Username should be a phone number in E.164 format, such as +34999999999.",
            )),
        }
    }
}

impl fmt::Display for Username {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Never printed by accident: `{:?}` shows only the kind.
impl fmt::Debug for Username {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Username({:?})", self.kind)
    }
}

/// E.164, in the one form that a number has: the zero that some countries dial before it at home would make it a
/// second user's, with limits of their own, whose SMS reach the same phone.
pub fn is_phone(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| is_e164(digits) && !has_trunk_zero(digits))
}

/// A country code that does not start with zero, 7 to 15 digits in all.
fn is_e164(digits: &str) -> bool {
    (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && all(digits, |c| c.is_ascii_digit())
}

/// Whether a zero follows the country code. By libphonenumber's metadata (9.0.43), numbers of ten country codes start
/// with one themselves.
fn has_trunk_zero(digits: &str) -> bool {
    const ZERO_IS_PART: [&str; 10] = [
        "39", "225", "226", "229", "241", "242", "250", "378", "881", "992",
    ];
    let country = match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    };
    let (country, number) = digits.split_at(country);
    number.starts_with('0') && !ZERO_IS_PART.contains(&country)
}

/// The rule of HTML's `<input type=email>` with a dot in the domain and the lengths that SMTP and
/// Cognito allow. ASCII only: look-alike letters can't make a second address that reads the same.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let local_is_good = (1..=64).contains(&local.len())
        && all(local, |c| {
            c.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&c)
        })
        && local.split('.').all(|part| !part.is_empty());
    let label_is_good = |label: &str| {
        (1..=63).contains(&label.len())
            && all(label, |c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 128
        && local_is_good
        && domain.contains('.')
        && domain.split('.').all(label_is_good)
}

fn all(text: &str, rule: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_error;

    #[test]
    fn well_formed_usernames_are_accepted_with_their_kind() {
        for (text, kind) in [
            ("user@example.com", UsernameKind::Email),
            ("first.last+tag@sub.example.co.uk", UsernameKind::Email),
            ("o'brien@example.com", UsernameKind::Email),
            ("1@2.io", UsernameKind::Email),
            ("+34999999999", UsernameKind::Phone),
            ("+1234567", UsernameKind::Phone),
            ("+123456789012345", UsernameKind::Phone),
        ] {
            let username = Username::parse(text.to_owned()).unwrap();
            assert_eq!((username.as_str(), username.kind()), (text, kind));
        }
    }

    #[test]
    fn malformed_usernames_are_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}.com", "b.".repeat(70));
        for (text, why) in [
            ("user", "no at sign"),
            ("@example.com", "no local part"),
            ("user@", "no domain"),
            ("user@localhost", "no dot in the domain"),
            ("user@example..com", "an empty label"),
            ("user@-example.com", "a label that starts with a hyphen"),
            ("user@example.com.", "a dot at the end"),
            (".user@example.com", "a dot at the start"),
            ("us..er@example.com", "two dots"),
            ("us er@example.com", "a space"),
            (" user@example.com", "a space at the start"),
            ("user@example.com\n", "a line end"),
            ("user\0@example.com", "a null byte"),
            ("user@exa\u{202e}mple.com", "a right-to-left mark"),
            ("us\u{0435}r@example.com", "a Cyrillic letter"),
            ("user@ex\u{00e4}mple.com", "a letter with a diaeresis"),
            ("\"user\"@example.com", "quotes"),
            ("user@[127.0.0.1]", "an address literal"),
            ("a@b@example.com", "two at signs"),
            ("34999999999", "no plus"),
            ("+0999999999", "a country code of zero"),
            ("+349999", "too few digits"),
            ("+1234567890123456", "too many digits"),
            ("+34 999 999 999", "spaces"),
            ("+3499999999a", "a letter"),
            ("+\u{0663}4999999999", "an Arabic digit"),
            (&long_local, "a long local part"),
            (&long, "too long"),
        ] {
            let error = Username::parse(text.to_owned()).unwrap_err();
            let message = "Username should be an email address or a phone number in E.164 format, such as +34999999999.";
            assert_error(&error, "InvalidParameterException", message, why);
        }
    }

    #[test]
    fn zero_after_country_code_is_rejected_unless_part_of_number() {
        let message = "Leave out the zero after the country code of the phone number.";
        for number in ["+4407700900000", "+10044445555", "+353087123456"] {
            let error = Username::parse(number.to_owned()).unwrap_err();
            assert_eq!(error.message, message, "{number}");
        }
        // A zero of the country code, and then an example of libphonenumber's for each zero of the number.
        for number in [
            "+5907700900000",
            "+390212345678",
            "+2250123456789",
            "+22601234567",
            "+2290195123456",
            "+24106031234",
            "+242061234567",
            "+25006123456",
            "+3780549886377",
            "+992012345678",
            "+34610000000",
            "+60123456789",
            "+201001234567",
        ] {
            assert!(Username::parse(number.to_owned()).is_ok(), "{number}");
        }
    }
}
