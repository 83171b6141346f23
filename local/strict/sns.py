"""SNS."""

import re

from ministack.services import sns

from strict import models
from strict.patch import around

MODEL = models.of_service("sns")
EXCEPTIONS = {shape.error_code: shape for shape in MODEL.error_shapes}
WIRE_CODES = {shape.name: shape.error_code for shape in MODEL.error_shapes}

# SNS accepts no number that is reserved for fiction (+1 NPA-555-01XX). The last two digits choose the error here.
FICTIONAL = re.compile(r"\+1[0-9]*55501([0-9]{2})")
REFUSALS = {
    "03": ("AuthorizationError", "User is not authorized to perform: SNS:Publish"),
    "29": ("Throttled", "Rate exceeded"),
    "50": ("InternalError", "Internal error"),
    "51": ("KMSAccessDenied", "The ciphertext refers to a key that does not exist or that you may not use"),
    "52": ("KMSThrottling", "Rate exceeded"),
}
# 7867 is STOP on a phone's keys.
OPTED_OUT = re.compile(r"\+[0-9]+00007867")
E164 = re.compile(r"\+[1-9][0-9]{1,14}")
SENDER_ID = re.compile(r"(?=.*[A-Za-z])(?!-)[A-Za-z0-9-]{1,11}(?<!-)")


@around(sns, "_error")
def wire_code(original, code: str, message: str, status: int):
    """SNS answers with wire codes, not with the names of the SDKs' exceptions.

    model: the `error` of each exception, such as `InvalidParameter`
    """
    return original(WIRE_CODES.get(code, code), message, status)


@around(sns, "_publish")
def publish_sms(original, params: dict):
    """SNS rejects a number that it can't send to. It accepts one that has opted out, and sends nothing.

    A sender id needs a letter. API_Publish; guide: sms_manage, channels-sms-originating-identities-sender-ids;
    aws/aws-sdk-js#1368; dev.classmethod.jp/articles/amazon-sns-i-tried-specifying-a-sender-id-in-sending-sms
    """
    phone = sns._p(params, "PhoneNumber")
    if not phone:
        return original(params)
    fictional = FICTIONAL.fullmatch(phone)
    if fictional or not E164.fullmatch(phone):
        invalid = "InvalidParameter", f"Invalid parameter: PhoneNumber Reason: {phone} is not valid to publish to"
        code, message = REFUSALS.get(fictional[1], invalid) if fictional else invalid
        return sns._error(code, message, EXCEPTIONS[code].metadata["error"]["httpStatusCode"])
    sender = sns._parse_message_attributes(params).get("AWS.SNS.SMS.SenderID", {}).get("StringValue", "A")
    if not SENDER_ID.fullmatch(sender):
        return sns._error("ParameterValueInvalid", f"Invalid parameter value: {sender}", 400)
    response = original(params)
    if OPTED_OUT.fullmatch(phone):
        sns._sms_log_for(phone).clear()
    return response
