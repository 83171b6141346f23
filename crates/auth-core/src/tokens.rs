//! The tokens, as `sign-in`, `token` and `token-refresh` answer them.

use aws_sdk_cognitoidentityprovider::types::AuthenticationResultType;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::telemetry::{self, Metric};

/// Tokens of a signed-in user.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// The access token, a JWT.
    pub access_token: String,
    /// The ID token, a JWT; `tokenId` is its documented name.
    pub token_id: String,
    /// The refresh token, opaque.
    pub refresh_token: String,
    /// Seconds until the access token expires.
    pub expires_in: i32,
    /// `Bearer`.
    pub token_type: String,
}

impl Tokens {
    /// The tokens of Cognito's result of a sign-in.
    ///
    /// # Errors
    /// As [`Tokens::from_result`].
    pub fn of_sign_in(result: Option<AuthenticationResultType>) -> Result<Self> {
        Self::from_result(result, None).inspect(|_| telemetry::count(Metric::SignIns))
    }

    /// The tokens of Cognito's result. `presented` is the refresh token of the request, which stays valid if Cognito
    /// returns no new one.
    ///
    /// # Errors
    /// Unavailable if a token is missing: an answer without tokens is never a success.
    pub fn from_result(
        result: Option<AuthenticationResultType>,
        presented: Option<&str>,
    ) -> Result<Self> {
        let tokens = result.and_then(|result| {
            Some(Self {
                access_token: present(result.access_token)?,
                token_id: present(result.id_token)?,
                refresh_token: present(result.refresh_token).or(presented.map(str::to_owned))?,
                expires_in: result.expires_in,
                token_type: result.token_type.unwrap_or_else(|| "Bearer".to_owned()),
            })
        });
        tokens.ok_or_else(|| {
            Error::unavailable("Cognito's answer has neither tokens nor a challenge")
        })
    }
}

fn present(token: Option<String>) -> Option<String> {
    token.filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::to_json;

    /// What Cognito answers; an empty text is a token that is not there.
    fn result(access: &str, id: &str, refresh: &str) -> Option<AuthenticationResultType> {
        let tokens = AuthenticationResultType::builder()
            .access_token(access)
            .id_token(id)
            .refresh_token(refresh)
            .expires_in(3600);
        Some(tokens.build())
    }

    #[test]
    fn tokens_have_their_documented_names_and_a_number_of_seconds() {
        let tokens = Tokens::from_result(result("a", "i", "r"), None).ok();
        assert_eq!(
            to_json(tokens),
            json!({ "accessToken": "a", "tokenId": "i", "refreshToken": "r", "expiresIn": 3600, "tokenType": "Bearer" }),
            "the type is Bearer where Cognito does not say"
        );
    }

    #[test]
    fn a_token_that_is_missing_or_empty_is_never_a_success() {
        for (why, result, presented) in [
            ("no result", None, None),
            ("no result of a refresh", None, Some("presented")),
            ("no access token", result("", "i", "r"), None),
            ("no ID token", result("a", "", "r"), None),
            ("no refresh token at sign-in", result("a", "i", ""), None),
            (
                "nothing",
                Some(AuthenticationResultType::builder().build()),
                Some("presented"),
            ),
        ] {
            let error = Tokens::from_result(result, presented).err().unwrap();
            assert_eq!(error.name, "ServiceUnavailableException", "{why}");
        }
    }
}
