"""WAF."""

import re

from ministack.core.responses import get_region
from ministack.services import apigateway_v1, cognito, waf
from ministack.services.cloudformation import provisioners

from strict.patch import around


def exists(arn: str) -> bool:
    """Whether a web ACL can be associated with this: a stage of a REST API, or a user pool."""
    stage = re.fullmatch(r"arn:aws:apigateway:([^:]+)::/restapis/([^/]+)/stages/([^/]+)", arn)
    if stage:
        region, api, name = stage.groups()
        return region == get_region() and name in apigateway_v1._stages_v1.get(api, {})
    return arn in [pool["Arn"] for pool in cognito._user_pools.values()]


@around(waf, "_associate_web_acl")
def associate_existing(original, data: dict) -> tuple:
    """A web ACL protects only what exists.

    model: AssociateWebACL, ResourceArn and WAFNonexistentItemException
    """
    if not exists(data.get("ResourceArn", "")):
        message = "AWS WAF couldn't perform the operation because your resource doesn't exist."
        return waf._waf_err("WAFNonexistentItemException", message)
    return original(data)


def associate(logical_id: str, properties: dict, stack_name: str) -> tuple[str, dict]:
    """Makes a resource of the type AWS::WAFv2::WebACLAssociation.

    guide: CloudFormation's aws-resource-wafv2-webaclassociation
    """
    status, _, body = waf._associate_web_acl(properties)
    if status >= 400:
        raise ValueError(f"{logical_id} failed: {body!r}")
    return "|".join((properties["WebACLArn"], properties["ResourceArn"])), {}


def disassociate(physical_id: str, properties: dict) -> None:
    """Deletes a resource of the type AWS::WAFv2::WebACLAssociation."""
    waf._disassociate_web_acl(properties)


provisioners._RESOURCE_HANDLERS["AWS::WAFv2::WebACLAssociation"] = {"create": associate, "delete": disassociate}
