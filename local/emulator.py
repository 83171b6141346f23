"""MiniStack with one gap closed.

CloudFormation hands a resource its properties in the types of the resource, whatever the type of the
parameter they came from. MiniStack hands Cognito the parameters' strings: a minimum length of "8", a
"false" that counts as true. This converts them by the types of Cognito's API, and starts MiniStack.
"""

import botocore.session
from ministack import app
from ministack.services.cloudformation import provisioners

API = botocore.session.get_session().get_service_model("cognito-idp")
SHAPES = {
    "AWS::Cognito::UserPool": API.operation_model("CreateUserPool").input_shape,
    "AWS::Cognito::UserPoolClient": API.operation_model("CreateUserPoolClient").input_shape,
}


def convert(value, shape):
    """The value with the strings that stand for numbers and booleans of this shape replaced."""
    if shape.type_name == "structure" and isinstance(value, dict):
        return {name: convert(item, shape.members[name]) if name in shape.members else item for name, item in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [convert(item, shape.member) for item in value]
    if shape.type_name == "boolean" and isinstance(value, str):
        return value == "true"
    if shape.type_name in ("integer", "long") and isinstance(value, str):
        return int(value)
    return value


def converting(handler, shape):
    """The handler, with every mapping among its arguments converted."""
    return lambda *arguments: handler(*(convert(item, shape) for item in arguments))


for resource_type, shape in SHAPES.items():
    handlers = provisioners._RESOURCE_HANDLERS[resource_type]
    for action in ("create", "update"):
        handlers[action] = converting(handlers[action], shape)

app.main()
