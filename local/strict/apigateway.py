"""API Gateway."""

from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

from strict.patch import around


@around(apigateway_v1, "_import_rest_api")
def import_gateway_responses(original, description: dict, *rest):
    """An API is imported with its gateway responses.

    guide: api-gateway-swagger-extensions-gateway-responses
    """
    api = original(description, *rest)
    for response_type, response in description.get("x-amazon-apigateway-gateway-responses", {}).items():
        apigateway_v1._put_gateway_response(api, response_type, response)
    return api


@around(apigateway_v1, "_import_operation")
def import_integration_responses(original, api, resource, method, operation: dict, *rest):
    """A method is imported with what its integration answers.

    guide: api-gateway-swagger-extensions-integration-responses
    """
    original(api, resource, method, operation, *rest)
    for response in operation["x-amazon-apigateway-integration"].get("responses", {}).values():
        apigateway_v1._put_integration_response(api, resource, method, response["statusCode"], response)


@around(apigateway_v1, "_invoke_lambda_proxy_v1")
async def rename_challenge(original, *arguments, **more) -> tuple:
    """The header WWW-Authenticate of a function is renamed.

    guide: api-gateway-known-issues; modelix/modelix.core#1658
    """
    status, headers, body = await original(*arguments, **more)
    names = {name: f"x-amzn-Remapped-{name}" if name.lower() == "www-authenticate" else name for name in headers}
    return status, {names[name]: value for name, value in headers.items()}, body


@around(provisioners, "_apigw_method_settings")
def unescape_paths(original, settings):
    """In the path of a stage's method setting a slash is written as ~1.

    guide: CloudFormation's aws-properties-apigateway-stage-methodsetting, ResourcePath
    """
    return {path.replace("~1", "/").replace("//", "/"): entry for path, entry in original(settings).items()}


@around(provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Account"], "delete")
def keep_account_setting(original, physical_id: str, properties: dict) -> None:
    """The account's setting stays, with the role of a deleted stack.

    guide: CloudFormation's aws-resource-apigateway-account; aws/aws-cdk#6194
    """
