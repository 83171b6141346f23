"""SES."""

import json
from contextvars import ContextVar
from email.utils import parseaddr

from ministack.core import iam_actions, iam_evaluator

from strict.patch import around

sender: ContextVar[str] = ContextVar("sender", default="")


@around(iam_actions, "_ses_v2_resource_arn")
def identity_of_sender(original, method: str, path: str, body: bytes, region: str, account_id: str) -> str:
    """Who sends needs the right to the sender's identity. The identities here are domains.

    authorization reference: Amazon SES; guide: control-user-access
    """
    if path != "/v2/email/outbound-emails":
        return original(method, path, body, region, account_id)
    _, address = parseaddr(json.loads(body).get("FromEmailAddress", ""))
    sender.set(address)
    return f"arn:aws:ses:{region}:{account_id}:identity/{address.rpartition('@')[2]}"


@around(iam_evaluator, "enforce")
def with_sender(original, access_key_id: str, action: str, *rest, service_context=None, **more):
    """A policy can ask for the address that an e-mail is from.

    authorization reference: ses:FromAddress
    """
    if action == "ses:SendEmail":
        service_context = {**(service_context or {}), "ses:FromAddress": sender.get()}
    return original(access_key_id, action, *rest, service_context=service_context, **more)
