"""Cognito's user pools."""

from strict.cognito import (  # noqa: F401
    attributes,
    calls,
    confirmation,
    messages,
    pools,
    sessions,
    tokens,
    triggers,
    users,
)
