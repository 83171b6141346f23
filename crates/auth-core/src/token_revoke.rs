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
    use crate::testing::{assert_error, parse, route};

    #[test]
    fn an_empty_token_counts_as_missing() {
        let route = route::<TokenRevoke>(&FakeAws::default(), &[]);
        for none in [Value::Null, json!("")] {
            let every = json!({ "accessToken": access_token(&json!({})), "refreshToken": none });
            let every = parse(&route, &every).unwrap();
            assert!(matches!(every, Request::EverySession(_)));
            let one = json!({ "accessToken": none, "refreshToken": "a-refresh_token" });
            let one = parse(&route, &one).unwrap();
            assert!(matches!(one, Request::OneSession(_)));
        }
    }

    #[test]
    fn both_tokens_or_a_malformed_one_are_rejected() {
        let route = route::<TokenRevoke>(&FakeAws::default(), &[]);
        let own = access_token(&json!({}));
        let (invalid, denied) = ("InvalidParameterException", "NotAuthorizedException");
        let both = "Give either AccessToken or RefreshToken, not both.";
        for (access, refresh, name, message) in [
            (&*own, "r", invalid, both),
            ("a.b.c", "", denied, "Invalid Access Token"),
            (&format!("{own}\n"), "", denied, "Invalid Access Token"),
            ("", "a b", denied, "Invalid Refresh Token"),
        ] {
            let body = json!({ "accessToken": access, "refreshToken": refresh });
            let error = parse(&route, &body).unwrap_err();
            assert_error(&error, name, message, access);
        }
    }
}
