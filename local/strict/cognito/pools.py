"""Pools and their clients."""

import copy
import json

from ministack.core.iam_evaluator import EvalContext, _gather_role_policies, evaluate, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region
from ministack.services import cognito, iam
from ministack.services.cloudformation import provisioners

from strict.cognito import calls, tokens
from strict.patch import around

POOL_DEFAULTS = provisioners._COGNITO_USER_POOL_UPDATABLE
CLIENT_DEFAULTS = provisioners._COGNITO_USER_POOL_CLIENT_UPDATABLE
CLIENT_DEFAULTS["RefreshTokenRotation"] = {"Feature": "DISABLED"}
# What an update keeps if it leaves it out.
KEPT = {"SmsConfiguration", "UserAttributeUpdateSettings"}


class Users(dict):
    """The users of a pool. A request can go through them while another one makes or deletes a user."""

    def values(self) -> list:
        return list(super().values())


def check_sms_role(settings: dict, pool_id: str = "new") -> None:
    """The SMS role must exist, trust Cognito with this external id for this pool, and allow sns:Publish.

    guide: user-pool-sms-settings; model: InvalidSmsRoleTrustRelationshipException, InvalidSmsRoleAccessPolicyException
    """
    arn = settings.get("SnsCallerArn")
    if not arn:
        return
    name, account = arn.rsplit("/", 1)[-1], get_account_id()
    context = {
        "sts:externalid": settings.get("ExternalId"),
        "aws:sourceaccount": account,
        "aws:sourcearn": f"arn:aws:cognito-idp:{get_region()}:{account}:userpool/{pool_id}",
    }

    def asked(action: str) -> EvalContext:
        return EvalContext(
            principal_arn="",
            principal_type="Service",
            principal_account=account,
            action=action,
            resource_arn="*",
            region=settings.get("SnsRegion", ""),
            service_context=context,
        )

    role = iam._roles.get(name)
    trust = json.loads(role["AssumeRolePolicyDocument"]) if role else {"Statement": []}
    statements = [statement | {"Resource": "*"} for statement in trust["Statement"]]
    trusts = evaluate_resource_policy(
        {"Statement": statements}, asked("sts:AssumeRole"), service="cognito-idp.amazonaws.com"
    )
    if trusts.decision != "Allow":
        message = "Role does not have a trust relationship allowing Cognito to assume the role"
        raise calls.Refused("InvalidSmsRoleTrustRelationshipException", message)
    if evaluate(asked("sns:Publish"), _gather_role_policies(name, account)).decision != "Allow":
        message = "Role does not have permission to publish with SNS"
        raise calls.Refused("InvalidSmsRoleAccessPolicyException", message)


def check_updates_of_contacts(settings: dict) -> None:
    """AttributesRequireVerificationBeforeUpdate is a subset of AutoVerifiedAttributes. ekristen/aws-nuke#477"""
    waiting = (settings.get("UserAttributeUpdateSettings") or {}).get("AttributesRequireVerificationBeforeUpdate") or []
    if set(waiting) - set(settings.get("AutoVerifiedAttributes") or []):
        message = "All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes"
        raise calls.Refused("InvalidParameterException", message)


@around(cognito, "_create_user_pool")
def create_pool(original, data: dict) -> tuple:
    """A new pool needs a working SMS role. model: CreateUserPool, errors"""
    check_sms_role(data.get("SmsConfiguration") or {})
    check_updates_of_contacts(data)
    response = original(data)
    if calls.ok(response):
        pool = cognito._user_pools[calls.body(response)["UserPool"]["Id"]]
        pool["_users"] = Users(pool["_users"])
    return response


