"""WAF."""

from ministack.services import waf
from ministack.services.cloudformation import provisioners


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
