"""Tokens, from the sign-in to the sign-out."""

import json
import threading
import time

from ministack.services import cognito

from strict.cognito import calls
from strict.patch import around

# When the user signed in, by the `origin_jti` of the tokens.
signed_in_at: dict[str, int] = {}
# When a refresh token was first rotated, by its `jti`.
rotated_at: dict[str, float] = {}
rotating = threading.Lock()


@around(cognito, "_signed_jwt")
def date_by_sign_in(original, claims: dict, *rest) -> str:
    """Refreshes keep `auth_time`. Rotated refresh tokens expire when the first one does.

    guide: amazon-cognito-user-pools-using-the-access-token, amazon-cognito-user-pools-using-the-refresh-token
    """
    origin = claims.get("origin_jti")
    if origin:
        started = signed_in_at.setdefault(origin, claims["iat"])
        if "auth_time" in claims:
            claims["auth_time"] = started
        if claims["token_use"] == "refresh":
            claims["exp"] += started - claims["iat"]
    return original(claims, *rest)


@around(cognito, "_refresh_auth_user")
def refuse_expired(original, pool: dict, pool_id: str, client_id: str, token: str) -> tuple:
    """A refresh token expires. guide: amazon-cognito-user-pools-using-the-refresh-token"""
    user, error = original(pool, pool_id, client_id, token)
    if user and cognito._token_claims(token)["exp"] <= time.time():
        return None, calls.Refused("NotAuthorizedException", "Refresh Token has expired").response
    return user, error


def rotation(client: dict) -> dict | None:
    """The client's settings of refresh token rotation, if it is enabled."""
    settings = client.get("RefreshTokenRotation") or {}
    return settings if settings.get("Feature") == "ENABLED" else None


@around(cognito, "_get_tokens_from_refresh_token")
def rotate(original, data: dict) -> tuple:
    """Rotation returns a new refresh token. The old one works until its grace period ends.

    API_RefreshTokenRotationType; model: RefreshTokenReuseException
    """
    response = original(data)
    if not calls.ok(response):
        return response
    pool, pool_id = cognito._pool_for_client(data["ClientId"])
    settings = rotation(pool["_clients"][data["ClientId"]])
    if not settings:
        return response
    claims, now = cognito._token_claims(data["RefreshToken"]), time.time()
    with rotating:
        if now > rotated_at.setdefault(claims["jti"], now) + settings.get("RetryGracePeriodSeconds", 0):
            raise calls.Refused("RefreshTokenReuseException", "Refresh token has been rotated")
    body = calls.body(response)
    body["AuthenticationResult"]["RefreshToken"] = cognito._fake_token(
        claims["sub"],
        pool_id,
        data["ClientId"],
        "refresh",
        origin_jti=claims["origin_jti"],
        scope=claims.get("scope"),
    )
    return response[0], response[1], json.dumps(body).encode()


# A client must allow the flow that refreshes, which one with rotation can't.
# guide: amazon-cognito-user-pools-using-the-refresh-token
for flow in ("REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"):
    cognito._PASSWORD_AUTH_FLOWS[flow] = ({"ALLOW_REFRESH_TOKEN_AUTH"}, "Auth flow not enabled for this client")


@around(cognito, "_revoke_token")
def revoke_refresh_tokens(original, data: dict) -> tuple:
    """RevokeToken takes refresh tokens of this client, if its token revocation is enabled.

    It ends the token's session, and no other one.
    guide: token-revocation, revocation-endpoint; model: RevokeToken, errors
    """
    pool, pool_id = cognito._pool_for_client(data["ClientId"])
    if not pool:
        raise calls.Refused("InvalidParameterException", "Invalid client id")
    if not pool["_clients"][data["ClientId"]].get("EnableTokenRevocation", True):
        raise calls.Refused("UnsupportedOperationException", "Token revocation is not enabled for this client")
    claims = cognito._token_claims(data["Token"])
    if claims and claims.get("token_use") != "refresh":
        raise calls.Refused("UnsupportedTokenTypeException", "Unsupported token type")
    if not claims or not cognito._signature_valid(data["Token"]):
        raise calls.Refused("InvalidParameterException", "Invalid Refresh Token")
    if claims["client_id"] != data["ClientId"] or not str(claims["iss"]).endswith(f"/{pool_id}"):
        raise calls.Refused("UnauthorizedException", "Refresh Token has different Client")
    return original(data)
