"""Who is meant by a name."""

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

    Where the pool says so, upper and lower case are the same. API_UsernameConfigurationType
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


def invented(pool: dict, name: str) -> str:
    """The user name that stands for a name that nobody has: always the same, and never of the version of real ones."""
    try:
        if UUID(name).version == 3:
            return name
    except ValueError:
        pass
    return str(uuid3(NAMESPACE_OID, f"{pool['Id']}/{name.casefold()}"))


def hides_unknown_users(pool: dict) -> bool:
    """Whether this is a step of a challenge of one's own, of a client that hides who has an account."""
    _, data = calls.current.get()
    custom = data.get("AuthFlow") == "CUSTOM_AUTH" or data.get("ChallengeName") == "CUSTOM_CHALLENGE"
    return custom and cognito._hides_user_existence(pool, data.get("ClientId"))


@around(cognito, "_resolve_user")
def resolve_user(original, pool: dict, name: str) -> tuple:
    """In challenges of one's own, unknown users that are hidden go on, under a user name that Cognito invents.

    guide: cognito-user-pool-managing-errors, custom authentication; and of SRP, where the user id is a UUID, the same
    for the same name and pool
    """
    user = find_user(pool, name) if name else None
    if not user and name and hides_unknown_users(pool):
        user = {"Username": invented(pool, name), "Attributes": []}
    return (user, None) if user else original(pool, name)


@around(cognito, "_password_reset_required")
def hide_required_reset(original) -> tuple:
    """Where it is hidden who has an account, a user who has to reset the password is told of a wrong one.

    guide: cognito-user-pool-managing-errors, imported users
    """
    _, data = calls.current.get()
    pool, _ = cognito._pool_for_client(data.get("ClientId"))
    return cognito._hidden_user_error(pool, data.get("ClientId"), original()) if pool else original()
