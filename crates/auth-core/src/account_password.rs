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
    use serde_json::json;

    use super::*;
    use crate::error::Kind;
    use crate::testing::{assert_error, route, run_as};

    #[tokio::test]
    async fn sessions_that_go_on_are_reported_with_the_remedy() {
        for exception in ["InternalErrorException", "NotAuthorizedException"] {
            let aws = FakeAws::failing("GlobalSignOut", exception, "no");
            let route = route::<AccountPassword>(&aws, &[]);
            let body = json!({ "password": "old word", "newPassword": "new word" });
            let error = run_as(&route, &access_token(&json!({})), &body).await;
            let error = error.unwrap_err();
            let message = "Your password has been changed, but your sessions go on: end them with POST /token/revoke.";
            assert_error(&error, "ServiceUnavailableException", message, exception);
            assert_eq!(error.kind, Kind::Unavailable);
            assert_eq!(error.retry_after, Some(5));
            assert_eq!(error.cause.unwrap(), exception);
        }
    }
}
