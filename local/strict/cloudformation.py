"""CloudFormation."""

from collections.abc import Callable

from botocore.model import Shape
from ministack.services.cloudformation import engine, handlers, helpers, provisioners

from strict import models
from strict.patch import around


def joined(node, parameters: dict):
    """Replaces each Fn::Join of a list parameter with its text."""
    if isinstance(node, dict):
        if node.keys() == {"Fn::Join"}:
            separator, items = node["Fn::Join"]
            return separator.join(str(parameters[items["Ref"]]["Value"]).split(","))
        return {key: joined(value, parameters) for key, value in node.items()}
    if isinstance(node, list):
        return [joined(item, parameters) for item in node]
    return node


@around(engine, "_evaluate_conditions")
def join_in_conditions(original, template: dict, parameters: dict) -> dict:
    """Conditions may use Fn::Join, the only way to recognise an empty list.

    guide: intrinsic-function-reference-conditions
    """
    return original({**template, "Conditions": joined(template.get("Conditions", {}), parameters)}, parameters)


def converted(value, shape: Shape):
    """Converts strings to the numbers and booleans of this shape."""
    if shape.type_name == "structure" and isinstance(value, dict):
        known = shape.members
        return {name: converted(item, known[name]) if name in known else item for name, item in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [converted(item, shape.member) for item in value]
    if shape.type_name == "boolean" and isinstance(value, str):
        return value == "true"
    if shape.type_name in ("integer", "long") and isinstance(value, str):
        return int(value)
    return value


def convert_properties(resource_type: str, action: str, operation: str) -> None:
    """CloudFormation converts a parameter to the type of the property that refers to it.

    guide: aws-resource-cognito-userpool, aws-resource-cognito-userpoolclient
    """

    shape = models.of_service("cognito-idp").operation_model(operation).input_shape

    @around(provisioners._RESOURCE_HANDLERS[resource_type], action)
    def convert(original: Callable, *arguments):
        return original(*(converted(item, shape) for item in arguments))


for action in ("create", "update"):
    convert_properties("AWS::Cognito::UserPool", action, "CreateUserPool")
    convert_properties("AWS::Cognito::UserPoolClient", action, "CreateUserPoolClient")


def refuse_to_update(action: str) -> None:
    """A stack whose creation was rolled back can only be deleted.

    guide: view-stack-events, stack status codes; aws/aws-cli#6216
    """

    @around(handlers._ACTION_HANDLERS, action)
    def refuse(original: Callable, params: dict):
        name = helpers._p(params, "StackName")
        stack = handlers._resolve_stack(name) or {}
        status = stack.get("StackStatus")
        if status not in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
            return original(params)
        if action == "CreateStack" or helpers._p(params, "ChangeSetType") == "CREATE":
            return helpers._error("AlreadyExistsException", f"Stack [{stack['StackName']}] already exists")
        message = f"Stack:{stack['StackId']} is in {status} state and can not be updated."
        return helpers._error("ValidationError", message)


for action in ("CreateStack", "UpdateStack", "CreateChangeSet"):
    refuse_to_update(action)
