"""What follows the confirmation of a user."""

from collections.abc import Callable

from ministack.services import cognito

from strict.cognito import calls, messages, triggers, users
from strict.patch import around


def confirming(operation: str, source: str) -> None:
    """This operation calls PostConfirmation. If that fails, the caller gets its error and the user stays confirmed.

    A sign-up that PreSignUp confirmed calls it too. AdminCreateUser does not.
    guide: user-pool-lambda-post-confirmation; KensioSoftware/yulin#462
    """

    @around(cognito, operation)
    def confirm(original: Callable, data: dict) -> tuple:
        response = original(data)
        if calls.ok(response) and calls.body(response).get("UserConfirmed", True):
            pool = cognito._user_pools.get(data.get("UserPoolId")) or cognito._pool_for_client(data["ClientId"])[0]
            user = users.find_user(pool, data["Username"])
            request = {"userAttributes": triggers.event_attributes(user)}
            event = triggers.event(pool, f"PostConfirmation_{source}", user["Username"], request)
            triggers.call(pool, "PostConfirmation", event)
        return response


@around(cognito, "_confirm_sign_up")
def verify_contact(original, data: dict) -> tuple:
    """The code of a sign-up also verifies the contact that it was sent to.

    guide: signing-up-users-in-your-app
    """
    response = original(data)
    if calls.ok(response):
        pool, _ = cognito._pool_for_client(data["ClientId"])
        user = users.find_user(pool, data["Username"])
        contact = messages.contact_with_code(pool, users.attributes(user))
        if contact:
            verified = [{"Name": f"{contact}_verified", "Value": "true"}]
            user["Attributes"] = cognito._merge_attributes(user["Attributes"], verified)
    return response


confirming("_sign_up", "ConfirmSignUp")
confirming("_confirm_sign_up", "ConfirmSignUp")
confirming("_admin_confirm_sign_up", "ConfirmSignUp")
confirming("_confirm_forgot_password", "ConfirmForgotPassword")
