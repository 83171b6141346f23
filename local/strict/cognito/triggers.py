"""The Lambda triggers of a pool."""

import json
from collections.abc import Callable
from contextvars import ContextVar

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, new_uuid
from ministack.services import cognito, lambda_svc

from strict.cognito import calls, users
from strict.patch import around


def call(pool: dict, trigger: str, event: dict) -> dict | None:
    """Calls a trigger and returns its response, or None if the pool does not have it.

    The function's policy must allow the call. The caller gets the function's error. The function must return the event.
    guide: cognito-user-pools-working-with-lambda-triggers; model: UserLambdaValidationException,
    UnexpectedLambdaException, InvalidLambdaResponseException
    """
    arn = (pool.get("LambdaConfig") or {}).get(trigger)
    if not arn:
        return None
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if not function:
        reason = f"{trigger} invocation failed due to error ResourceNotFoundException."
        raise calls.Refused("UnexpectedLambdaException", reason)
    context = EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account=get_account_id(),
        action="lambda:InvokeFunction",
        resource_arn=arn,
        region=cognito._pool_region(pool["Id"]),
        service_context={"aws:sourcearn": pool["Arn"], "aws:sourceaccount": get_account_id()},
    )
    allowed = evaluate_resource_policy(function["policy"], context, service="cognito-idp.amazonaws.com")
    if allowed.decision != "Allow":
        reason = f"{trigger} invocation failed due to error AccessDeniedException."
        raise calls.Refused("UnexpectedLambdaException", reason)
    record = lambda_svc._execution_record_for_config(function, config)
    result = lambda_svc._execute_function_with_config_scope(record, event)
    answer = result.get("body")
    if isinstance(answer, (str, bytes)):
        answer = json.loads(answer)
    if result.get("error"):
        reason = f"{trigger} failed with error {answer['errorMessage']}."
        raise calls.Refused("UserLambdaValidationException", reason)
    if not isinstance(answer, dict) or not event.keys() <= answer.keys():
        raise calls.Refused("InvalidLambdaResponseException", "Unrecognizable lambda output")
    return answer["response"] or {}


def event(pool: dict, source: str, username: str, request: dict, response: dict | None = None) -> dict:
    """An event of a trigger. guide: cognito-user-pools-working-with-lambda-triggers"""
    _, data = calls.current.get()
    if data.get("ClientMetadata"):
        request["clientMetadata"] = data["ClientMetadata"]
    return {
        "version": "1",
        "triggerSource": source,
        "region": cognito._pool_region(pool["Id"]),
        "userPoolId": pool["Id"],
        "userName": username,
        "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": data.get("ClientId", "CLIENT_ID_NOT_APPLICABLE"),
        },
        "request": request,
        "response": response or {},
    }


def event_attributes(user: dict) -> dict[str, str]:
    """The userAttributes of an event. guide: user-pool-lambda-define-auth-challenge"""
    return users.attributes(user) | {"cognito:user_status": user["UserStatus"]}


# ── Sign-up ────────────────────────────────────────────────────────────────────────────────────────────


@around(cognito, "_apply_presignup_trigger")
def pre_sign_up(original, pool_id: str, _client_id, username: str, attributes: dict, trigger_source="") -> dict:
    """PreSignUp gets the caller's data. It can't verify a contact that the user does not have.

    guide: user-pool-lambda-pre-sign-up
    """
    _, data = calls.current.get()
    pool = cognito._user_pools[pool_id]
    request = {
        "userAttributes": {name: value for name, value in attributes.items() if name != "sub"},
        "validationData": cognito._attr_list_to_dict(data.get("ValidationData") or []) or None,
    }
    decided = {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}
    response = call(pool, "PreSignUp", event(pool, trigger_source, username, request, decided)) or decided
    for verified, contact in (("autoVerifyEmail", "email"), ("autoVerifyPhone", "phone_number")):
        # AdminCreateUser ignores the response. KensioSoftware/yulin#462
        if trigger_source == "PreSignUp_SignUp" and response.get(verified) and not attributes.get(contact):
            message = f"{verified} is set, but the user has no {contact}"
            raise calls.Refused("InvalidLambdaResponseException", message)
    return {name: bool(response.get(name)) for name in decided}


next_sub: ContextVar[str] = ContextVar("next_sub", default="")


@around(cognito, "new_uuid")
def known_uuid(original) -> str:
    """The sub that PreSignUp already got, or a new UUID. Not AWS's: MiniStack chooses the sub after the trigger."""
    return next_sub.get() or original()


@around(cognito, "_admin_create_user")
def admin_create_user(original, data: dict) -> tuple:
    """AdminCreateUser calls PreSignUp too.

    guide: cognito-user-pools-working-with-lambda-triggers, PreSignUp_AdminCreateUser
    """
    pool, _ = cognito._resolve_pool(data.get("UserPoolId"))
    if not pool or data.get("MessageAction") == "RESEND" or users.find_user(pool, data["Username"]):
        return original(data)
    sub = new_uuid()
    contact = cognito._username_alias_attribute(pool, data["Username"])
    attributes = cognito._attr_list_to_dict(data.get("UserAttributes") or [])
    if contact:
        attributes.setdefault(contact, data["Username"])
    username = sub if contact else data["Username"]
    cognito._apply_presignup_trigger(pool["Id"], "", username, attributes, "PreSignUp_AdminCreateUser")
    token = next_sub.set(sub)
    try:
        return original(data)
    finally:
        next_sub.reset(token)


# ── Challenges of one's own ────────────────────────────────────────────────────────────────────────────


def challenge(function: str, trigger: str) -> None:
    """The event of a challenge has the user's name in the pool, the status, and whether the user is unknown.

    In a pool with username attributes the name is the sub. InitiateAuth's ClientMetadata is not passed on.
    guide: user-pool-lambda-define-auth-challenge; API_InitiateAuth, ClientMetadata
    """

    @around(cognito, f"_invoke_{function}_trigger")
    def invoke(original: Callable, pool_id: str, client_id, username, known, session: dict, *rest) -> tuple:
        pool = cognito._user_pools[pool_id]
        user = users.find_user(pool, session["username"])
        sent = getattr(cognito, f"_build_{function}_event")(
            pool_id, client_id, session["username"], event_attributes(user) if user else {}, session, *rest
        )
        sent["request"]["userNotFound"] = not user
        action, _ = calls.current.get()
        if action.endswith("InitiateAuth"):
            sent["request"]["clientMetadata"] = {}
        response = call(pool, trigger, sent)
        return (None if response is None else {"response": response}), None


challenge("define_auth_challenge", "DefineAuthChallenge")
challenge("create_auth_challenge", "CreateAuthChallenge")
challenge("verify_auth_challenge", "VerifyAuthChallengeResponse")
