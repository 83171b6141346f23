//! Before Cognito makes a user: checks the role rules again, because anyone can call Cognito's `SignUp` directly.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::roles::SignUpRules;
use crate::trigger::{self, Event, UserAttributes, View, nullable};
use crate::username::{UsernameKind, is_phone};

/// The `request` of a sign-up's event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    user_attributes: UserAttributes<'a>,
}

/// Judges a sign-up by the stack's lists, and confirms the roles that skip confirmation.
///
/// A user brings one contact, the username, and it must be open to the role. With two, a role that skips confirmation
/// would verify an address or a number that is somebody else's.
///
/// # Errors
/// `InvalidParameterException` if the rules reject the sign-up; internal for another trigger's event.
pub fn pre_sign_up(event: &mut Event, rules: &SignUpRules) -> Result<()> {
    match event.source() {
        "PreSignUp_SignUp" => {}
        // An administrator may give any role.
        "PreSignUp_AdminCreateUser" => return Ok(()),
        _ => return Err(trigger::unknown_source()),
    }
    let view: View<Request> = event.view()?;
    let user = view.request.user_attributes;
    let role = user
        .role
        .get()
        .ok_or_else(|| Error::invalid_parameter("userAttributes.role is required."))?;
    let (email, phone) = (user.email.get(), user.phone_number.get());
    match (email, phone) {
        (Some(_), None) => rules.check_role(role, UsernameKind::Email)?,
        (None, Some(phone)) => {
            rules.check_role(role, UsernameKind::Phone)?;
            rules.check_phone(phone)?;
            if !is_phone(phone) {
                return Err(Error::invalid_parameter("Invalid phone number format."));
            }
        }
        _ => {
            return Err(Error::invalid_parameter(
                "Sign up with either an email address or a phone number.",
            ));
        }
    }
    if rules.skips_confirmation(role) {
        let (email, phone) = (email.is_some(), phone.is_some());
        event.respond("autoConfirmUser", true);
        // Cognito answers an error if a contact is verified that the user does not have.
        event.respond("autoVerifyEmail", email);
        event.respond("autoVerifyPhone", phone);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Kind;
    use crate::testing::{event, with_env};

    const ONE_CONTACT: &str = "Sign up with either an email address or a phone number.";

    const CLOSED: &str = "The role does not exist or is not open to sign-up.";
    const NOT_BY_PHONE: &str = "The role does not allow sign-up with a phone number.";
    const COUNTRY: &str = "Phone numbers of this country are not accepted.";
    const NO_PHONE: &str = "Invalid phone number format.";

    fn rules() -> SignUpRules {
        let lists = [
            ("ROLES", "User,Driver,Both,Guest,Courier,Anyone,Admin"),
            ("EMAIL_SIGN_UP_ROLES", "User,Both,Guest,Anyone"),
            ("PHONE_SIGN_UP_ROLES", "Driver,Both,Courier,Anyone"),
            ("SKIP_CONFIRMATION_ROLES", "Guest,Courier,Anyone"),
            ("ALLOWED_PHONE_PREFIXES", "+34"),
        ];
        with_env(&lists, SignUpRules::from_env).unwrap()
    }

    /// The event of a sign-up. An empty text is a missing attribute.
    fn sign_up(source: &str, role: &str, email: &str, phone: &str) -> Event {
        let attributes = [
            ("custom:role", role),
            ("email", email),
            ("phone_number", phone),
        ];
        let attributes: serde_json::Map<String, Value> = attributes
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let mut event = event(
            source,
            json!({ "userAttributes": attributes, "validationData": null }),
        )
        .into_json();
        event["response"] =
            json!({ "autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false });
        Event::new(event)
    }

    const EMAIL: &str = "user@example.com";
    const PHONE: &str = "+34999999999";

    #[test]
    fn pre_sign_up_confirms_users_if_the_role_skips_confirmation() {
        for (role, email, phone, [confirm, verify_email, verify_phone]) in [
            ("User", EMAIL, "", [false; 3]),
            ("Driver", "", PHONE, [false; 3]),
            ("Both", EMAIL, "", [false; 3]),
            ("Both", "", PHONE, [false; 3]),
            ("Guest", EMAIL, "", [true, true, false]),
            ("Courier", "", PHONE, [true, false, true]),
            ("Anyone", EMAIL, "", [true, true, false]),
            ("Anyone", "", PHONE, [true, false, true]),
        ] {
            let before = sign_up("PreSignUp_SignUp", role, email, phone).into_json();
            let mut event = Event::new(before.clone());
            pre_sign_up(&mut event, &rules()).unwrap();
            // Cognito gets back everything that it sent, also unknown fields.
            let mut expected = before;
            expected["response"] = json!({ "autoConfirmUser": confirm, "autoVerifyEmail": verify_email, "autoVerifyPhone": verify_phone });
            assert_eq!(event.into_json(), expected, "{role} {email} {phone}");
        }
    }

    #[test]
    fn a_direct_sign_up_that_the_rules_do_not_allow_is_refused() {
        for (why, role, email, phone, message) in [
            ("no role", "", EMAIL, "", "userAttributes.role is required."),
            ("no contact", "User", "", "", ONE_CONTACT),
            ("a phone on the side", "User", EMAIL, PHONE, ONE_CONTACT),
            ("an e-mail on the side", "Driver", EMAIL, PHONE, ONE_CONTACT),
            ("both, and both open", "Anyone", EMAIL, PHONE, ONE_CONTACT),
            ("a closed role", "Admin", EMAIL, "", CLOSED),
            ("a role for e-mails", "User", "", PHONE, NOT_BY_PHONE),
            ("another country", "Driver", "", "+15550001111", COUNTRY),
            ("a zero too many", "Driver", "", "+34099999999", NO_PHONE),
            ("no phone number", "Driver", "", "+34 999", NO_PHONE),
        ] {
            let mut event = sign_up("PreSignUp_SignUp", role, email, phone);
            let error = pre_sign_up(&mut event, &rules()).unwrap_err();
            assert_eq!(error.name, "InvalidParameterException", "{why}");
            assert_eq!(error.message, message, "{why}");
        }
    }

    #[test]
    fn an_administrator_gives_any_role_and_none_is_confirmed() {
        for (role, email, phone) in [
            ("Admin", EMAIL, ""),
            ("Guest", EMAIL, ""),
            ("User", "", "+15550001111"),
            ("", "", ""),
        ] {
            let mut event = sign_up("PreSignUp_AdminCreateUser", role, email, phone);
            pre_sign_up(&mut event, &rules()).unwrap();
            assert_eq!(
                event.into_json(),
                sign_up("PreSignUp_AdminCreateUser", role, email, phone).into_json(),
                "{role}"
            );
        }
    }

    #[test]
    fn another_triggers_event_is_our_fault() {
        for source in ["PreSignUp_ExternalProvider", "presignup_signup", ""] {
            let mut event = sign_up(source, "User", EMAIL, "");
            let error = pre_sign_up(&mut event, &rules()).unwrap_err();
            assert_eq!(error.kind, Kind::Internal, "{source}");
        }
    }

    #[test]
    fn malformed_attributes_are_our_fault_and_missing_ones_invalid() {
        for (request, kind) in [
            (json!({}), Kind::Invalid),
            (json!({ "userAttributes": null }), Kind::Invalid),
            (json!({ "userAttributes": {} }), Kind::Invalid),
            (Value::Null, Kind::Internal),
            (json!({ "userAttributes": [["email"]] }), Kind::Internal),
            (json!({ "userAttributes": { "email": 1 } }), Kind::Internal),
        ] {
            let mut event = event("PreSignUp_SignUp", request.clone());
            let error = pre_sign_up(&mut event, &rules()).unwrap_err();
            assert_eq!(error.kind, kind, "{request}");
        }
    }
}
