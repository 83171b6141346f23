//! The roles that are open to sign-up, and their usernames: only the lists of the stack decide.
//!
//! `sign-up` checks these rules for a clear answer. `pre-sign-up` checks them again, because anyone can call Cognito
//! directly. Only administrators can give a role that is in no list.

use crate::config::{self, Env, bad_value};
use crate::error::{Error, Result};
use crate::trigger_error;
use crate::username::UsernameKind;

/// The user's attribute with the role of the sign-up. It is written once. Authorisation uses only the group.
pub const ROLE_ATTRIBUTE: &str = "custom:role";

/// The stack's lists of roles and phone prefixes.
#[derive(Debug)]
pub struct SignUpRules {
    email_roles: Vec<String>,
    phone_roles: Vec<String>,
    skip_confirmation_roles: Vec<String>,
    phone_prefixes: Vec<String>,
}

impl SignUpRules {
    /// Reads `ROLES`, `EMAIL_SIGN_UP_ROLES`, `PHONE_SIGN_UP_ROLES`, `SKIP_CONFIRMATION_ROLES` and
    /// `ALLOWED_PHONE_PREFIXES`.
    ///
    /// # Errors
    /// Names the variable that is missing, has a bad entry, or names a role that is not in `ROLES`.
    pub fn from_env(env: Env<'_>) -> config::Result<Self> {
        let roles = Roles::from_env(env)?;
        let list = |name: &str| {
            let entries = env.list(name, is_role, ROLE_FORM)?;
            match entries.iter().all(|entry| roles.0.contains(entry)) {
                true => Ok(entries),
                false => Err(bad_value(name, &"only roles that are in ROLES")),
            }
        };
        Ok(Self {
            email_roles: list("EMAIL_SIGN_UP_ROLES")?,
            phone_roles: list("PHONE_SIGN_UP_ROLES")?,
            skip_confirmation_roles: list("SKIP_CONFIRMATION_ROLES")?,
            phone_prefixes: phone_prefixes(env)?,
        })
    }

    /// Whether a user with `role` may sign up with a username of this kind.
    ///
    /// # Errors
    /// `InvalidParameterException` with the reason.
    pub fn check_role(&self, role: &str, kind: UsernameKind) -> Result<()> {
        let has = |list: &[String]| list.iter().any(|open| open == role);
        let (list, other, with) = match kind {
            UsernameKind::Email => (&self.email_roles, &self.phone_roles, "an email address"),
            UsernameKind::Phone => (&self.phone_roles, &self.email_roles, "a phone number"),
        };
        if has(list) {
            Ok(())
        } else if has(other) {
            Err(Error::invalid_parameter(format!(
                "The role does not allow sign-up with {with}."
            )))
        } else {
            // Unknown and closed roles get the same text, so that nobody can guess the roles.
            Err(Error::invalid_parameter(
                "The role does not exist or is not open to sign-up.",
            ))
        }
    }

    /// Whether a message may be sent to this phone number.
    ///
    /// # Errors
    /// `InvalidParameterException` if its prefix is not in the stack's list.
    pub fn check_phone(&self, phone: &str) -> Result<()> {
        check_phone_prefix(&self.phone_prefixes, phone)
    }

    /// Whether users with this role are confirmed and verified at sign-up.
    pub fn skips_confirmation(&self, role: &str) -> bool {
        self.skip_confirmation_roles.iter().any(|skip| skip == role)
    }
}

/// The names of all roles: one Cognito group each.
#[derive(Debug)]
pub struct Roles(Vec<String>);

impl Roles {
    /// Reads `ROLES`.
    ///
    /// # Errors
    /// Names it if it is missing or has a bad entry.
    pub fn from_env(env: Env<'_>) -> config::Result<Self> {
        env.required("ROLES")?;
        env.list("ROLES", is_role, ROLE_FORM).map(Self)
    }

    /// Whether there is a role of this name.
    pub fn contains(&self, role: &str) -> bool {
        self.0.iter().any(|name| name == role)
    }
}

