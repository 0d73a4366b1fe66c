"""One finding about this machine, as the doctor shows it."""

import msgspec


class Check(msgspec.Struct, frozen=True):
    """One line. `advice` is empty where all is well."""

    what: str
    found: str
    advice: str = ""
