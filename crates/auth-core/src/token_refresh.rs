//! New tokens for a refresh token, with rotation and without.

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::{self, UserPool};
use crate::error::{Error, Result};
use crate::request::Fields;
use crate::tokens::Tokens;

/// A refresh token.
#[derive(Debug)]
pub struct Request {
    refresh_token: SecretString,
}

impl Request {
    /// Reads `refreshToken`.
    ///
    /// # Errors
    /// A missing or bad field; `NotAuthorizedException` where Cognito can't have issued it.
    pub fn parse(fields: &Fields<'_>) -> Result<Self> {
        let refresh_token = fields.token("refreshToken", || {
            Error::not_authorized("Invalid Refresh Token")
        })?;
        Ok(Self { refresh_token })
    }
}

/// Trades the refresh token in. A repeat is harmless: a rotated token stays good for a grace of 60 s.
///
/// # Errors
/// Cognito's refusals.
pub async fn token_refresh(pool: &UserPool, request: Request) -> Result<Tokens> {
    let presented = request.refresh_token.expose_secret();
    let answer = pool
        .cognito
        .get_tokens_from_refresh_token()
        .client_id(&pool.client_id)
        .refresh_token(presented)
        .customize()
        .config_override(clients::repeatable())
        .send()
        .await?;
    Tokens::from_result(answer.authentication_result, Some(presented))
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentityprovider::Client;
    use aws_sdk_cognitoidentityprovider::operation::get_tokens_from_refresh_token::GetTokensFromRefreshTokenInput;
    use aws_smithy_mocks::mock;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{answer, assert_required, parsed, pool, seen};

    fn body() -> Value {
        json!({ "refreshToken": "the.presented_one-" })
    }

    /// What the caller sees where Cognito answers with this result.
    async fn refreshed(result: Value) -> Result<Value> {
        let sent = GetTokensFromRefreshTokenInput::builder()
            .client_id("client")
            .refresh_token("the.presented_one-")
            .build()
            .unwrap();
        let rule = mock!(Client::get_tokens_from_refresh_token)
            .match_requests(move |input| *input == sent)
            .then_http_response(move || answer(200, &result.to_string()));
        let request = parsed(&body(), Request::parse)?;
        let outcome = token_refresh(&pool([&rule]), request).await;
        assert_eq!(rule.num_calls(), 1);
        outcome.map(seen)
    }

    #[tokio::test]
    async fn the_refresh_token_is_the_new_one_with_rotation_and_the_presented_one_without() {
        for (why, returned, expected) in [
            ("rotation", json!("the-new-one"), "the-new-one"),
            ("no rotation", Value::Null, "the.presented_one-"),
            ("an empty one is none", json!(""), "the.presented_one-"),
        ] {
            let result = json!({ "AuthenticationResult": { "AccessToken": "a", "IdToken": "i", "RefreshToken": returned, "ExpiresIn": 300, "TokenType": "Bearer" } });
            assert_eq!(
                refreshed(result).await.unwrap(),
                json!({ "accessToken": "a", "tokenId": "i", "refreshToken": expected, "expiresIn": 300, "tokenType": "Bearer" }),
                "{why}"
            );
        }
    }

    #[tokio::test]
    async fn an_answer_without_tokens_is_not_a_success() {
        for (why, answer) in [
            ("nothing", json!({})),
            ("no tokens", json!({ "AuthenticationResult": {} })),
            (
                "no ID token",
                json!({ "AuthenticationResult": { "AccessToken": "a", "RefreshToken": "r" } }),
            ),
        ] {
            let error = refreshed(answer).await.unwrap_err();
            assert_eq!(error.name, "ServiceUnavailableException", "{why}");
        }
    }

    #[test]
    fn what_cognito_can_not_have_issued_is_refused_in_its_words_before_it_gets_there() {
        for (token, why) in [
            ("a b", "a space"),
            ("a\n", "a line end"),
            ("a/b+", "base64 that is not for URLs"),
            ("\u{1f680}", "not ASCII"),
        ] {
            let error = parsed(&json!({ "refreshToken": token }), Request::parse).unwrap_err();
            assert_eq!(
                (&*error.name, &*error.message),
                ("NotAuthorizedException", "Invalid Refresh Token"),
                "{why}"
            );
        }
    }

    #[test]
    fn the_refresh_token_is_required() {
        assert_required(&body(), Request::parse);
    }
}
