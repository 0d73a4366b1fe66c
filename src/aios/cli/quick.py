"""One question to a kernel without a client, which takes long to import. No answer is None."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

PATIENCE_S = 1.0


def answered(place: str, path: str, token: str = "", body: str | None = None) -> Any:
    """The JSON that a GET, or with a body a POST, is answered with."""
    parts = urlsplit(place)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=PATIENCE_S)
    headers = {"content-type": "application/json"} if body is not None else {}
    if token:
        headers["authorization"] = f"Bearer {token}"
    try:
        where = f"{parts.path.rstrip('/')}{path}"
        connection.request("GET" if body is None else "POST", where, body, headers)
        reply = connection.getresponse()
        return json.loads(reply.read()) if reply.status == http.client.OK else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
