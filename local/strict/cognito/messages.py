"""The codes that Cognito sends."""

from contextvars import ContextVar

from ministack.services import cognito

from strict.cognito import calls, triggers, users
from strict.patch import around

SOURCES = {
    "SignUp": "CustomMessage_SignUp",
    "ResendConfirmationCode": "CustomMessage_ResendCode",
    "ForgotPassword": "CustomMessage_ForgotPassword",
    "AdminResetUserPassword": "CustomMessage_ForgotPassword",
    "UpdateUserAttributes": "CustomMessage_UpdateUserAttribute",
}
custom_text: ContextVar[dict | None] = ContextVar("custom_text", default=None)


@around(cognito, "_apply_custom_message_trigger")
def custom_message(original, pool: dict, source: str, username: str, attributes: dict, *rest) -> dict:
    """CustomMessage is called like every other trigger.

    guide: user-pool-lambda-custom-message
    """
    request = {"userAttributes": attributes, "codeParameter": "{####}", "usernameParameter": "{username}"}
    response = {"smsMessage": None, "emailMessage": None, "emailSubject": None}
    event = triggers.event(pool, source, username, request, response)
    return triggers.call(pool, "CustomMessage", event) or {}


@around(cognito, "_send_verification_email")
def send(original, pool: dict, name: str, attributes: dict, *rest, **more) -> None:
    """Every code calls CustomMessage first. A pool without SES ignores the text that it returns.

    guide: user-pool-lambda-custom-message, cognito-user-pool-settings-message-customizations
    """
    action, _ = calls.current.get()
    user = users.find_user(pool, name)
    shown = triggers.event_attributes(user)
    response = cognito._apply_custom_message_trigger(pool, SOURCES[action], user["Username"], shown)
    token = custom_text.set(response if pool["EmailConfiguration"]["EmailSendingAccount"] == "DEVELOPER" else None)
    try:
        original(pool, name, attributes, *rest, **more)
    finally:
        custom_text.reset(token)


@around(cognito, "_resolve_verification_template")
def text(original, pool: dict, **more) -> tuple[str, str]:
    """The subject and the text of a message: CustomMessage's, or the pool's. guide: user-pool-lambda-custom-message"""
    subject, message = original(pool, **more)
    custom = custom_text.get() or {}
    return custom.get("emailSubject") or subject, custom.get("emailMessage") or message


def contact_with_code(pool: dict, attributes: dict) -> str | None:
    """The contact that gets a new user's code. A phone number goes first.

    guide: user-pool-settings-email-phone-verification
    """
    contacts = (contact for contact in ("phone_number", "email") if attributes.get(contact))
    return next((contact for contact in contacts if contact in pool["AutoVerifiedAttributes"]), None)


@around(cognito, "_sign_up")
def send_to_phone(original, data: dict) -> tuple:
    """The code of a sign-up by phone calls CustomMessage too. MiniStack only sends e-mails.

    API_SignUp, CodeDeliveryDetails
    """
    response = original(data)
    if not calls.ok(response) or calls.body(response)["UserConfirmed"]:
        return response
    pool, _ = cognito._pool_for_client(data["ClientId"])
    user = users.find_user(pool, data["Username"])
    attributes = users.attributes(user)
    if contact_with_code(pool, attributes) == "phone_number" and "email" not in attributes:
        cognito._send_verification_email(pool, user["Username"], attributes, user["_confirmation_code"])
    return response


def unsent(pool: dict, data: dict, code: str, message: str) -> tuple:
    """Rejects the request for a code. With PreventUserExistenceErrors, answers as if the code was sent.

    guide: cognito-user-pool-managing-errors, ForgotPassword and ResendConfirmationCode
    """
    if cognito._hides_user_existence(pool, data["ClientId"]):
        return cognito._code_delivery_response(cognito._masked_destination(data["Username"]))
    raise calls.Refused(code, message)


@around(cognito, "_resend_confirmation_code")
def resend(original, data: dict) -> tuple:
    """A confirmed user gets no code.

    furaiev/amazon-cognito-identity-dart-2#103, aws-amplify/amplify-js#14762
    """
    pool, _ = cognito._pool_for_client(data["ClientId"])
    user = pool and users.find_user(pool, data["Username"])
    if not user or user["UserStatus"] == "UNCONFIRMED":
        return original(data)
    return unsent(pool, data, "InvalidParameterException", "User is already confirmed.")


RECOVERY = {"verified_email": "email", "verified_phone_number": "phone_number"}


@around(cognito, "_forgot_password")
def forgot(original, data: dict) -> tuple:
    """A reset needs a verified contact, an enabled user, and a password that the user chose.

    API_ForgotPassword, InvalidParameterException; aws-amplify/amplify-js#1340
    """
    pool, _ = cognito._pool_for_client(data["ClientId"])
    user = pool and users.find_user(pool, data["Username"])
    if not user:
        return original(data)
    if not user["Enabled"]:
        return unsent(pool, data, "NotAuthorizedException", "User is disabled.")
    if user["UserStatus"] == "FORCE_CHANGE_PASSWORD":
        raise calls.Refused("NotAuthorizedException", "User password cannot be reset in the current state.")
    mechanisms = (pool.get("AccountRecoverySetting") or {}).get("RecoveryMechanisms") or []
    names = [mechanism["Name"] for mechanism in mechanisms] or RECOVERY.keys()
    attributes = users.attributes(user)
    if any(attributes.get(f"{RECOVERY[name]}_verified") == "true" for name in names if name in RECOVERY):
        return original(data)
    message = "Cannot reset password for the user as there is no registered/verified email or phone_number"
    return unsent(pool, data, "InvalidParameterException", message)
