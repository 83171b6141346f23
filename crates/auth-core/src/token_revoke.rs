//! Sign-out: every token of the user is revoked.

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::UserPool;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::request::Fields;

/// The access token of the user who signs out.
#[derive(Debug)]
pub struct Request {
    access_token: SecretString,
}

impl Request {
    /// Reads `accessToken`.
    ///
    /// # Errors
    /// A missing or bad field; `NotAuthorizedException` where it is no JWT.
    pub fn parse(fields: &Fields<'_>) -> Result<Self> {
        let refusal = || Error::not_authorized("Invalid Access Token");
        let access_token = fields.token("accessToken", refusal)?;
        let mut parts = access_token.expose_secret().split('.');
        match (
            parts
                .by_ref()
                .take(3)
                .filter(|part| !part.is_empty())
                .count(),
            parts.next(),
        ) {
            (3, None) => Ok(Self { access_token }),
            _ => Err(refusal()),
        }
    }
}

/// Signs the user out everywhere. Tokens that are verified offline stay good until they expire.
///
/// # Errors
/// Cognito's refusals.
pub async fn token_revoke(pool: &UserPool, request: Request) -> Result<Message> {
    pool.cognito
        .global_sign_out()
        .access_token(request.access_token.expose_secret())
        .send()
        .await?;
    Ok(Message::new("Signed out"))
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentityprovider::Client;
    use aws_sdk_cognitoidentityprovider::operation::global_sign_out::GlobalSignOutInput;
    use aws_smithy_mocks::mock;
    use serde_json::json;

    use super::*;
    use crate::testing::{answer, assert_required, parsed, pool, seen};

    #[tokio::test]
    async fn cognito_is_given_the_access_token_and_no_more() {
        let sent = GlobalSignOutInput::builder()
            .access_token("aGVh-ZA.cGF5_bG9hZA.c2ln")
            .build()
            .unwrap();
        let rule = mock!(Client::global_sign_out)
            .match_requests(move |input| *input == sent)
            .then_http_response(|| answer(200, "{}"));
        let body = json!({ "accessToken": "aGVh-ZA.cGF5_bG9hZA.c2ln" });
        let request = parsed(&body, Request::parse).unwrap();
        let response = token_revoke(&pool([&rule]), request).await.map(seen);
        assert_eq!(response.unwrap(), json!({ "message": "Signed out" }));
        assert_eq!(rule.num_calls(), 1);
    }

    #[test]
    fn what_is_no_jwt_is_refused_in_cognitos_words_before_it_gets_there() {
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
            let error = parsed(&json!({ "accessToken": token }), Request::parse).unwrap_err();
            assert_eq!(
                (&*error.name, &*error.message),
                ("NotAuthorizedException", "Invalid Access Token"),
                "{why}"
            );
        }
    }

    #[test]
    fn the_access_token_is_required() {
        assert_required(&json!({ "accessToken": "a.b.c" }), Request::parse);
    }
}
