"""Prints the template as CloudFormation reads it with these parameters: macros expanded, conditions decided.

    local/.venv-embedded-aws/bin/python local/expand_template.py [NAME=VALUE ...]
"""

import json
import pathlib
import sys

from ministack.services.cloudformation import engine

import strict.cloudformation  # noqa: F401 (Fn::Join in conditions)

ABSENT = {"Ref": "AWS::NoValue"}


def decided(node, conditions):
    """The node with the branch of every Fn::If, and without what does not exist."""
    while isinstance(node, dict) and node.keys() == {"Fn::If"}:
        condition, then, otherwise = node["Fn::If"]
        node = then if conditions[condition] else otherwise
    if isinstance(node, dict):
        items = {key: decided(value, conditions) for key, value in node.items()}
        return {key: value for key, value in items.items() if value != ABSENT}
    if isinstance(node, list):
        return [value for value in (decided(value, conditions) for value in node) if value != ABSENT]
    return node


# The intrinsic functions of rules, which MiniStack does not read.
for name in ("Contains", "EachMemberEquals", "EachMemberIn"):
    engine.CfnLoader.add_constructor(f"!{name}", engine._construct_cfn_tag(f"Fn::{name}"))
template = engine._parse_template((pathlib.Path(__file__).parent.parent / "template.yaml").read_text())
for resource in template["Resources"].values():
    if isinstance(resource, dict) and resource["Type"] == "AWS::Serverless::Function":
        # `sam deploy` puts the place of the upload here.
        resource["Properties"]["CodeUri"] = "s3://bucket/" + resource["Properties"]["CodeUri"]
parameters = [dict(zip(("Key", "Value"), argument.split("=", 1))) for argument in sys.argv[1:]]
template = engine._apply_transforms(template, parameters)
conditions = engine._evaluate_conditions(template, engine._resolve_parameters(template, parameters))
template["Resources"] = {
    name: decided({key: value for key, value in resource.items() if key != "Condition"}, conditions)
    for name, resource in template["Resources"].items()
    if conditions.get(resource.get("Condition"), True)
}
json.dump(template, sys.stdout, indent=2)