@around(cognito, "_update_user_pool")
def update_pool(original, data: dict) -> tuple:
    """An update resets what it leaves out. It fails if the SMS role is gone, even if it leaves the role out.

    API_UpdateUserPool; ekristen/aws-nuke#477 on what is kept; rebuy-de/aws-nuke#989 on the role
    """
    pool, error = cognito._resolve_pool(data.get("UserPoolId"))
    if error:
        return error
    kept = {name: pool[name] for name in KEPT if name in pool}
    settings = copy.deepcopy(POOL_DEFAULTS) | kept | data
    check_sms_role(settings["SmsConfiguration"], pool["Id"])
    check_updates_of_contacts(settings)
    return original(settings)


@around(cognito, "_create_user_pool_domain")
def create_domain(original, data: dict) -> tuple:
    """A prefix is one label in lower case, without the names of AWS.

    model: DomainType; guide: cognito-user-pools-assign-domain-prefix
    """
    shape = calls.MODEL.operation_model("CreateUserPoolDomain").input_shape
    found = list(calls.violations(shape, data))
    if found:
        raise calls.Refused("InvalidParameterException", f"{len(found)} validation error detected: {found[0]}")
    if any(word in data["Domain"] for word in ("aws", "amazon", "cognito")):
        raise calls.Refused("InvalidParameterException", "Domain cannot contain reserved word.")
    return original(data)


@around(cognito, "_delete_user_pool")
def delete_pool(original, data: dict) -> tuple:
    """A pool with deletion protection or a domain can't be deleted.

    API_UpdateUserPool, DeletionProtection; localstack/localstack#11947, floci-io/floci#3961
    """
    pool, error = cognito._resolve_pool(data.get("UserPoolId"))
    if error:
        return error
    if pool["DeletionProtection"] == "ACTIVE":
        message = (
            "The user pool cannot be deleted because deletion protection is activated. "
            "Deletion protection must be inactivated first."
        )
        raise calls.Refused("InvalidParameterException", message)
    if pool["Domain"] or pool["CustomDomain"]:
        message = "User pool cannot be deleted. It has a domain configured that should be deleted first."
        raise calls.Refused("InvalidParameterException", message)
    return original(data)


@around(provisioners._RESOURCE_HANDLERS["AWS::Cognito::UserPool"], "delete")
def delete_pool_of_stack(original, pool_id: str, properties: dict) -> None:
    """CloudFormation deletes a pool through the same operation. floci-io/floci#3948"""
    if pool_id in cognito._user_pools:
        cognito._delete_user_pool({"UserPoolId": pool_id})


def check_rotation(settings: dict) -> None:
    """A client with rotation can't allow REFRESH_TOKEN_AUTH.

    guide: amazon-cognito-user-pools-using-the-refresh-token
    """
    if tokens.rotation(settings) and "ALLOW_REFRESH_TOKEN_AUTH" in (settings.get("ExplicitAuthFlows") or []):
        message = "Refresh token rotation and ALLOW_REFRESH_TOKEN_AUTH can't be enabled at once"
        raise calls.Refused("InvalidParameterException", message)


@around(cognito, "_create_user_pool_client")
def create_client(original, data: dict) -> tuple:
    """A client has a setting for refresh token rotation. API_CreateUserPoolClient"""
    check_rotation(data)
    response = original(data)
    if not calls.ok(response):
        return response
    client_id = calls.body(response)["UserPoolClient"]["ClientId"]
    return keep_rotation(data | {"ClientId": client_id})


@around(cognito, "_update_user_pool_client")
def update_client(original, data: dict) -> tuple:
    """An update resets what it leaves out. API_UpdateUserPoolClient"""
    settings = copy.deepcopy(CLIENT_DEFAULTS) | data
    check_rotation(settings)
    response = original(settings)
    return keep_rotation(settings) if calls.ok(response) else response


def keep_rotation(data: dict) -> tuple:
    """Stores the client's rotation, and returns the client."""
    client = cognito._user_pools[data["UserPoolId"]]["_clients"][data["ClientId"]]
    client["RefreshTokenRotation"] = data.get("RefreshTokenRotation") or CLIENT_DEFAULTS["RefreshTokenRotation"]
    return cognito._describe_user_pool_client(data)
