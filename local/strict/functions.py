"""Lambda."""

from ministack.services import lambda_svc

from strict.patch import around


@around(lambda_svc, "_provided_worker_env")
def keep_endpoint(original, config: dict, *rest) -> dict:
    """A function whose variables name an endpoint of AWS calls that one.

    guide: the SDKs' feature-ss-endpoints
    """
    environment = original(config, *rest)
    endpoint = config.get("Environment", {}).get("Variables", {}).get("AWS_ENDPOINT_URL")
    return environment | {"AWS_ENDPOINT_URL": endpoint} if endpoint else environment
