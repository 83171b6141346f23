//! Before a user is made: the role rules again, for those who call Cognito's public `SignUp` directly.

use crate::error::{Error, Result};
use crate::roles::{ROLE_ATTRIBUTE, SignUpRules};
use crate::trigger::{self, Event};
use crate::username::{UsernameKind, is_phone};

/// Judges a sign-up by the stack's lists, and confirms the roles that skip confirmation.
///
/// Every contact the user brings must be open to the role: one who signs up with an e-mail address can't
/// have messages sent to a phone number on the side.
///
/// # Errors
/// `InvalidParameterException` where the rules refuse; internal for another trigger's event.
pub fn pre_sign_up(event: &mut Event, rules: &SignUpRules) -> Result<()> {
    match event.source() {
        "PreSignUp_SignUp" => {}
        // An administrator may give any role.
        "PreSignUp_AdminCreateUser" => return Ok(()),
        _ => return Err(trigger::unknown_source()),
    }
    let role = event
        .attribute(ROLE_ATTRIBUTE)
        .ok_or_else(|| Error::invalid_parameter("userAttributes.role is required."))?;
    let email = event.attribute(UsernameKind::Email.attribute());
    let phone = event.attribute(UsernameKind::Phone.attribute());
    if email.is_none() && phone.is_none() {
        return Err(Error::invalid_parameter(
            "An email address or a phone number is required.",
        ));
    }
    if email.is_some() {
        rules.check_role(role, UsernameKind::Email)?;
    }
    if let Some(phone) = phone {
        rules.check_role(role, UsernameKind::Phone)?;
        rules.check_phone(phone)?;
        if !is_phone(phone) {
            return Err(Error::invalid_parameter("Invalid phone number format."));
        }
    }
    if rules.skips_confirmation(role) {
        let (email, phone) = (email.is_some(), phone.is_some());
        event.respond("autoConfirmUser", true);
        // To verify what the user does not have is an error of Cognito's.
        event.respond("autoVerifyEmail", email);
        event.respond("autoVerifyPhone", phone);
    }
    Ok(())
}
