//! After a confirmation: the role's group, if `sign-up` did not add it; after a password reset: the end of all sessions.

use serde::Deserialize;

use crate::clients::UserPoolAdmin;
use crate::error::{Error, Result};
use crate::roles::Roles;
use crate::telemetry::{self, Metric};
use crate::trigger::{self, Event, UserAttributes, View, nullable};

/// The `request` of the event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    user_attributes: UserAttributes<'a>,
}

/// After a confirmation, adds the user to the role's group. After a password reset, signs the user out. A second
/// time changes nothing.
///
/// The pool's id is the event's: the template can't pass it to the function, because the pool depends on the function.
///
/// # Errors
/// Cognito's; internal for another trigger's event or a role that does not exist. A sign-out that fails is only logged
/// and counted: an error would look as if the reset had failed.
pub async fn post_confirmation(event: &Event, admin: &UserPoolAdmin, roles: &Roles) -> Result<()> {
    let is_reset = match event.source() {
        "PostConfirmation_ConfirmSignUp" => false,
        "PostConfirmation_ConfirmForgotPassword" => true,
        _ => return Err(trigger::unknown_source()),
    };
    let view: View<Request> = event.view()?;
    let user_pool_id = view.user_pool_id.required("userPoolId")?;
    let username = view.user_name.required("userName")?;
    if is_reset {
        if let Err(error) = admin.sign_out(user_pool_id, username).await {
            telemetry::count(Metric::SignOutFailures);
            tracing::error!(
                cause = error.cause,
                "the password was reset, but the sessions from before were not ended"
            );
        }
        return Ok(());
    }
    // An administrator made a user without the attribute, and gives the groups too.
    let Some(role) = view.request.user_attributes.role.get() else {
        return Ok(());
    };
    if !roles.contains(role) {
        return Err(Error::internal(
            "the user's custom:role names no role of this stack",
        ));
    }
    admin.add_to_group(user_pool_id, username, role).await
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, Reply};
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Kind;
    use crate::testing::{event, log, metrics, with_env, with_setup};

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

    async fn confirm(aws: &FakeAws, event: &Event) -> Result<()> {
        let admin = with_setup(aws.http_client(), &[], |setup| setup.user_pool_admin()).unwrap();
        let roles = with_env(&[("ROLES", "User,Admin")], Roles::from_env).unwrap();
        post_confirmation(event, &admin, &roles).await
    }

    #[tokio::test]
    async fn a_confirmed_user_gets_the_roles_group_each_time_alike() {
        let aws = FakeAws::default();
        let event = event(CONFIRMED, user(json!("User")));
        confirm(&aws, &event).await.unwrap();
        confirm(&aws, &event).await.unwrap();
        let group = json!({
            "UserPoolId": "us-east-1_pool",
            "Username": "the-username",
            "GroupName": "User",
        });
        assert_eq!(aws.bodies("AdminAddUserToGroup"), [group.clone(), group]);
    }

    #[tokio::test]
    async fn an_event_that_confirms_no_role_changes_nothing() {
        for (why, request) in [
            ("an administrator's user", user(Value::Null)),
            ("an empty role", user(json!(""))),
            ("no attributes", json!({})),
        ] {
            let aws = FakeAws::default();
            confirm(&aws, &event(CONFIRMED, request)).await.unwrap();
            assert!(aws.calls().is_empty(), "{why}");
        }
    }

    #[tokio::test]
    async fn a_password_reset_ends_every_session_and_stands_if_it_can_not() {
        let event = event(
            "PostConfirmation_ConfirmForgotPassword",
            user(json!("User")),
        );
        let aws = FakeAws::default();
        confirm(&aws, &event).await.unwrap();
        let user = json!({ "UserPoolId": "us-east-1_pool", "Username": "the-username" });
        assert_eq!(aws.bodies("AdminUserGlobalSignOut"), [user]);
        assert_eq!(aws.calls().len(), 1);

        let aws = FakeAws::failing("AdminUserGlobalSignOut", "AccessDeniedException", "no");
        let (metrics, _guard) = metrics();
        let (log, _guard) = log();
        confirm(&aws, &event).await.unwrap();
        assert_eq!(metrics.take(), [("SignOutFailures".to_owned(), 1)]);
        let [line] = &log.lines()[..] else {
            panic!("one line");
        };
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["cause"], "AccessDeniedException: no");
    }

    #[tokio::test]
    async fn invalid_event_is_an_internal_error() {
        let without = |key: &str| {
            let mut event = event(CONFIRMED, user(json!("User"))).into_json();
            event.remove(key);
            Event::new(event)
        };
        let no_role = "the user's custom:role names no role of this stack";
        let source = "the function is attached to a trigger that it is not made for";
        let no_pool = "the trigger's event has no userPoolId";
        let no_name = "the trigger's event has no userName";
        for (event, cause) in [
            (event(CONFIRMED, user(json!("Nobody"))), no_role),
            (event("PreSignUp_SignUp", user(json!("User"))), source),
            (without("triggerSource"), source),
            (without("userPoolId"), no_pool),
            (without("userName"), no_name),
        ] {
            let aws = FakeAws::default();
            let error = confirm(&aws, &event).await.unwrap_err();
            assert_eq!(error.kind, Kind::Internal, "{cause}");
            assert_eq!(error.cause.unwrap(), cause);
            assert!(aws.calls().is_empty(), "{cause}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_failure_of_the_sign_out_is_retried() {
        let event = event("PostConfirmation_ConfirmForgotPassword", user(Value::Null));
        let replies = [Reply::text(500, ""), Reply::lost(), Reply::text(200, "{}")];
        let aws = FakeAws::in_turn("AdminUserGlobalSignOut", replies);
        let (metrics, _guard) = metrics();
        confirm(&aws, &event).await.unwrap();
        assert_eq!(aws.calls().len(), 3);
        assert!(metrics.take().is_empty());
    }
}
