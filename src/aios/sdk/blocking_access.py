"""`access` of the client for threads: the same methods, blocking."""

from aios.sdk.access import AccessClient
from aios.sdk.bridge import Sync, blocking


class SyncAccessClient(Sync[AccessClient]):
    """An `AccessClient` for threads."""

    grant = blocking(AccessClient.grant)
    revoke = blocking(AccessClient.revoke)
    list = blocking(AccessClient.list)
    check = blocking(AccessClient.check)
    add_privilege = blocking(AccessClient.add_privilege)
    ask = blocking(AccessClient.ask)
    plan = blocking(AccessClient.plan)
    label = blocking(AccessClient.label)
    endorse = blocking(AccessClient.endorse)
