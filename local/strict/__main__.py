"""The embedded AWS: `python -m strict`."""

from ministack import app

from strict import apigateway, cloudformation, cognito, functions, ses, sns, waf  # noqa: F401 (each changes its service)

app.main()
