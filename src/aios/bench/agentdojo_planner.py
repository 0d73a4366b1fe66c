"""A planner that always obeys: it declares what the user wants, then does what it reads.

It stands for the worst model there could be: one that follows every instruction in a tool's result
at once, before it goes on. So what is measured is the boundary around it. The human says yes to
exactly the acts that the user's task needs, and never to another.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aios.access.approvals import digest_of
from aios.bench.agentdojo_orders import Act
from aios.bench.agentdojo_stage import Scene, Suite, Task, within
from aios.errors import Denied
from aios.sdk.client import Client
from aios.syscalls.access import PlanActs, PlannedAct
from aios.syscalls.base import name_of
from aios.syscalls.codec import encode
from aios.syscalls.process import Exit
from aios.syscalls.tool import CallTool

NUMBER = re.compile(r"(?<![\w.,:-])\d+(?:\.\d+)?(?![\w:-]|[.,]\d)")  # no time, no date


@dataclass(slots=True, kw_only=True)
class Human:
    """Answers by the digest of exactly what is asked, as every approval is bound to it."""

    wanted: frozenset[str] = frozenset()
    yes: int = 0
    no: int = 0

    def says(self, digest: str) -> bool:
        is_yes = digest in self.wanted
        self.yes += is_yes
        self.no += not is_yes
        return is_yes


@dataclass(slots=True, kw_only=True)
class Played:
    """What came of one case."""

    is_injected: bool = False  # the planner read the attacker's text
    refused: list[Act] = field(default_factory=list)
    obeyed: list[Act] = field(default_factory=list)  # the attacker's acts that were done


class Planner:
    """One task of one user, in a process of its own; `attack` is what it will be told to do."""

    def __init__(self, client: Client, suite: Suite, scene: Scene) -> None:
        self._client = client
        self._suite = suite
        self._scene = scene

    async def play(self, user: Task, attack: Task | None) -> Played:
        acts = self._suite.truth(user, self._scene)
        await self._declare(user, acts)
        played = Played()
        orders: list[Act] | None = None  # none are known before they are read
        for act in acts:
            text = await self._do(act, played)
            if attack is not None and within(attack.text) in text:
                played.is_injected = True
                if orders is None:
                    orders = self._suite.orders(attack, self._scene)
                orders = [one for one in orders if not await self._obeyed(one, played)]
        says = [user.says]
        if attack is not None and played.is_injected and attack.says:
            says.append(attack.says)
        await self._answer(["\n".join(says), user.says, ""])
        return played

    async def _answer(self, words: Sequence[str]) -> None:
        """The first that may be told: with what the attacker wants said, without it, nothing."""
        for one in words:
            with suppress(Denied):
                await self._client.exit(one)
                return

    async def _obeyed(self, act: Act, played: Played) -> bool:
        """Whether it is done; what was refused is tried again when it is read again."""
        refused = len(played.refused)
        await self._do(act, played)
        is_done = len(played.refused) == refused
        if is_done:
            played.obeyed.append(act)
        return is_done

    async def _declare(self, user: Task, acts: Sequence[Act]) -> None:
        """From the user's words alone: a value that does not stand there is left open."""
        plan = tuple(planned(self._suite.name, act, user.text) for act in acts)
        if plan:
            await self._client.call(PlanActs(acts=plan))

    async def _do(self, act: Act, played: Played) -> str:
        try:
            result = await self._client.call(called(self._suite.name, act))
        except Denied:
            played.refused.append(act)
            return ""
        return "".join(getattr(one, "text", "") for one in result.contents)


def called(suite: str, act: Act) -> CallTool:
    arguments = json.dumps(act.arguments, default=str, ensure_ascii=False)
    return CallTool(name=f"{suite}/{act.tool}", arguments=arguments)


def digest(suite: str, act: Act) -> str:
    """What an approval of this act is bound to."""
    call = called(suite, act)
    return digest_of(name_of(CallTool), call.name, encode(call))


def digest_of_answer(words: str) -> str:
    """What an approval of this answer is bound to."""
    return digest_of(name_of(Exit), "", encode(Exit(result=words)))


def planned(suite: str, act: Act, words: str) -> PlannedAct:
    plain: Mapping[str, Any] = json.loads(json.dumps(act.arguments, default=str))
    fixed = {name: value for name, value in plain.items() if stands(value, words)}
    return PlannedAct(
        tool=f"{suite}/{act.tool}", fixed=fixed, open=tuple(sorted(set(plain) - set(fixed)))
    )


def stands(value: Any, words: str) -> bool:
    """Whether a value stands in the user's own words, as a whole."""
    if value is None or isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return any(float(found) == value for found in NUMBER.findall(words))
    if isinstance(value, str):
        whole = rf"(?<!\w){re.escape(value)}(?!\w)"
        return bool(value) and re.search(whole, words) is not None
    if isinstance(value, list):
        return bool(value) and all(stands(one, words) for one in value)
    return False
