"""The embedded AWS: `python -m strict`."""

from ministack import app

from strict import (  # noqa: F401 (each changes its service)
    apigateway,
    callers,
    cloudformation,
    cognito,
    functions,
    ses,
    sns,
    waf,
)

app.main()
