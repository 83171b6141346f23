"""The sessions of sign-ins that wait for an answer."""

import base64
import json
import secrets
import time
from collections.abc import Callable

from ministack.services import cognito

from strict.cognito import calls
from strict.patch import around

sessions = cognito._challenge_sessions


def minutes(pool: dict, client_id: str) -> float:
    """How long a session of this client lasts."""
    return pool["_clients"][client_id].get("AuthSessionValidity", 3)


def invalid(detail: str = "") -> calls.Refused:
    """The error for a session that can't be used. aws-amplify/amplify-js#5834, aws-amplify/amplify-js#13123"""
    return calls.Refused("NotAuthorizedException", f"Invalid session for the user{detail}.")


def renew(session: dict, pool: dict) -> str:
    """A new token for the session."""
    token = base64.b64encode(secrets.token_bytes(32)).decode()
    session["expires_at"] = time.time() + 60 * minutes(pool, session["client_id"])
    sessions[token] = session
    return token


@around(cognito, "_create_challenge_session")
def create(original, pool_id: str, client_id: str, name: str) -> tuple:
    """A session belongs to the user, not to the alias that was given.

    guide: cognito-user-pools-working-with-lambda-triggers, userName
    """
    user, _ = cognito._resolve_user(cognito._user_pools[pool_id], name)
    return original(pool_id, client_id, user["Username"] if user else name)


@around(cognito, "_continue_custom_auth_after_define")
def continue_challenge(original, token: str, session: dict, user: dict, known, metadata, defined) -> tuple:
    """A challenge returns the user name. An unknown user never gets tokens.

    API_InitiateAuth, ChallengeParameters; guide: cognito-user-pool-managing-errors
    """
    if defined and defined["response"].get("issueTokens") and "UserStatus" not in user:
        raise calls.Refused("NotAuthorizedException", "Incorrect username or password.")
    response = original(token, session, user, known, metadata, defined)
    if not calls.ok(response) or "Session" not in calls.body(response):
        return response
    body = calls.body(response)
    body["ChallengeParameters"] = {"USERNAME": user["Username"]} | body["ChallengeParameters"]
    return response[0], response[1], json.dumps(body).encode()


@around(cognito, "_password_auth_result")
def bind_challenge(original, pool: dict, pool_id: str, client_id: str, user: dict, *rest, **more) -> tuple:
    """The session of MFA and of a new password is bound to client, user and challenge.

    API_RespondToAuthChallenge, Session
    """
    response = original(pool, pool_id, client_id, user, *rest, **more)
    body = calls.body(response)
    if "Session" in body:
        sessions[body["Session"]] = {
            "pool_id": pool_id,
            "client_id": client_id,
            "username": user["Username"],
            "expires_at": time.time() + 60 * minutes(pool, client_id),
            "challenge": body["ChallengeName"],
        }
    return response


def answering(operation: str) -> None:
    """A session takes one answer of its user before it expires. The next challenge has a new session.

    Of several answers at the same time it takes one. A wrong MFA code leaves the session valid.
    API_RespondToAuthChallenge, Session; API_CreateUserPoolClient, AuthSessionValidity
    """

    @around(cognito, operation)
    def answer(original: Callable, data: dict) -> tuple:
        token, challenge = data.get("Session") or "", data.get("ChallengeName")
        # The proof of a password has a secret block of its own.
        if challenge == "PASSWORD_VERIFIER":
            return original(data)
        session = sessions.get(token)
        name = (data.get("ChallengeResponses") or {}).get("USERNAME")
        if not name:
            raise calls.Refused("InvalidParameterException", "Missing required parameter USERNAME")
        if not session or session["client_id"] != data["ClientId"]:
            raise invalid()
        pool = cognito._user_pools[session["pool_id"]]
        user, _ = cognito._resolve_user(pool, name)
        if not user or user["Username"] != session["username"]:
            raise invalid()
        if session.get("challenge", "CUSTOM_CHALLENGE") != challenge or sessions.pop(token, None) is not session:
            raise invalid()
        if session["expires_at"] < time.time():
            raise invalid(", session is expired")
        renewed = renew(session, pool)
        asked = None
        try:
            response = original(data | {"Session": renewed})
            asked = calls.body(response).get("Session")
            if calls.body(response).get("__type") == "CodeMismatchException":
                sessions[token] = session
            return response
        finally:
            if asked != renewed:
                sessions.pop(renewed, None)


answering("_respond_to_auth_challenge")
answering("_admin_respond_to_auth_challenge")
