"""Finding users by name."""

import json
from uuid import NAMESPACE_OID, UUID, uuid3

from ministack.services import cognito

from strict.cognito import calls
from strict.patch import around

find = cognito._resolve_user


def attributes(user: dict) -> dict[str, str]:
    """The user's attributes by name."""
    return cognito._attr_list_to_dict(user["Attributes"])


def find_user(pool: dict, name: str) -> dict | None:
    """The user of this name, if there is one.

    Upper and lower case are the same unless the pool is case-sensitive. API_UsernameConfigurationType
    """
    user, _ = find(pool, name)
    if user or (pool.get("UsernameConfiguration") or {}).get("CaseSensitive", True):
        return user
    aliases = pool["UsernameAttributes"]
    same = (
        user
        for user in pool["_users"].values()
        if name.casefold() in (attributes(user).get(alias, "").casefold() for alias in aliases)
    )
    return next(same, None)


@around(cognito, "_get_user")
def get_user(original, data: dict) -> tuple:
    """GetUser has the attributes that the token's client may read, by default the standard ones, and the sub.

    API_CreateUserPoolClient, ReadAttributes
    """
    response = original(data)
    if not calls.ok(response):
        return response
    _, pool = cognito._user_pool_for_access_token(data["AccessToken"])
    client = pool["_clients"][cognito._token_claims(data["AccessToken"])["client_id"]]
    body, listed = calls.body(response), client.get("ReadAttributes")
    body["UserAttributes"] = [
        each
        for each in body["UserAttributes"]
        if each["Name"] == "sub" or (each["Name"] in listed if listed else ":" not in each["Name"])
    ]
    return response[0], response[1], json.dumps(body).encode()


@around(cognito, "_delete_user")
def delete_user(original, data: dict) -> tuple:
    """A user who deletes the account leaves every group, as one whom an administrator deletes.

    guide: how-to-manage-user-accounts, deleting users
    """
    user, pool = cognito._user_pool_for_access_token(data["AccessToken"])
    response = original(data)
    if calls.ok(response):
        for group in pool["_groups"].values():
            group["_members"] = [member for member in group.get("_members", []) if member != user["Username"]]
    return response


def invented(pool: dict, name: str) -> str:
    """The user name that triggers get for an unknown user: a UUID of version 3, the same each time."""
    try:
        if UUID(name).version == 3:
            return name
    except ValueError:
        pass
    return str(uuid3(NAMESPACE_OID, f"{pool['Id']}/{name.casefold()}"))


def hides_unknown_users(pool: dict) -> bool:
    """Whether this is CUSTOM_AUTH of a client with PreventUserExistenceErrors."""
    _, data = calls.current.get()
    custom = data.get("AuthFlow") == "CUSTOM_AUTH" or data.get("ChallengeName") == "CUSTOM_CHALLENGE"
    return custom and cognito._hides_user_existence(pool, data.get("ClientId"))


@around(cognito, "_resolve_user")
def resolve_user(original, pool: dict, name: str) -> tuple:
    """With PreventUserExistenceErrors, CUSTOM_AUTH goes on for unknown users, under an invented name.

    guide: cognito-user-pool-managing-errors, custom authentication, and SRP on the name
    """
    user = find_user(pool, name) if name else None
    if not user and name and hides_unknown_users(pool):
        user = {"Username": invented(pool, name), "Attributes": []}
    return (user, None) if user else original(pool, name)


@around(cognito, "_password_reset_required")
def hide_required_reset(original) -> tuple:
    """With PreventUserExistenceErrors, a user who must reset the password gets the error of a wrong one.

    guide: cognito-user-pool-managing-errors, imported users
    """
    _, data = calls.current.get()
    pool, _ = cognito._pool_for_client(data.get("ClientId"))
    return cognito._hidden_user_error(pool, data.get("ClientId"), original()) if pool else original()
