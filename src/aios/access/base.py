"""What the gate judges. Pure shape; knows no process table and no room.

Every syscall is an *act*: a verb on an object of some owner, with an effect. The table that derives
the act from a call stands in `access/acts.py`, one row per syscall.
"""

from enum import StrEnum
from typing import NamedTuple


class Effect(StrEnum):
    """What an act does at worst. Anything above READ is a consequence."""

    NONE = "none"  # computes, or looks at what is everybody's
    READ = "read"  # looks at somebody's data
    CHANGE = "change"  # can be undone: there are versions, a bin, or nothing is lost
    OUTSIDE = "outside"  # leaves the system: a message, a request
    FINAL = "final"  # cannot be undone


class Act(NamedTuple):
    """One syscall as the gate sees it.

    `verb` is the syscall's name (`file.delete`; `tool.call`), `owner` the agent whose object it is
    (the caller's own path where it names none), `object` its name within the owner and family: a
    path, a block, a pid in decimal, a tool's name; empty where the call names no single thing.
    """

    verb: str
    owner: str
    object: str
    effect: Effect
