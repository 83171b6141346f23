//! After a confirmation: the role's group, should `sign-up` not have come to add it.

use aws_sdk_cognitoidentityprovider::Client;

use crate::error::{Error, Result};
use crate::roles::{ROLE_ATTRIBUTE, Roles};
use crate::sign_up::add_to_group;
use crate::trigger::{self, Event};

/// Adds the user who confirmed a sign-up to the role's group; a second time changes nothing.
///
/// The pool's id is the event's: the function can't be told it by the template, where the pool already
/// depends on the function.
///
/// # Errors
/// Cognito's; internal for another trigger's event or a role that does not exist.
pub async fn post_confirmation(event: &Event, cognito: &Client, roles: &Roles) -> Result<()> {
    match event.source() {
        "PostConfirmation_ConfirmSignUp" => {}
        "PostConfirmation_ConfirmForgotPassword" => return Ok(()),
        _ => return Err(trigger::unknown_source()),
    }
    let user_pool_id = event.required(&["userPoolId"])?;
    let username = event.required(&["userName"])?;
    // A user without the attribute was made by an administrator, who gives the groups too.
    let Some(role) = event.attribute(ROLE_ATTRIBUTE) else {
        return Ok(());
    };
    if !roles.contains(role) {
        return Err(Error::internal(
            "the user's custom:role names no role of this stack",
        ));
    }
    add_to_group(cognito, user_pool_id, username, role).await
}
