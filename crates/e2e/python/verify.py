"""Verifies an access token, read from standard input, and prints its claims.

    python verify.py ISSUER CLIENT_ID JWKS_URI
"""

import json
import sys

import jwt

issuer, client_id, jwks_uri = sys.argv[1:]
# Create it once for a process: it caches the keys.
keys = jwt.PyJWKClient(jwks_uri)


def verify(token):
    """The claims of an access token of this pool and client; raises a `jwt.PyJWTError` for any other."""
    key = keys.get_signing_key_from_jwt(token)
    required = {"require": ["exp", "iss", "sub", "token_use", "client_id"]}
    # Clocks differ: for a clock that is behind, a new token is not valid yet.
    claims = jwt.decode(token, key, algorithms=["RS256"], issuer=issuer, leeway=30, options=required)
    # A Cognito access token has no aud; it has these two.
    if claims["token_use"] != "access":
        raise jwt.InvalidTokenError("Not an access token")
    if claims["client_id"] != client_id:
        raise jwt.InvalidAudienceError("A token for another client")
    return claims


try:
    print(json.dumps(verify(sys.stdin.read().strip())))
except jwt.PyJWTError as error:
    sys.exit(f"{type(error).__name__}: {error}")
