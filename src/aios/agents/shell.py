"""A shell in plain language: an agent that turns a request into file syscalls, openly.

It shows each step before it is made, asks before one that takes something away or lets somebody
else in, and makes it as it was shown: what was asked about is bound to the version that was seen.
Who decides is a person behind `confirm`, never the model. Knows the SDK only.

How well a request is understood is up to the model. The one that AIOS ships was trained on other
tools and manages little here; a model that is good at calling tools is meant to be used.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Unpack

from aios.agents.shell_tools import FileTools
from aios.agents.steps import Confirm, Gate, Show
from aios.clock import Clock
from aios.sdk import Agent, Client, Options

TURNS_MAX = 24
INSTRUCTIONS = """You work on the user's files, with the tools and nothing else.
First find out what is meant: search, list, look at versions. Then do exactly what was asked, and no
more. Bring a file back to an earlier day with `rollback`, by the version number that `versions`
tells. If the user refuses a step, do not try it again. If nothing fits, or more than one thing
does, change nothing and say so. At the end tell in one or two sentences what you did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whoever sits in front: sees steps, and answers whether one may be made."""

    show: Show
    confirm: Confirm


class Shell:
    """Carries out one request after another; remembers nothing between them."""

    def __init__(
        self,
        person: Person,
        clock: Clock,
        *,
        zone: tzinfo = UTC,
        **options: Unpack[Options],
    ) -> None:
        self._gate = Gate(person.show, person.confirm)
        self._clock = clock
        self._zone = zone
        self._options = options

    async def __call__(self, client: Client, request: Any) -> str:
        """What was done, in the model's words."""
        now = datetime.fromtimestamp(self._clock.utc(), self._zone)
        agent = Agent(
            "shell",
            instructions=f"{INSTRUCTIONS}\nIt is {now:%A, %Y-%m-%d %H:%M}.",
            tools=FileTools(client.files, self._gate, self._clock, self._zone).all(),
            turns_max=TURNS_MAX,
            **self._options,
        )
        return await agent(client, request)
