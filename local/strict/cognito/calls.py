"""Calls of operations: validation, and errors that any code below can raise."""

import json
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from botocore.model import Shape
from ministack.core.concurrency import run_reentrant
from ministack.services import cognito

from strict import models
from strict.patch import around

MODEL = models.of_service("cognito-idp")
# The model is out of date: a password may contain spaces. guide: managing-users-passwords
PATTERNS = {"PasswordType": r"^[\S]+.*[\S]+$"}
# Operations that MiniStack lacks.
OPERATIONS: dict[str, Callable[[dict], tuple]] = {}
# The operation of this call, and its request.
current: ContextVar[tuple[str, dict]] = ContextVar("current", default=("", {}))


class Refused(Exception):
    """Ends the call with this error response."""

    def __init__(self, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.response = cognito.error_response_json(code, message, 400)


def ok(response: tuple) -> bool:
    """Whether the response is a success."""
    return response[0] == 200


def body(response: tuple) -> dict:
    """The JSON of the response."""
    return json.loads(response[2])


def violations(shape: Shape, value, path: str = "") -> Iterator[str]:
    """The constraints of the shape that the value breaks, in AWS's words."""

    def broken(constraint: str) -> str:
        shown = "Value" if shape.metadata.get("sensitive") else f"Value '{value}'"
        return f"{shown} at '{path}' failed to satisfy constraint: Member must {constraint}"

    def inner(name: str) -> str:
        return (f"{path}." if path else "") + name[:1].lower() + name[1:]

    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from violations(member, value[name], inner(name))
            elif name in shape.required_members:
                yield f"Value null at '{inner(name)}' failed to satisfy constraint: Member must not be null"
    elif shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield from violations(shape.member, item, inner(f"{number}.member"))
    elif shape.type_name == "string" and isinstance(value, str):
        least, most, pattern = (shape.metadata.get(key) for key in ("min", "max", "pattern"))
        pattern = PATTERNS.get(shape.name, pattern)
        if least is not None and len(value) < least:
            yield broken(f"have length greater than or equal to {least}")
        if most is not None and len(value) > most:
            yield broken(f"have length less than or equal to {most}")
        # Python's regular expressions have no classes of Unicode.
        if pattern and r"\p" not in pattern and not re.fullmatch(pattern, value):
            yield broken(f"satisfy regular expression pattern: {pattern}")
        if shape.enum and value not in shape.enum:
            yield broken(f"satisfy enum value set: [{', '.join(shape.enum)}]")


@around(cognito, "_run_idp_handler")
def run(original, handler: Callable, action: str, data: dict) -> tuple:
    """Cognito validates the request of a public operation before anything else.

    model: `required`, `min`, `max`, `pattern` and `enum` of each member; aws/aws-cdk#14699
    """
    token = current.set((action, data))
    try:
        operation = MODEL.operation_model(action)
        found = list(violations(operation.input_shape, data)) if operation.auth_type == "none" else []
        if found:
            errors = "error" if len(found) == 1 else "errors"
            raise Refused("InvalidParameterException", f"{len(found)} validation {errors} detected: {'; '.join(found)}")
        return original(handler, action, data)
    except Refused as refused:
        return refused.response
    finally:
        current.reset(token)


@around(cognito, "_dispatch_idp")
async def dispatch(original, action: str, data: dict) -> tuple:
    """Calls MiniStack's operation, or one of those that it lacks. Not AWS's: the sources are at the operations."""
    if action in OPERATIONS:
        return await run_reentrant(cognito._run_idp_handler, OPERATIONS[action], action, data)
    return await original(action, data)
