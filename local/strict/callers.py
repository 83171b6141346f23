"""Who may call. A web page in the developer's browser can send requests to loopback, but not change their headers."""

import os
import re

from ministack import app
from ministack.core import iam_evaluator

from strict.patch import around

HOST = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]+)?")
# Where a deployed API answers, to pages of any origin as on AWS.
API = "/_aws/execute-api/"


def refusal(path: str, headers: dict[str, str]) -> str | None:
    """Why a request is rejected: it came by another name, or from a page of another origin."""
    # A page can give its own name loopback's address.
    host = headers.get("host", "")
    if not HOST.fullmatch(host):
        return "The embedded AWS answers requests to 127.0.0.1 and localhost only."
    if headers.get("origin", f"http://{host}") != f"http://{host}" and not path.startswith(API):
        return "The embedded AWS answers pages of other origins at the URL of a deployed API only."
    return None


@around(app, "app")
async def reject_pages(original, scope, receive, send):
    """Rejects what a web page can send. Not AWS's: no page reaches AWS through loopback."""
    if scope["type"] == "lifespan":
        return await original(scope, receive, send)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    message = refusal(scope["path"], headers)
    if not message:
        return await original(scope, receive, send)
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close", "code": 1008})
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": message.encode()})


@around(iam_evaluator, "is_root_access_key")
def only_own_key(original, access_key_id: str) -> bool:
    """The account's root has the key of this start, and no well-known one. Public operations come without any.

    Not AWS's: MiniStack takes well-known keys, which any web page could send.
    """
    return not access_key_id or access_key_id == os.environ["AWS_ACCESS_KEY_ID"]
