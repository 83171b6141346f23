//! New tokens for a refresh token, with rotation and without.

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::{self, Setup, UserPool};
use crate::config;
use crate::error::{Error, Result};
use crate::request::Fields;
use crate::route::{Anyone, Route};
use crate::tokens::Tokens;

/// `POST /auth/token/refresh`. A retry is harmless: a rotated token stays valid for 60 s.
#[derive(Debug)]
pub struct TokenRefresh(UserPool);

/// A refresh token.
#[derive(Debug)]
pub struct Request {
    refresh_token: SecretString,
}

impl Route for TokenRefresh {
    const NAME: &'static str = "token-refresh";
    type Caller = Anyone;
    type Request = Request;
    type Response = Tokens;

    fn new(setup: &Setup<'_>) -> config::Result<Self> {
        setup.user_pool().map(Self)
    }

    fn parse(&self, _: Anyone, fields: &Fields<'_>) -> Result<Request> {
        let rejection = || Error::not_authorized("Invalid Refresh Token");
        Ok(Request {
            refresh_token: fields.token("refreshToken", rejection)?,
        })
    }

    async fn run(&self, request: Request) -> Result<Tokens> {
        let presented = request.refresh_token.expose_secret();
        let response = self
            .0
            .cognito
            .get_tokens_from_refresh_token()
            .client_id(&self.0.client_id)
            .refresh_token(presented)
            .customize()
            .config_override(clients::repeatable())
            .send()
            .await?;
        Tokens::from_result(response.authentication_result, Some(presented))
    }
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, Reply};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{assert_error, parse, route, run};

    #[tokio::test]
    async fn the_refresh_token_is_the_new_one_or_the_presented_one() {
        for (why, returned, expected) in [
            ("rotation", json!("the-new-one"), "the-new-one"),
            ("no rotation", Value::Null, "the-presented-one"),
            ("an empty one is none", json!(""), "the-presented-one"),
        ] {
            let tokens = json!({ "AccessToken": "a", "IdToken": "i", "RefreshToken": returned });
            let reply = Reply::json(200, &json!({ "AuthenticationResult": tokens }));
            let aws = FakeAws::with("GetTokensFromRefreshToken", reply);
            let body = json!({ "refreshToken": "the-presented-one" });
            let response = run(&route::<TokenRefresh>(&aws, &[]), &body).await.unwrap();
            assert_eq!(response["refreshToken"], expected, "{why}");
        }
    }

    #[test]
    fn a_text_that_is_no_refresh_token_is_rejected_without_a_call() {
        let route = route::<TokenRefresh>(&FakeAws::default(), &[]);
        for token in ["a b", "a\n", "a/b+", "\u{1f680}"] {
            let error = parse(&route, &json!({ "refreshToken": token })).unwrap_err();
            let message = "Invalid Refresh Token";
            assert_error(&error, "NotAuthorizedException", message, token);
        }
    }
}
