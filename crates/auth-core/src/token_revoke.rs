//! Sign-out: every token of the user is revoked.

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::{Setup, UserPool};
use crate::config;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::request::Fields;
use crate::route::Route;

/// `POST /auth/token/revoke`. Tokens that are verified offline stay good until they expire.
#[derive(Debug)]
pub struct TokenRevoke(UserPool);

/// The access token of the user who signs out.
#[derive(Debug)]
pub struct Request {
    access_token: SecretString,
}

impl Route for TokenRevoke {
    const NAME: &'static str = "token-revoke";
    type Request = Request;
    type Response = Message;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        setup.user_pool().map(Self)
    }

    fn parse(&self, fields: &Fields<'_>) -> Result<Request> {
        let rejection = || Error::not_authorized("Invalid Access Token");
        let access_token = fields.token("accessToken", rejection)?;
        let parts = access_token.expose_secret().split('.');
        let is_jwt = parts.clone().count() == 3 && parts.clone().all(|part| !part.is_empty());
        match is_jwt {
            true => Ok(Request { access_token }),
            false => Err(rejection()),
        }
    }

    async fn run(&self, request: Request) -> Result<Message> {
        self.0
            .cognito
            .global_sign_out()
            .access_token(request.access_token.expose_secret())
            .send()
            .await?;
        Ok(Message::new("Signed out"))
    }
}

#[cfg(test)]
mod tests {
    use fake_aws::FakeAws;
    use serde_json::json;

    use super::*;
    use crate::testing::{assert_error, assert_required, parse, route, run};

    #[tokio::test]
    async fn cognito_gets_the_access_token_and_no_more() {
        let aws = FakeAws::default();
        let body = json!({ "accessToken": "aGVh-ZA.cGF5_bG9hZA.c2ln" });
        let response = run(&route::<TokenRevoke>(&aws, &[]), &body).await.unwrap();
        assert_eq!(response, json!({ "message": "Signed out" }));
        assert_eq!(
            aws.bodies("GlobalSignOut"),
            [json!({ "AccessToken": "aGVh-ZA.cGF5_bG9hZA.c2ln" })]
        );
    }

    #[test]
    fn a_text_that_is_no_jwt_is_rejected_without_a_call() {
        let route = route::<TokenRevoke>(&FakeAws::default(), &[]);
        for (token, why) in [
            ("token", "no dots"),
            ("a.b", "two parts"),
            ("a.b.c.d", "four parts"),
            ("a.b.c.d.e", "an encrypted JWT"),
            ("..", "empty parts"),
            ("a..c", "an empty payload"),
            ("a.b.", "no signature"),
            ("a.b.c ", "a space"),
            ("Bearer a.b.c", "a header's value"),
            ("a.b.c\n", "a line end"),
            ("a.b+/.c", "base64 that is not for URLs"),
            ("a.b.\u{00e7}", "a letter that is not ASCII"),
        ] {
            let error = parse(&route, &json!({ "accessToken": token })).unwrap_err();
            assert_error(
                &error,
                "NotAuthorizedException",
                "Invalid Access Token",
                why,
            );
        }
    }

    #[test]
    fn the_access_token_is_required() {
        let route = route::<TokenRevoke>(&FakeAws::default(), &[]);
        assert_required(&route, &json!({ "accessToken": "a.b.c" }));
    }
}
