//! The end of an account, by its owner.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_cognitoidentityprovider::operation::get_user::GetUserOutput;

use crate::access_token::{self, AccessToken, Users};
use crate::clients::{self, Setup};
use crate::config;
use crate::error::{Error, Name, Result};
use crate::message::Message;
use crate::request::Fields;
use crate::route::{Bearer, Route};
use crate::username::Username;

/// `POST /auth/account/delete`.
#[derive(Debug)]
pub struct AccountDelete {
    users: Users,
    /// How long ago the user may have signed in at most; zero is any time.
    reauthentication: Duration,
}

/// The username, typed once more.
#[derive(Debug)]
pub struct Request {
    token: AccessToken,
    username: Username,
}

impl Route for AccountDelete {
    const NAME: &'static str = "account-delete";
    type Caller = Bearer;
    type Request = Request;
    type Response = Message;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        let minutes = setup.env.number("REAUTHENTICATION_MINUTES", 0)?;
        Ok(Self {
            users: Users::new(setup)?,
            reauthentication: Duration::from_secs(60 * u64::from(minutes)),
        })
    }

    fn parse(&self, Bearer(token): Bearer, fields: &Fields<'_>) -> Result<Request> {
        Ok(Request {
            token: self.users.check(token)?,
            username: fields.username()?,
        })
    }

    async fn run(&self, Request { token, username }: Request) -> Result<Message> {
        // The token's claims may be used only after this call.
        let user = self.users.get(&token).await?;
        self.check_fresh(&token)?;
        check_own(&user, &username)?;
        self.users
            .pool
            .cognito
            .delete_user()
            .access_token(token.as_str())
            .customize()
            .config_override(clients::second())
            .send()
            .await
            .map_err(access_token::error)?;
        Ok(Message::new("Your account has been deleted."))
    }
}

impl AccountDelete {
    fn check_fresh(&self, token: &AccessToken) -> Result<()> {
        let signed_in = UNIX_EPOCH.checked_add(Duration::from_secs(token.claims.auth_time));
        let age = signed_in.map(|signed_in| SystemTime::now().duration_since(signed_in));
        // Cognito's clock may be ahead of this one.
        let is_fresh = age.is_some_and(|age| age.unwrap_or_default() <= self.reauthentication);
        match is_fresh || self.reauthentication.is_zero() {
            true => Ok(()),
            false => Err(Error::new(
                Name::ReauthenticationRequiredException,
                "Please sign in again.",
            )),
        }
    }
}

/// Checks that the username is one of the user's own, as Cognito compares them.
fn check_own(user: &GetUserOutput, username: &Username) -> Result<()> {
    let own = access_token::attribute(user, username.kind().attribute());
    match own.is_some_and(|own| own.eq_ignore_ascii_case(username.as_str())) {
        true => Ok(()),
        false => Err(Error::invalid_parameter(
            "Username is not that of the signed-in user.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, Reply, access_token};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{assert_error, route, run_as};

    fn body() -> Value {
        json!({ "username": "user@example.com" })
    }

    /// The token of a sign-in of this age, in seconds.
    fn token(age: i64) -> String {
        let now = UNIX_EPOCH.elapsed().unwrap().as_secs();
        access_token(&json!({ "auth_time": now.checked_add_signed(-age).unwrap() }))
    }

    /// The result of a deletion, and the operations that were called.
    async fn delete(
        aws: &FakeAws,
        minutes: &str,
        token: &str,
        body: &Value,
    ) -> (Result<Value>, Vec<String>) {
        let route = route::<AccountDelete>(aws, &[("REAUTHENTICATION_MINUTES", minutes)]);
        let outcome = run_as(&route, token, body).await;
        let calls = aws.calls().into_iter().map(|call| call.operation);
        (outcome, calls.collect())
    }

    #[tokio::test]
    async fn a_sign_in_must_be_as_fresh_as_the_stack_says() {
        for (minutes, token, is_fresh, why) in [
            ("5", token(290), true, "just fresh enough"),
            ("5", token(310), false, "just too old"),
            ("5", token(-60), true, "a clock that is ahead"),
            ("1", token(290), false, "a shorter time"),
            ("600", token(290), true, "a longer time"),
            ("5", access_token(&json!({})), false, "no time"),
            (
                "5",
                access_token(&json!({ "auth_time": u64::MAX })),
                false,
                "no such time",
            ),
            ("0", token(1_000_000), true, "any time"),
            ("0", access_token(&json!({})), true, "any time, and none"),
        ] {
            let (outcome, calls) = delete(&FakeAws::default(), minutes, &token, &body()).await;
            assert_eq!(calls.len(), if is_fresh { 2 } else { 1 }, "{why}");
            if !is_fresh {
                let error = outcome.unwrap_err();
                let message = "Please sign in again.";
                assert_error(&error, "ReauthenticationRequiredException", message, why);
            }
        }
    }

    #[tokio::test]
    async fn only_the_users_own_username_deletes() {
        let attributes = json!([
            { "Name": "sub", "Value": "a-sub" },
            { "Name": "email", "Value": "user@example.com" },
            { "Name": "phone_number", "Value": "+34999999999" },
            { "Name": "custom:role", "Value": "another@example.com" },
        ]);
        let user = json!({ "Username": "a-sub", "UserAttributes": attributes });
        for (username, is_own) in [
            ("user@example.com", true),
            ("User@Example.COM", true),
            ("+34999999999", true),
            ("another@example.com", false),
            ("+34999999998", false),
        ] {
            let aws = FakeAws::with("GetUser", Reply::json(200, &user));
            let body = json!({ "username": username });
            let (outcome, calls) = delete(&aws, "5", &token(0), &body).await;
            assert_eq!(calls.len(), if is_own { 2 } else { 1 }, "{username}");
            if !is_own {
                let message = "Username is not that of the signed-in user.";
                let error = outcome.unwrap_err();
                assert_error(&error, "InvalidParameterException", message, username);
            }
        }
    }

    #[tokio::test]
    async fn a_token_that_cognito_rejects_deletes_nobody() {
        let (revoked, unknown) = ("NotAuthorizedException", "UserNotFoundException");
        for (operation, exception, message) in [
            ("GetUser", revoked, "Access Token has been revoked"),
            ("GetUser", unknown, "Invalid Access Token"),
            ("DeleteUser", unknown, "Invalid Access Token"),
        ] {
            let aws = FakeAws::failing(operation, exception, "Access Token has been revoked");
            let (outcome, calls) = delete(&aws, "5", &token(0), &body()).await;
            assert_eq!(calls.last().unwrap(), operation);
            let error = outcome.unwrap_err();
            assert_error(&error, "NotAuthorizedException", message, operation);
        }
    }
}