const ROLE_FORM: &str = "names of letters and digits, separated by commas";

fn is_role(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric())
}

/// Reads `ALLOWED_PHONE_PREFIXES`; empty means any.
///
/// # Errors
/// Names it if an entry is not a plus and one to seven digits, which are enough to name any country.
pub fn phone_prefixes(env: Env<'_>) -> config::Result<Vec<String>> {
    let is_prefix = |text: &str| {
        text.strip_prefix('+').is_some_and(|digits| {
            (1..=7).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit())
        })
    };
    env.list(
        "ALLOWED_PHONE_PREFIXES",
        is_prefix,
        "prefixes such as +34, separated by commas",
    )
}

/// Whether `phone` starts with one of `prefixes`, or there are none.
///
/// # Errors
/// `InvalidParameterException` if it does not.
pub fn check_phone_prefix(prefixes: &[String], phone: &str) -> Result<()> {
    if prefixes.is_empty()
        || prefixes
            .iter()
            .any(|prefix| phone.starts_with(prefix.as_str()))
    {
        Ok(())
    } else {
        Err(trigger_error::phone_not_allowed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::with_env;

    fn rules() -> SignUpRules {
        let lists = [
            ("ROLES", "User,Driver,Both,Admin"),
            ("EMAIL_SIGN_UP_ROLES", "User,Both"),
            ("PHONE_SIGN_UP_ROLES", "Driver, Both"),
            ("SKIP_CONFIRMATION_ROLES", "Both"),
            ("ALLOWED_PHONE_PREFIXES", "+34,+1"),
        ];
        with_env(&lists, SignUpRules::from_env).unwrap()
    }

    #[test]
    fn role_is_open_only_to_the_username_kinds_that_list_it() {
        use UsernameKind::{Email, Phone};
        let closed = "The role does not exist or is not open to sign-up.";
        let not_by_phone = "The role does not allow sign-up with a phone number.";
        let not_by_email = "The role does not allow sign-up with an email address.";
        for (role, kind, expected) in [
            ("User", Email, None),
            ("Driver", Phone, None),
            ("Both", Email, None),
            ("Both", Phone, None),
            ("User", Phone, Some(not_by_phone)),
            ("Driver", Email, Some(not_by_email)),
            ("Admin", Email, Some(closed)),
            ("Nobody", Phone, Some(closed)),
            ("user", Email, Some(closed)),
            ("User,Both", Email, Some(closed)),
        ] {
            let error = rules().check_role(role, kind).err();
            let message = error.as_ref().map(|error| &*error.message);
            assert_eq!(message, expected, "{role} {kind:?}");
        }
    }

    #[test]
    fn a_phone_outside_the_allowed_prefixes_is_refused() {
        assert!(rules().check_phone("+34999999999").is_ok());
        assert!(rules().check_phone("+15550001111").is_ok());
        assert_eq!(
            rules().check_phone("+447700900000").unwrap_err().name,
            "InvalidParameterException"
        );
        assert!(check_phone_prefix(&[], "+447700900000").is_ok());
    }

    #[test]
    fn bad_lists_fail_at_start_and_are_named() {
        let missing = "is missing: set it and deploy again.";
        let names = "has a bad value: expected names of letters and digits, separated by commas.";
        let known = "has a bad value: expected only roles that are in ROLES.";
        let prefixes = "has a bad value: expected prefixes such as +34, separated by commas.";
        for (name, value, expected) in [
            ("ROLES", "", missing),
            ("ROLES", "User,,Admin", names),
            ("PHONE_SIGN_UP_ROLES", "Driver", known),
            ("ALLOWED_PHONE_PREFIXES", "34", prefixes),
            ("ALLOWED_PHONE_PREFIXES", "+34,+18765550", prefixes),
        ] {
            let error = with_env(&[(name, value)], SignUpRules::from_env).unwrap_err();
            let expected = format!("The environment variable {name} {expected}");
            assert_eq!(error.to_string(), expected);
        }
    }
}
