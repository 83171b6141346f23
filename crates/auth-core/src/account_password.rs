//! Changes the password of the signed-in user with the old password.

use secrecy::{ExposeSecret as _, SecretString};

use crate::access_token::{self, AccessToken, Users};
use crate::clients::{self, Setup};
use crate::config;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::request::Fields;
use crate::route::{Bearer, Route};

/// `POST /auth/account/password`. Ends every session of the user, because somebody else may have used the old password.
#[derive(Debug)]
pub struct AccountPassword(Users);

/// The old password and the new one.
#[derive(Debug)]
pub struct Request {
    token: AccessToken,
    password: SecretString,
    new_password: SecretString,
}

impl Route for AccountPassword {
    const NAME: &'static str = "account-password";
    type Caller = Bearer;
    type Request = Request;
    type Response = Message;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        Users::new(setup).map(Self)
    }

    fn parse(&self, Bearer(token): Bearer, fields: &Fields<'_>) -> Result<Request> {
        Ok(Request {
            token: self.0.check(token)?,
            password: fields.secret("password")?,
            new_password: fields.secret("newPassword")?,
        })
    }

    async fn run(&self, request: Request) -> Result<Message> {
        let (cognito, token) = (&self.0.pool.cognito, request.token.as_str());
        cognito
            .change_password()
            .access_token(token)
            .previous_password(request.password.expose_secret())
            .proposed_password(request.new_password.expose_secret())
            .send()
            .await
            .map_err(access_token::error)?;
        let sign_out = cognito.global_sign_out().access_token(token).customize();
        let signed_out = sign_out.config_override(clients::second()).send().await;
        signed_out.map_err(|error| {
            let error = Error::from(error);
            Error::half_done(
                "Your password has been changed, but your sessions go on: end them with POST /token/revoke.",
                error.cause.unwrap_or_else(|| error.name.into_owned()),
            )
        })?;
        Ok(Message::new("Your password has been successfully changed."))
    }
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, access_token};
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Kind;
    use crate::testing::{assert_error, assert_required_as, route, run_as};

    fn body() -> Value {
        json!({ "password": " old word ", "newPassword": " new word " })
    }

    #[tokio::test]
    async fn the_password_is_changed_and_then_every_session_ends() {
        let (aws, token) = (FakeAws::default(), access_token(&json!({})));
        let response = run_as(&route::<AccountPassword>(&aws, &[]), &token, &body()).await;
        assert_eq!(
            response.unwrap(),
            json!({ "message": "Your password has been successfully changed." })
        );
        let calls = aws.calls();
        assert_eq!(
            [&calls[0].operation, &calls[1].operation],
            ["ChangePassword", "GlobalSignOut"]
        );
        let change = json!({ "AccessToken": token, "PreviousPassword": " old word ", "ProposedPassword": " new word " });
        assert_eq!(calls[0].body, change);
        assert_eq!(calls[1].body, json!({ "AccessToken": token }));
    }

    #[tokio::test]
    async fn a_rejected_change_ends_no_session() {
        let message = "Incorrect username or password.";
        let aws = FakeAws::failing("ChangePassword", "NotAuthorizedException", message);
        let token = access_token(&json!({}));
        let error = run_as(&route::<AccountPassword>(&aws, &[]), &token, &body()).await;
        assert_error(&error.unwrap_err(), "NotAuthorizedException", message, "");
        assert!(aws.bodies("GlobalSignOut").is_empty());
    }

    #[tokio::test]
    async fn sessions_that_go_on_are_reported_with_the_remedy() {
        for exception in [
            "InternalErrorException",
            "TooManyRequestsException",
            "NotAuthorizedException",
        ] {
            let aws = FakeAws::failing("GlobalSignOut", exception, "no");
            let token = access_token(&json!({}));
            let error = run_as(&route::<AccountPassword>(&aws, &[]), &token, &body()).await;
            let error = error.unwrap_err();
            assert_error(
                &error,
                "ServiceUnavailableException",
                "Your password has been changed, but your sessions go on: end them with POST /token/revoke.",
                exception,
            );
            assert_eq!(error.kind, Kind::Unavailable);
            assert_eq!(error.retry_after, Some(5));
            assert_eq!(error.cause.unwrap(), exception);
        }
    }

    #[test]
    fn each_field_is_required() {
        let route = route::<AccountPassword>(&FakeAws::default(), &[]);
        assert_required_as(&route, &access_token(&json!({})), &body());
    }
}
