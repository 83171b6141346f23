//! Tokens, believed only after their signatures were checked against the stack's published keys.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::Stack;

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
    /// Reads the body of an answer with tokens: nothing missing, nothing more, and both JWTs issued by
    /// this stack's pool for this stack's client.
    #[track_caller]
    pub fn read(stack: &Stack, body: &Value) -> Self {
        let mut keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        keys.sort_unstable();
        let all = [
            "accessToken",
            "expiresIn",
            "refreshToken",
            "tokenId",
            "tokenType",
        ];
        assert_eq!(keys, all);
        assert_eq!(body["tokenType"], "Bearer");
        assert_eq!(body["expiresIn"], stack.access_token_seconds);
        let token = |key: &str| body[key].as_str().unwrap().to_owned();
        let (access, id, refresh) = (
            token("accessToken"),
            token("tokenId"),
            token("refreshToken"),
        );
        assert!(!refresh.is_empty());

        let access_claims = verified(stack, &access);
        assert_eq!(access_claims["token_use"], "access");
        assert_eq!(access_claims["client_id"], stack.client_id());
        let id_claims = verified(stack, &id);
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

/// The claims of a token that is signed by a key of the stack's JWKS, issued by its pool and not expired.
#[track_caller]
fn verified(stack: &Stack, token: &str) -> Value {
    let keys: JwkSet = serde_json::from_str(&stack.get(stack.output("AuthApiJwksUri"))).unwrap();
    let key_id = decode_header(token).unwrap().kid.unwrap();
    let key = keys.find(&key_id).expect("a key of the stack's JWKS");
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_required_spec_claims(&["exp", "iss", "sub"]);
    rules.set_issuer(&[stack.output("AuthApiIssuer")]);
    // Access tokens have no audience; the ID token's is compared above.
    rules.validate_aud = false;
    decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &rules)
        .unwrap()
        .claims
}
