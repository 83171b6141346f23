//! Tokens, verified with the stack's published keys.

use jsonwebtoken::jwk::JwkSet;
use serde_json::Value;

use crate::{Stack, verify, verify_access_token};

/// The tokens of a sign-in or refresh, and the claims of the two that are JWTs.
#[derive(Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The ID token.
    pub id: String,
    /// The refresh token.
    pub refresh: String,
    /// The access token's claims.
    pub access_claims: Value,
    /// The ID token's claims.
    pub id_claims: Value,
}

impl Tokens {
    /// Reads an answer's body. Checks that it has exactly the fields of tokens, and that this stack's pool issued both
    /// JWTs for this stack's client.
    #[track_caller]
    pub fn read(stack: &Stack, body: &Value) -> Self {
        // These and the three tokens.
        assert_eq!(
            body.as_object().unwrap().len(),
            5,
            "{:?}",
            body.as_object().unwrap().keys()
        );
        assert_eq!(body["tokenType"], "Bearer");
        assert_eq!(body["expiresIn"], stack.access_token_seconds);
        let token = |key: &str| body[key].as_str().unwrap().to_owned();
        let (access, id, refresh) = (
            token("accessToken"),
            token("tokenId"),
            token("refreshToken"),
        );
        assert!(!refresh.is_empty());

        let (keys, issuer) = (stack.keys(), stack.output("AuthApiIssuer"));
        let access_claims = verify_access_token(&access, &keys, issuer, stack.client_id()).unwrap();
        let id_claims = verify(&id, &keys, issuer).unwrap();
        assert_eq!(id_claims["token_use"], "id");
        assert_eq!(id_claims["aud"], stack.client_id());
        assert_eq!(id_claims["sub"], access_claims["sub"]);
        for claims in [&access_claims, &id_claims] {
            let lifetime = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
            assert_eq!(lifetime, stack.access_token_seconds);
        }
        Self {
            access,
            id,
            refresh,
            access_claims,
            id_claims,
        }
    }
}

impl Stack {
    /// The keys that the pool signs its tokens with.
    #[track_caller]
    pub fn keys(&self) -> JwkSet {
        serde_json::from_str(&self.get(self.output("AuthApiJwksUri"))).unwrap()
    }
}
