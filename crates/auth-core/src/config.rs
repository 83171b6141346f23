//! The environment, read once at start into types. A variable is a stack parameter's name in
//! `UPPER_SNAKE_CASE`; a missing or bad one ends the start with one line that names it.

use std::fmt;
use std::str::FromStr;

/// The placeholder for the code in a message, in Cognito's notation.
pub const CODE_PLACEHOLDER: &str = "{####}";

/// How users sign up and in: the stack parameter `Mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With an e-mail address (or a phone number) and a password.
    UserPassword,
    /// With a phone number (or an e-mail address) and a one-time code.
    Passwordless,
}

impl FromStr for Mode {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        match text {
            "UserPassword" => Ok(Self::UserPassword),
            "Passwordless" => Ok(Self::Passwordless),
            _ => Err("UserPassword or Passwordless"),
        }
    }
}

/// The result of reading the environment.
pub type Result<T> = std::result::Result<T, ConfigError>;

/// What keeps a function from starting: a variable that is missing or can't be used, or TLS.
#[derive(PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The same text, because a `main` that returns it prints its `Debug` output.
impl fmt::Debug for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for ConfigError {}

impl From<rustls::Error> for ConfigError {
    fn from(error: rustls::Error) -> Self {
        Self(format!("TLS can't be used as it is built: {error}."))
    }
}

/// The source of variables: the process in a function, a table in a test.
#[derive(Clone, Copy)]
pub struct Env<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Env<'static> {
    /// The variables of this process.
    pub fn process() -> Self {
        Self(&|name| std::env::var(name).ok())
    }
}

impl<'a> Env<'a> {
    /// Variables from elsewhere.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(lookup)
    }

    /// The variable, if it is set and not empty.
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// A variable that must be set and not empty.
    ///
    /// # Errors
    /// Names the variable.
    pub fn required(&self, name: &str) -> Result<String> {
        self.optional(name).ok_or_else(|| {
            ConfigError(format!(
                "The environment variable {name} is missing: set it and deploy again."
            ))
        })
    }

    /// A required variable of a type. The type's error has the expected form.
    ///
    /// # Errors
    /// Names the variable and what is expected.
    pub fn parsed<T: FromStr<Err: fmt::Display>>(&self, name: &str) -> Result<T> {
        self.required(name)?
            .parse()
            .map_err(|expected| bad_value(name, &expected))
    }

    /// A required whole number, `least` or more.
    ///
    /// # Errors
    /// Names the variable and what is expected.
    pub fn number(&self, name: &str, least: u32) -> Result<u32> {
        let number = self.required(name)?.parse().ok();
        number
            .filter(|number| *number >= least)
            .ok_or_else(|| bad_value(name, &format!("a whole number of at least {least}")))
    }

    /// A required text of a message, with the code, [`CODE_PLACEHOLDER`], once or up to `most` times.
    ///
    /// # Errors
    /// Names the variable.
    pub fn message(&self, name: &str, most: usize) -> Result<String> {
        let message = self.required(name)?;
        match (1..=most).contains(&message.matches(CODE_PLACEHOLDER).count()) {
            true => Ok(message),
            false if most == 1 => Err(bad_value(name, &"a text with {####} once")),
            false => Err(bad_value(
                name,
                &format!("a text with {{####}} 1 to {most} times"),
            )),
        }
    }

    /// A comma-separated list, which may be empty; white space around an entry is dropped.
    ///
    /// # Errors
    /// Names the variable if an entry breaks the rule, and the expected form.
    pub fn list(&self, name: &str, rule: fn(&str) -> bool, expected: &str) -> Result<Vec<String>> {
        let Some(value) = self.optional(name) else {
            return Ok(Vec::new());
        };
        let entries: Vec<String> = value
            .split(',')
            .map(|entry| entry.trim().to_owned())
            .collect();
        if entries.iter().all(|entry| rule(entry)) {
            Ok(entries)
        } else {
            Err(bad_value(name, &expected))
        }
    }
}

/// The one line about a variable that can't be used. The value itself is not repeated.
pub fn bad_value(name: &str, expected: &dyn fmt::Display) -> ConfigError {
    ConfigError(format!(
        "The environment variable {name} has a bad value: expected {expected}."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_variable_is_named() {
        for value in [None, Some(String::new())] {
            let env = |_: &str| value.clone();
            let error = Env::new(&env).parsed::<Mode>("MODE").unwrap_err();
            assert_eq!(
                error.to_string(),
                "The environment variable MODE is missing: set it and deploy again."
            );
            assert_eq!(format!("{error:?}"), error.to_string());
        }
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_expected_and_not_repeated() {
        let env = |_: &str| Some("passwordless".to_owned());
        let error = Env::new(&env).parsed::<Mode>("MODE").unwrap_err();
        assert_eq!(
            error.to_string(),
            "The environment variable MODE has a bad value: expected UserPassword or Passwordless."
        );
    }
}
