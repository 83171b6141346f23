//! Verifies tokens in a Rust service, as docs/verifying-tokens.md shows.

use std::error::Error;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

/// The claims of a token that a key of the pool's JWKS signed, that the pool issued and that has not expired.
///
/// # Errors
/// If one of these is not true.
pub fn verify(token: &str, keys: &JwkSet, issuer: &str) -> Result<Value, Box<dyn Error>> {
    let key_id = decode_header(token)?.kid.ok_or("The token names no key")?;
    let key = keys
        .find(&key_id)
        .ok_or("The token's key is not the pool's")?;
    let mut rules = Validation::new(Algorithm::RS256);
    // Clocks differ.
    rules.leeway = 30;
    rules.set_required_spec_claims(&["exp", "iss", "sub"]);
    rules.set_issuer(&[issuer]);
    // A Cognito access token has no aud; the caller compares client_id, or the aud of an ID token.
    rules.validate_aud = false;
    Ok(decode::<Value>(token, &DecodingKey::from_jwk(key)?, &rules)?.claims)
}

/// The claims of an access token of this pool and client.
///
/// # Errors
/// For any other token.
pub fn verify_access_token(
    token: &str,
    keys: &JwkSet,
    issuer: &str,
    client_id: &str,
) -> Result<Value, Box<dyn Error>> {
    let claims = verify(token, keys, issuer)?;
    if claims["token_use"] != "access" {
        return Err("Not an access token".into());
    }
    if claims["client_id"] != client_id {
        return Err("A token for another client".into());
    }
    Ok(claims)
}
