"""How long a server is waited for, at every step. Pure."""

import msgspec


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """In seconds."""

    handshake_s: float = 20.0
    list_s: float = 15.0  # for all pages of its tools
    relist_s: float = 1.0  # at least between two times that its tools are asked for
    again_s: float = 0.5  # before it is connected again; twice as long each further time
    again_s_max: float = 60.0
    steady_s: float = 60.0  # a connection that lived so long was a good one
    wait_s: float = 10.0  # of a call, for the connection or for the tools
    relisten_s: float = 30.0  # before it is asked again to tell changes
    close_s: float = 5.0


PATIENCE = Patience()
