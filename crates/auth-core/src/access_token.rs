//! Access tokens of this stack's users. The function first compares a token's claims with this pool and client, without
//! a call. Cognito then checks signature, expiry and revocation.

use std::fmt;

use aws_sdk_cognitoidentityprovider::operation::get_user::GetUserOutput;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::clients::{self, Setup, UserPool};
use crate::config::{self, bad_value};
use crate::error::{Error, Kind, Result};

/// An access token whose claims name this pool and this client.
pub struct AccessToken {
    token: SecretString,
    /// The token's claims about its user. Use them only after Cognito accepted the token.
    pub claims: Claims,
}

/// Never printed by accident: `{:?}` shows neither the token nor its claims.
impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessToken")
    }
}

impl AccessToken {
    /// The token, for a call of Cognito's.
    pub fn as_str(&self) -> &str {
        self.token.expose_secret()
    }
}

/// The claims of an access token.
#[derive(Deserialize)]
pub struct Claims {
    iss: String,
    client_id: String,
    token_use: String,
    /// When the user signed in, in seconds since 1970. A refresh keeps it.
    #[serde(default)]
    pub auth_time: u64,
    /// The user's roles.
    #[serde(default, rename = "cognito:groups")]
    pub groups: Vec<String>,
}

/// The claims of a JWT: three parts of base64, of which only the second is read.
fn decode(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let is_base64 = |c: u8| c.is_ascii_alphanumeric() || b"-_".contains(&c);
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_base64);
    if !is_part(header) || !is_part(signature) || parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// The user pool as its signed-in users see it.
#[derive(Debug)]
pub struct Users {
    /// The pool.
    pub pool: UserPool,
    issuer: String,
}

impl Users {
    /// The stack's own. Reads `USER_POOL_ID`, and what [`Setup::user_pool`] does.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn new(setup: &Setup<'_>) -> config::Result<Self> {
        let pool_id = setup.env.required("USER_POOL_ID")?;
        let (region, _) = pool_id
            .split_once('_')
            .ok_or_else(|| bad_value("USER_POOL_ID", &"a region, _ and an id"))?;
        Ok(Self {
            pool: setup.user_pool()?,
            issuer: format!("https://cognito-idp.{region}.amazonaws.com/{pool_id}"),
        })
    }

    /// The token, if its claims name this pool and this client.
    ///
    /// # Errors
    /// `NotAuthorizedException` for any other, without a call.
    pub fn check(&self, token: SecretString) -> Result<AccessToken> {
        let is_ours = |claims: &Claims| {
            claims.token_use == "access"
                && claims.iss == self.issuer
                && claims.client_id == self.pool.client_id
        };
        let claims = decode(token.expose_secret()).filter(is_ours);
        let claims = claims.ok_or_else(invalid)?;
        Ok(AccessToken { token, claims })
    }

    /// The token's user. Cognito accepts the token here, so its claims are true afterwards.
    ///
    /// # Errors
    /// Cognito's, after three attempts if it may pass.
    pub async fn get(&self, token: &AccessToken) -> Result<GetUserOutput> {
        let user = self.pool.cognito.get_user().access_token(token.as_str());
        let user = user.customize().config_override(clients::repeatable());
        let user = user.send().await.map_err(error)?;
        // The SDK fills in missing values of a response.
        match user.username.is_empty() {
            true => Err(Error::unavailable("Cognito's response has no user")),
            false => Ok(user),
        }
    }
}

/// The user's attribute of this name.
pub fn attribute<'a>(user: &'a GetUserOutput, name: &str) -> Option<&'a str> {
    let mut attributes = user.user_attributes().iter();
    let found = attributes.find(|attribute| attribute.name() == name)?;
    found.value()
}

/// The error for a token that is malformed, expired, or of another pool.
pub fn invalid() -> Error {
    Error::not_authorized("Invalid Access Token")
}

/// Maps the error of a call with an access token. A token of a deleted user is rejected like an invalid one.
pub fn error(error: impl Into<Error>) -> Error {
    let error = error.into();
    match error.kind {
        Kind::NotFound => invalid(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use fake_aws::{FakeAws, access_token};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{assert_error, with_setup};

    fn check(token: &str) -> Result<AccessToken> {
        let http_client = FakeAws::default().http_client();
        let users = with_setup(http_client, &[], Users::new).unwrap();
        users.check(token.into())
    }

    #[test]
    fn a_pool_id_without_a_region_fails_at_start() {
        let changes = [("USER_POOL_ID", "example")];
        let http_client = FakeAws::default().http_client();
        let error = with_setup(http_client, &changes, Users::new).unwrap_err();
        assert!(error.to_string().contains("USER_POOL_ID"), "{error}");
    }

    #[test]
    fn the_pools_and_clients_own_token_is_taken() {
        let token = access_token(&json!({ "auth_time": 5, "cognito:groups": ["User", "Admin"] }));
        let token = check(&token).unwrap();
        let claims = token.claims;
        assert_eq!(claims.auth_time, 5);
        assert_eq!(claims.groups, ["User", "Admin"]);
        let claims = check(&access_token(&json!({}))).unwrap().claims;
        assert_eq!((claims.auth_time, claims.groups), (0, vec![]));
    }

    #[test]
    fn any_other_token_is_rejected() {
        let own = access_token(&json!({}));
        let another_pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_another";
        let another_region = "https://cognito-idp.eu-west-1.amazonaws.com/us-east-1_example";
        let another_host = "https://cognito-idp.us-east-1.amazonaws.com.example/us-east-1_example";
        let changed = |claim: &str, value: Value| access_token(&json!({ claim: value }));
        let (rest, _) = own.rsplit_once('.').unwrap();
        for (token, why) in [
            (changed("iss", another_pool.into()), "another pool's"),
            (changed("iss", another_region.into()), "another region's"),
            (changed("iss", another_host.into()), "another host's"),
            (changed("iss", Value::Null), "no issuer"),
            (changed("client_id", "another".into()), "another client's"),
            (changed("client_id", json!(["client"])), "a list of clients"),
            (changed("token_use", "id".into()), "an ID token"),
            (changed("auth_time", json!("now")), "no time"),
            ("token".to_owned(), "no dots"),
            ("a.b.c".to_owned(), "no JSON"),
            (rest.to_owned(), "two parts"),
            (format!("{rest}."), "no signature"),
            (format!("{own}.d"), "four parts"),
            (format!("{own}.d.e"), "an encrypted JWT"),
            (own[own.find('.').unwrap()..].to_owned(), "no header"),
            (format!("{own}."), "a fourth part that is empty"),
            (format!(" {own}"), "a space"),
            (format!("Bearer {own}"), "a header's value"),
            (format!("{own}\n"), "a line end"),
            (format!("{own}+/"), "base64 that is not for URLs"),
            (format!("{own}\u{e7}"), "a letter that is not ASCII"),
        ] {
            let error = check(&token).unwrap_err();
            let message = "Invalid Access Token";
            assert_error(&error, "NotAuthorizedException", message, why);
        }
    }
}
