//! Sign-out: of every session of the user, or of one.

use secrecy::{ExposeSecret as _, SecretString};

use crate::access_token::{self, AccessToken, Users};
use crate::clients::Setup;
use crate::config;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::request::Fields;
use crate::route::{Anyone, Route};

/// `POST /auth/token/revoke`. Tokens that are verified offline stay good until they expire.
#[derive(Debug)]
pub struct TokenRevoke(Users);

/// The token to revoke.
#[derive(Debug)]
pub enum Request {
    /// Every session of this token's user.
    EverySession(AccessToken),
    /// The session of this refresh token.
    OneSession(SecretString),
}

impl Route for TokenRevoke {
    const NAME: &'static str = "token-revoke";
    type Caller = Anyone;
    type Request = Request;
    type Response = Message;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        Users::new(setup).map(Self)
    }

    fn parse(&self, _: Anyone, fields: &Fields<'_>) -> Result<Request> {
        match (fields.has("accessToken")?, fields.has("refreshToken")?) {
            (true, true) => Err(Error::invalid_parameter(
                "Give either AccessToken or RefreshToken, not both.",
            )),
            (false, true) => {
                let rejection = || Error::not_authorized("Invalid Refresh Token");
                fields
                    .token("refreshToken", rejection)
                    .map(Request::OneSession)
            }
            (_, false) => {
                let token = fields.token("accessToken", access_token::invalid)?;
                self.0.check(token).map(Request::EverySession)
            }
        }
    }

    async fn run(&self, request: Request) -> Result<Message> {
        let cognito = &self.0.pool.cognito;
        match request {
            Request::EverySession(token) => {
                let sign_out = cognito.global_sign_out().access_token(token.as_str());
                sign_out.send().await?;
            }
            Request::OneSession(token) => {
                let client_id = &self.0.pool.client_id;
                let revoke = cognito.revoke_token().client_id(client_id);
                revoke.token(token.expose_secret()).send().await?;
            }
        }
        Ok(Message::new("Signed out"))
    }
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, access_token};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{assert_error, assert_required, parse, route, run};

    #[tokio::test]
    async fn an_access_token_ends_every_session() {
        let aws = FakeAws::default();
        let token = access_token(&json!({}));
        // An empty token counts as missing.
        for other in [Value::Null, json!("")] {
            let body = json!({ "accessToken": token, "refreshToken": other });
            let response = run(&route::<TokenRevoke>(&aws, &[]), &body).await.unwrap();
            assert_eq!(response, json!({ "message": "Signed out" }));
            assert_eq!(
                aws.bodies("GlobalSignOut"),
                [json!({ "AccessToken": token })]
            );
            assert_eq!(aws.calls().len(), 1);
            aws.forget();
        }
    }

    #[tokio::test]
    async fn a_refresh_token_ends_its_session_alone() {
        let aws = FakeAws::default();
        for other in [Value::Null, json!("")] {
            let body = json!({ "accessToken": other, "refreshToken": "the-refresh_token" });
            let response = run(&route::<TokenRevoke>(&aws, &[]), &body).await.unwrap();
            assert_eq!(response, json!({ "message": "Signed out" }));
            assert_eq!(
                aws.bodies("RevokeToken"),
                [json!({ "ClientId": "client", "Token": "the-refresh_token" })]
            );
            assert_eq!(aws.calls().len(), 1);
            aws.forget();
        }
    }

    #[test]
    fn both_tokens_at_once_are_rejected() {
        let route = route::<TokenRevoke>(&FakeAws::default(), &[]);
        let body = json!({ "accessToken": access_token(&json!({})), "refreshToken": "r" });
        assert_error(
            &parse(&route, &body).unwrap_err(),
            "InvalidParameterException",
            "Give either AccessToken or RefreshToken, not both.",
            "both",
        );
    }

    #[test]
    fn a_text_that_is_no_token_is_rejected_without_a_call() {
        let route = route::<TokenRevoke>(&FakeAws::default(), &[]);
        let own = access_token(&json!({}));
        for (key, token, message) in [
            ("accessToken", "a.b.c", "Invalid Access Token"),
            ("accessToken", &format!("{own}\n"), "Invalid Access Token"),
            (
                "accessToken",
                &access_token(&json!({ "client_id": "another" })),
                "Invalid Access Token",
            ),
            ("refreshToken", "a b", "Invalid Refresh Token"),
        ] {
            let error = parse(&route, &json!({ key: token })).unwrap_err();
            assert_error(&error, "NotAuthorizedException", message, token);
        }
    }

    #[test]
    fn a_token_is_required() {
        let route = route::<TokenRevoke>(&FakeAws::default(), &[]);
        assert_required(&route, &json!({ "accessToken": access_token(&json!({})) }));
    }
}
