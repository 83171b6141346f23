"""MiniStack with some gaps closed.

CloudFormation hands a resource its properties in the types of the resource, whatever the type of the
parameter they came from. MiniStack hands Cognito the parameters' strings: a minimum length of "8", a
"false" that counts as true. This converts them by the types of Cognito's API.

Cognito tells the triggers of a challenge the user's status, and where the client hides who has an account
it calls them for unknown users too, as `userNotFound`. MiniStack does neither; this does both. Of a signed-in user
Cognito takes no attribute that the client may not write or that can't be changed, and before it sends a code to
a new contact it asks the trigger of messages; MiniStack takes any.

Of an API's description API Gateway takes the gateway responses and the integration responses too, in a stage's
method settings a path's slashes are ~1, and a web ACL can be associated by a resource of its own.

A function whose variables name an endpoint of AWS calls that one. MiniStack has it call MiniStack. `conditions`
closes another gap.
"""

import contextvars

import botocore.session
import conditions as _  # MiniStack's, with Fn::Join
from ministack import app
from ministack.services import apigateway_v1, cognito, lambda_svc, waf
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

hides_unknown_users = contextvars.ContextVar("hides_unknown_users", default=False)
resolve_user = cognito._resolve_user


def resolve_user_or_nobody(pool, username):
    """The user; where unknown ones are hidden, one who has nothing but the name."""
    user, error = resolve_user(pool, username)
    if error and username and hides_unknown_users.get():
        return {"Username": username, "Attributes": []}, None
    return user, error


def hiding_unknown_users(handler):
    """The handler of a sign-in's step, which hides unknown users from who answers a challenge of one's own."""

    def handle(data):
        client = data.get("ClientId")
        pool, _ = cognito._pool_for_client(client)
        custom = data.get("AuthFlow") == "CUSTOM_AUTH" or data.get("ChallengeName") == "CUSTOM_CHALLENGE"
        hides = custom and pool and cognito._hides_user_existence(pool, client)
        before = hides_unknown_users.set(bool(hides))
        try:
            return handler(data)
        finally:
            hides_unknown_users.reset(before)

    return handle


def with_the_user(build):
    """The builder of a trigger's event, with what Cognito tells about the user besides."""

    def build_event(pool_id, client_id, username, *rest):
        event = build(pool_id, client_id, username, *rest)
        user, unknown = resolve_user(cognito._user_pools[pool_id], username)
        event["request"]["userNotFound"] = bool(unknown)
        if user:
            event["request"]["userAttributes"]["cognito:user_status"] = user["UserStatus"]
        return event

    return build_event


update_user_attributes = cognito._update_user_attributes


def update_writable_user_attributes(data):
    """UpdateUserAttributes, of the attributes that the token's client may write and the pool lets change."""
    token = data.get("AccessToken", "")
    user, pool = cognito._user_pool_for_access_token(token)
    if user:
        client = pool["_clients"][cognito._decode_id_token_unverified(token)["client_id"]]
        immutable = {attribute["Name"] for attribute in pool["SchemaAttributes"] if not attribute["Mutable"]}
        for name in (attribute["Name"] for attribute in data["UserAttributes"]):
            if name not in client["WriteAttributes"]:
                message = "A client attempted to write unauthorized attribute"
                return cognito.error_response_json("NotAuthorizedException", message, 400)
            if name in immutable:
                message = f"user.{name}: Attribute cannot be updated."
                return cognito.error_response_json("InvalidParameterException", message, 400)
        if any(attribute["Name"] in ("email", "phone_number") for attribute in data["UserAttributes"]):
            attributes = cognito._attr_list_to_dict(user["Attributes"])
            try:
                cognito._apply_custom_message_trigger(
                    pool, "CustomMessage_UpdateUserAttribute", user["Username"], attributes
                )
            except cognito._CustomMessageRejected as refusal:
                return cognito._custom_message_error(refusal)
    return update_user_attributes(data)


cognito._resolve_user = resolve_user_or_nobody
cognito._update_user_attributes = update_writable_user_attributes
for handler in ("_initiate_auth", "_respond_to_auth_challenge"):
    setattr(cognito, handler, hiding_unknown_users(getattr(cognito, handler)))
for trigger in ("define_auth_challenge", "create_auth_challenge", "verify_auth_challenge"):
    builder = f"_build_{trigger}_event"
    setattr(cognito, builder, with_the_user(getattr(cognito, builder)))

import_rest_api = apigateway_v1._import_rest_api
import_operation = apigateway_v1._import_operation
method_settings = provisioners._apigw_method_settings


def import_with_gateway_responses(description, *rest):
    """The API of this description, with its gateway responses."""
    api = import_rest_api(description, *rest)
    for response_type, response in description.get("x-amazon-apigateway-gateway-responses", {}).items():
        apigateway_v1._put_gateway_response(api, response_type, response)
    return api


def import_with_integration_responses(api, resource, method, operation, *rest):
    """The operation's method, with what its integration answers."""
    import_operation(api, resource, method, operation, *rest)
    integration = operation["x-amazon-apigateway-integration"]
    for response in integration.get("responses", {}).values():
        apigateway_v1._put_integration_response(api, resource, method, response["statusCode"], response)


def unescaped_method_settings(settings):
    """The settings of a stage's methods, by paths with slashes."""
    return {path.replace("~1", "/").replace("//", "/"): entry for path, entry in method_settings(settings).items()}


def associate_web_acl(logical_id, properties, stack_name):
    """Makes a resource of the type AWS::WAFv2::WebACLAssociation."""
    status, _, body = waf._associate_web_acl(properties)
    if status >= 400:
        raise ValueError(f"{logical_id} failed: {body!r}")
    return "|".join((properties["WebACLArn"], properties["ResourceArn"])), {}


def disassociate_web_acl(physical_id, properties):
    """Deletes a resource of the type AWS::WAFv2::WebACLAssociation."""
    waf._disassociate_web_acl(properties)


provided_worker_env = lambda_svc._provided_worker_env


def worker_env_with_its_endpoint(config, *rest):
    """The environment of a function's process, with the endpoint that its variables name."""
    environment = provided_worker_env(config, *rest)
    endpoint = config.get("Environment", {}).get("Variables", {}).get("AWS_ENDPOINT_URL")
    return environment | {"AWS_ENDPOINT_URL": endpoint} if endpoint else environment


apigateway_v1._import_rest_api = import_with_gateway_responses
apigateway_v1._import_operation = import_with_integration_responses
provisioners._apigw_method_settings = unescaped_method_settings
lambda_svc._provided_worker_env = worker_env_with_its_endpoint
provisioners._RESOURCE_HANDLERS["AWS::WAFv2::WebACLAssociation"] = {
    "create": associate_web_acl,
    "delete": disassociate_web_acl,
}

app.main()
