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

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentityprovider::operation::admin_add_user_to_group::AdminAddUserToGroupInput;
    use aws_smithy_mocks::{Rule, mock};
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Env;
    use crate::error::Kind;
    use crate::testing::{answer, env, event, exception, lost_answer, pool};

    const CONFIRMED: &str = "PostConfirmation_ConfirmSignUp";

    fn user(role: Value) -> Value {
        json!({ "userAttributes": {
            "sub": "s-1",
            "cognito:user_status": "CONFIRMED",
            "email": "user@example.com",
            "email_verified": "true",
            "custom:role": role,
        } })
    }

    async fn confirm(group: &Rule, event: &Event) -> Result<()> {
        let roles = Roles::from_env(Env::new(&env(&[("ROLES", "User,Admin")]))).unwrap();
        post_confirmation(event, &pool([group]).cognito, &roles).await
    }

    fn group_added() -> Rule {
        mock!(Client::admin_add_user_to_group).then_http_response(|| answer(200, "{}"))
    }

    #[tokio::test]
    async fn a_confirmed_user_is_added_to_the_roles_group_of_the_events_pool_each_time_alike() {
        let sent = AdminAddUserToGroupInput::builder()
            .user_pool_id("us-east-1_pool")
            .username("the-username")
            .group_name("User")
            .build()
            .unwrap();
        let group = mock!(Client::admin_add_user_to_group)
            .match_requests(move |input| *input == sent)
            .then_http_response(|| answer(200, "{}"));
        let event = event(CONFIRMED, user(json!("User")));
        confirm(&group, &event).await.unwrap();
        confirm(&group, &event).await.unwrap();
        assert_eq!(group.num_calls(), 2);
    }

    #[tokio::test]
    async fn what_is_no_confirmed_sign_up_with_a_role_changes_nothing() {
        for (why, source, request) in [
            (
                "a new password",
                "PostConfirmation_ConfirmForgotPassword",
                user(json!("User")),
            ),
            ("an administrator's user", CONFIRMED, user(Value::Null)),
            ("an empty role", CONFIRMED, user(json!(""))),
            ("no attributes", CONFIRMED, json!({})),
        ] {
            let group = group_added();
            confirm(&group, &event(source, request)).await.unwrap();
            assert_eq!(group.num_calls(), 0, "{why}");
        }
    }

    #[tokio::test]
    async fn an_event_that_can_not_be_right_is_our_fault_and_changes_nothing() {
        let without = |key: &str| {
            let mut event = event(CONFIRMED, user(json!("User"))).into_json();
            event.remove(key);
            Event::new(event)
        };
        for (event, cause) in [
            (
                event(CONFIRMED, user(json!("Nobody"))),
                "the user's custom:role names no role of this stack",
            ),
            (
                event("PreSignUp_SignUp", user(json!("User"))),
                "the function is attached to a trigger that it is not made for",
            ),
            (
                without("triggerSource"),
                "the function is attached to a trigger that it is not made for",
            ),
            (
                without("userPoolId"),
                "the trigger's event has no userPoolId",
            ),
            (without("userName"), "the trigger's event has no userName"),
        ] {
            let group = group_added();
            let error = confirm(&group, &event).await.unwrap_err();
            assert_eq!(error.kind, Kind::Internal, "{cause}");
            assert_eq!(error.cause.unwrap(), cause);
            assert_eq!(group.num_calls(), 0, "{cause}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_that_can_not_be_added_fails_the_trigger_and_a_passing_failure_does_not() {
        let passing = mock!(Client::admin_add_user_to_group)
            .sequence()
            .http_status(500, None)
            .http_response(lost_answer)
            .http_response(|| answer(200, "{}"))
            .build();
        let missing = mock!(Client::admin_add_user_to_group)
            .then_http_response(|| exception("ResourceNotFoundException", "Group not found."));
        let event = event(CONFIRMED, user(json!("User")));
        confirm(&passing, &event).await.unwrap();
        assert_eq!(passing.num_calls(), 3);
        let error = confirm(&missing, &event).await.unwrap_err();
        assert_eq!(error.kind, Kind::Internal);
        assert_eq!(missing.num_calls(), 1);
    }
}
