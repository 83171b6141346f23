"""MiniStack's conditions, with Fn::Join.

CloudFormation joins lists in conditions, and an empty list can be told in no other way. MiniStack leaves them as they
are.
"""

import sys

from ministack.services.cloudformation import engine

evaluate_conditions = engine._evaluate_conditions


def joined(node, parameters):
    """The condition with the text of every list parameter that it joins."""
    if isinstance(node, dict):
        if node.keys() == {"Fn::Join"}:
            separator, items = node["Fn::Join"]
            return separator.join(str(parameters[items["Ref"]]["Value"]).split(","))
        return {key: joined(value, parameters) for key, value in node.items()}
    if isinstance(node, list):
        return [joined(item, parameters) for item in node]
    return node


def evaluate_joined_conditions(template, parameters):
    """The conditions of this template by their names."""
    conditions = joined(template.get("Conditions", {}), parameters)
    return evaluate_conditions({**template, "Conditions": conditions}, parameters)


# Wherever it was imported.
for name, module in list(sys.modules.items()):
    if name.startswith("ministack.") and hasattr(module, "_evaluate_conditions"):
        module._evaluate_conditions = evaluate_joined_conditions
