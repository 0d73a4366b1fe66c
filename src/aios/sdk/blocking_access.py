"""`access` of the client for threads: the same methods, blocking."""

from collections.abc import Callable, Coroutine
from typing import Any

from aios.sdk.access import AccessClient
from aios.sdk.bridge import blocking


class SyncAccessClient:
    """An `AccessClient` for threads."""

    def __init__(
        self, client: AccessClient, run: Callable[[Coroutine[Any, Any, Any]], Any]
    ) -> None:
        self._client = client
        self._run = run

    grant = blocking(AccessClient.grant)
    revoke = blocking(AccessClient.revoke)
    list = blocking(AccessClient.list)
    check = blocking(AccessClient.check)
    add_privilege = blocking(AccessClient.add_privilege)
    ask = blocking(AccessClient.ask)
    plan = blocking(AccessClient.plan)
    label = blocking(AccessClient.label)
    endorse = blocking(AccessClient.endorse)
