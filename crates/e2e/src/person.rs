//! Users with random names, so that tests do not share them.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use crate::Mode;

/// A username and a password.
#[derive(Clone, Debug)]
pub struct Person {
    /// An e-mail address or a phone number.
    pub username: String,
    /// A password that every stack's policy accepts.
    pub password: String,
}

impl Person {
    /// A person with the default kind of username of this mode.
    pub fn of(mode: Mode) -> Self {
        match mode {
            Mode::UserPassword => Self::with_email(),
            Mode::Passwordless => Self::with_phone(),
        }
    }

    /// A person with an e-mail address.
    pub fn with_email() -> Self {
        Self::called(format!("user.{:016x}@example.com", random()))
    }

    /// A person with a Spanish phone number.
    pub fn with_phone() -> Self {
        Self::with_phone_in("+34")
    }

    /// A person with a phone number that has this prefix.
    pub fn with_phone_in(prefix: &str) -> Self {
        Self::called(format!(
            "{prefix}{}",
            10_000_000_000 + random() % 90_000_000_000
        ))
    }

    /// The name of the user's attribute with the username.
    pub fn attribute(&self) -> &'static str {
        attribute_of(&self.username)
    }

    fn called(username: String) -> Self {
        Self {
            username,
            password: Self::another_password(),
        }
    }

    /// A new random password.
    pub fn another_password() -> String {
        format!("Secret!{:016x}Z", random())
    }
}

/// The name of the attribute with this username.
pub(crate) fn attribute_of(username: &str) -> &'static str {
    match username.starts_with('+') {
        true => "phone_number",
        false => "email",
    }
}

/// A random number for names and seeds, from the standard library's seed of hash maps.
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
