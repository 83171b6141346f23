"""Who may write which attributes of a user."""

from collections.abc import Callable, Iterable

from ministack.services import cognito

from strict.cognito import calls, triggers, users  # noqa: F401 (PreSignUp is called after the checks here)
from strict.patch import around

CODE = "123456"
CONTACTS = ("email", "phone_number")
# Only Cognito and administrators write these.
UNWRITABLE = {"sub", "email_verified", "phone_number_verified"}


def schema(pool: dict) -> dict[str, dict]:
    """The pool's attributes by name."""
    return {attribute["Name"]: attribute for attribute in pool["SchemaAttributes"]}


def check_schema(pool: dict, names: Iterable[str]) -> None:
    """An attribute must be in the pool's schema. guide: user-pool-settings-attributes; aws-amplify/amplify-js#2167"""
    for name in names:
        if name not in schema(pool):
            message = f"Attributes did not conform to the schema: {name}: Attribute does not exist in the schema.\n"
            raise calls.Refused("InvalidParameterException", message)


def check_writable(pool: dict, client_id: str, names: Iterable[str]) -> None:
    """The client must be allowed to write the attribute; by default it may write the standard ones.

    API_CreateUserPoolClient, WriteAttributes
    """
    listed = pool["_clients"][client_id]["WriteAttributes"]
    standard = {name for name in schema(pool) if ":" not in name}
    if set(names) - (set(listed) or standard) or UNWRITABLE.intersection(names):
        raise calls.Refused("NotAuthorizedException", "A client attempted to write unauthorized attribute")


def check_mutable(pool: dict, names: Iterable[str]) -> None:
    """An immutable attribute can only be set on a new user. API_SchemaAttributeType, Mutable"""
    for name in names:
        if not schema(pool)[name]["Mutable"]:
            raise calls.Refused("InvalidParameterException", f"user.{name}: Attribute cannot be updated.")


def named(data: dict) -> dict[str, str]:
    """The attributes of a request by name."""
    return cognito._attr_list_to_dict(data.get("UserAttributes") or [])


def owner(data: dict) -> tuple[dict, dict, str]:
    """The user of the access token, the pool, and the client that it was issued to."""
    user, pool = cognito._user_pool_for_access_token(data["AccessToken"])
    if not user:
        raise calls.Refused("NotAuthorizedException", "Invalid Access Token")
    return user, pool, cognito._token_claims(data["AccessToken"])["client_id"]


@around(cognito, "_sign_up")
def sign_up(original, data: dict) -> tuple:
    """WriteAttributes holds at sign-up too. aws/aws-sdk-js#1084"""
    pool, _ = cognito._pool_for_client(data["ClientId"])
    if pool:
        check_schema(pool, named(data))
        check_writable(pool, data["ClientId"], named(data))
    return original(data)


def as_administrator(operation: str, check: Callable[[dict, Iterable[str]], None]) -> None:
    """Administrators may write every attribute of the schema. Immutable ones are immutable for them too.

    guide: user-pool-settings-attributes; KensioSoftware/yulin#613
    """

    @around(cognito, operation)
    def write(original: Callable, data: dict) -> tuple:
        pool, _ = cognito._resolve_pool(data.get("UserPoolId"))
        if pool:
            check_schema(pool, named(data))
            check(pool, named(data))
        return original(data)


as_administrator("_admin_create_user", lambda pool, names: None)
as_administrator("_admin_update_user_attributes", check_mutable)


def delete(user: dict, names: Iterable[str]) -> None:
    """Deletes these attributes of the user, and whether they are verified."""
    gone = {text for name in names for text in (name, f"{name}_verified")}
    user["Attributes"] = [attribute for attribute in user["Attributes"] if attribute["Name"] not in gone]


@around(cognito, "_update_user_attributes")
def update(original, data: dict) -> tuple:
    """A blank value deletes an attribute. A new contact is pending until it is verified, if the pool requires that.

    API_UpdateUserAttributes; API_UserAttributeUpdateSettingsType
    """
    user, pool, client_id = owner(data)
    wanted = named(data)
    check_schema(pool, wanted)
    check_writable(pool, client_id, wanted)
    check_mutable(pool, wanted)
    settings = pool.get("UserAttributeUpdateSettings") or {}
    waiting = set(settings.get("AttributesRequireVerificationBeforeUpdate") or [])
    contacts = {name: value for name, value in wanted.items() if name in CONTACTS and value}
    for name, value in contacts.items():
        if name in pool["AutoVerifiedAttributes"]:
            attributes = users.attributes(user)
            recipient = {"email": value} if name == "email" else {}
            cognito._send_verification_email(pool, user["Username"], attributes | {"email": ""} | recipient, CODE)
            user.setdefault("_contacts", {})[name] = (value, CODE)
    delete(user, (name for name, value in wanted.items() if not value))
    now = {name: value for name, value in wanted.items() if value and name not in waiting}
    now |= {f"{name}_verified": "false" for name in contacts if name not in waiting}
    original(data | {"UserAttributes": cognito._dict_to_attr_list(now)})
    sent = [
        {
            "AttributeName": name,
            "DeliveryMedium": "EMAIL" if name == "email" else "SMS",
            "Destination": cognito._masked_destination(value),
        }
        for name, value in contacts.items()
        if name in pool["AutoVerifiedAttributes"]
    ]
    return cognito.json_response({"CodeDeliveryDetailsList": sent})


def verify(data: dict) -> tuple:
    """The code replaces the old contact with the pending one. API_VerifyUserAttribute"""
    user, pool, _ = owner(data)
    name = data["AttributeName"]
    value, code = user.get("_contacts", {}).get(name, ("", ""))
    error = cognito._code_error(code, data["Code"])
    if error:
        return error
    other = users.find_user(pool, value) if name in (pool.get("UsernameAttributes") or []) else None
    if other and other is not user:
        raise calls.Refused("AliasExistsException", f"An account with the {name} already exists.")
    del user["_contacts"][name]
    written = [{"Name": name, "Value": value}, {"Name": f"{name}_verified", "Value": "true"}]
    user["Attributes"] = cognito._merge_attributes(user["Attributes"], written)
    return cognito.json_response({})


def delete_attributes(data: dict) -> tuple:
    """A client may delete the attributes that it may write. API_DeleteUserAttributes"""
    user, pool, client_id = owner(data)
    check_schema(pool, data["UserAttributeNames"])
    check_writable(pool, client_id, data["UserAttributeNames"])
    check_mutable(pool, data["UserAttributeNames"])
    delete(user, data["UserAttributeNames"])
    return cognito.json_response({})


calls.OPERATIONS["VerifyUserAttribute"] = verify
calls.OPERATIONS["DeleteUserAttributes"] = delete_attributes
