//! People nobody else has met: a name of their own for each test.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use crate::Mode;

/// A username and a password, both of this one test.
#[derive(Clone, Debug)]
pub struct Person {
    /// An e-mail address or a phone number.
    pub username: String,
    /// A password that every stack's policy accepts.
    pub password: String,
}

impl Person {
    /// Someone with the kind of username that the mode is for.
    pub fn of(mode: Mode) -> Self {
        match mode {
            Mode::UserPassword => Self::with_email(),
            Mode::Passwordless => Self::with_phone(),
        }
    }

    /// Someone with an e-mail address.
    pub fn with_email() -> Self {
        Self::called(format!("user.{:016x}@example.com", random()))
    }

    /// Someone with a Spanish phone number.
    pub fn with_phone() -> Self {
        Self::with_phone_in("+34")
    }

    /// Someone with a phone number that starts so.
    pub fn with_phone_in(prefix: &str) -> Self {
        Self::called(format!(
            "{prefix}{}",
            10_000_000_000 + random() % 90_000_000_000
        ))
    }

    fn called(username: String) -> Self {
        Self {
            username,
            password: Self::another_password(),
        }
    }

    /// A password that nobody has.
    pub fn another_password() -> String {
        format!("Secret!{:016x}Z", random())
    }
}

/// Random enough for names and seeds, from what the standard library seeds its hash maps with.
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
