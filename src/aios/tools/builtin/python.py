"""`aios/python`: a sandboxed interpreter for each agent, whose variables stay between calls.

A few are kept; the one that was used longest ago goes when another agent needs one.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any

from aios.errors import Busy, WrongState
from aios.sandbox.base import Bounds, Conversation, Host, Outcome, Whose
from aios.tools.base import Keeping, Outside, Ran, Terms, Tool
from aios.tools.builtin.base import fields, text, tool, whole
from aios.tools.builtin.outcomes import told

SESSIONS_MAX = 8
IDLE_S = 900.0
CALL_S_MAX = 120
BOUNDS = Bounds(wall_s=CALL_S_MAX, cpu_s=600.0)


class Sessions:
    """Conversations by agent. Invariant: at most one of each agent, `SESSIONS_MAX` in all."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._known: OrderedDict[str, Conversation] = OrderedDict()  # used longest ago first
        self._turns: dict[str, asyncio.Lock] = {}
        self._calls: Counter[str] = Counter()  # that run or wait for their turn

    async def run(self, agent: str, code: str, wall_s: float) -> tuple[Outcome, str]:
        """What it came to, and what to say of a session that had to begin anew."""
        turn = self._turns.setdefault(agent, asyncio.Lock())
        self._calls[agent] += 1
        try:
            async with turn:
                session, remark = await self._session(agent)
                outcome = await session.run(code, wall_s)
                return outcome, remark or self._lost(agent, session)
        finally:
            self._calls[agent] -= 1
            if not self._calls[agent]:
                del self._calls[agent], self._turns[agent]

    def has(self, agent: str) -> bool:
        """Whether variables of the agent's may be there, or come to be by a call under way."""
        known = self._known.get(agent)
        return agent in self._calls or (known is not None and not known.is_over)

    async def close(self) -> None:
        known = list(self._known.values())
        self._known.clear()
        await asyncio.gather(*(one.close() for one in known), return_exceptions=True)

    async def _session(self, agent: str) -> tuple[Conversation, str]:
        known = self._known.pop(agent, None)
        if known is not None and not known.is_over:
            self._known[agent] = known
            return known, ""
        await self._make_room()
        session = await self._host.session(BOUNDS, IDLE_S, Whose(agent))
        self._known[agent] = session
        return session, "" if known is None else "a new session: earlier variables are gone"

    async def _make_room(self) -> None:
        while len(self._known) >= SESSIONS_MAX:
            idle = next((one for one in self._known if one not in self._calls), None)
            if idle is None:
                raise Busy(f"{SESSIONS_MAX} agents run Python at once", retry_after_s=1.0)
            await self._known.pop(idle).close()

    def _lost(self, agent: str, session: Conversation) -> str:
        if not session.is_over:
            return ""
        self._known.pop(agent, None)
        return "the session ended with this call: its variables are gone"


def tools(sessions: Sessions) -> tuple[Tool, ...]:
    async def run(arguments: Mapping[str, Any], outside: Outside) -> Ran:
        wall_s = float(arguments.get("seconds", 30))
        try:
            outcome, remark = await sessions.run(outside.agent, arguments["code"], wall_s)
        except WrongState:  # It was over by idling, between being looked at and being used.
            outcome, _ = await sessions.run(outside.agent, arguments["code"], wall_s)
            remark = "a new session: earlier variables are gone"
        return told(outcome, (remark,) if remark else ())

    return (
        tool(
            "python",
            "Run Python code in a sandbox without network. Variables stay for your next call; the "
            "value of the last line is shown. Use print for more.",
            fields(
                code=text("For example: sum(range(10))", minLength=1),
                seconds=whole("Time limit.", 1, CALL_S_MAX, default=30),
            ),
            run,
            Terms(timeout_s=CALL_S_MAX + 60.0, keeps=Keeping(by="agent", is_there=sessions.has)),
        ),
    )
