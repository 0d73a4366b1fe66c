"""Where the kernel's tools come from: sources given at boot, servers that the operator added.

A source is asked what it has before every call, so that a definition that changed meanwhile is
never the one that runs. Knows no call; which definitions are accepted the registry knows.
"""

import asyncio
import builtins
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from aios.clock import Clock
from aios.errors import AiosError, InvalidArgument, NotFound, WrongState
from aios.journal import statements
from aios.journal.base import Change, Journal, Work
from aios.syscalls.codec import encode
from aios.syscalls.tool import (
    AcceptTool,
    AddServer,
    ToolChange,
    ToolInfo,
    ToolList,
    ToolShown,
)
from aios.tools.base import Source, Tool
from aios.tools.pinned import covered, differences
from aios.tools.registry import Registry, Sees

CONNECT_S = 30.0
AGAIN_S = 5.0  # between two tries to connect a server
SERVERS_MAX = 256

Connect = Callable[[AddServer], Awaitable[Source]]
"""Makes a source of what the operator added. Raises `AiosError`."""


class ToolServers:
    """The registry, the sources that fill it, and the journal that remembers both.

    `own` are the operator's own code: they are what they are, and pinned as such at every start.
    Any other that is given is pinned when it is first seen, and then only `accept` changes it.
    """

    def __init__(
        self,
        own: Iterable[Source] = (),
        given: Iterable[Source] = (),
        connects: Mapping[str, Connect] | None = None,  # by the field that says how
        sandbox: str = "",  # the tier by name; empty: there is none
    ) -> None:
        self.sandbox = sandbox
        self.registry = Registry()
        self._own = tuple(own)
        self._given = tuple(given)
        self._connects = dict(connects or {})
        self._sources: dict[str, Source] = {}
        self._added: dict[str, AddServer] = {}
        self._failed: dict[str, tuple[float, str]] = {}  # when and why one could not be connected
        self._journal: Journal | None = None
        self._clock: Clock
        self._lock = asyncio.Lock()  # one server is added or removed at a time

    async def open(self, journal: Journal | None, clock: Clock) -> None:
        """Connect everything; a server that cannot be reached now is tried again when called."""
        self._journal, self._clock = journal, clock
        if journal is not None:
            rows = await journal.read(statements.TOOL_PINS)
            self.registry.restore({str(name): str(pin) for name, pin in rows})
            for (body,) in await journal.read(statements.TOOL_SERVERS):
                assert isinstance(body, bytes)
                call = msgspec.msgpack.decode(body, type=AddServer)
                self._added[call.name] = call
        for source in (*self._own, *self._given):
            await self._take(source)
        missing = [call for name, call in self._added.items() if name not in self._sources]
        await asyncio.gather(*map(self._connect_again, missing))

    async def close(self) -> None:
        sources = list(self._sources.values())
        self._sources.clear()
        await asyncio.gather(*(one.close() for one in sources), return_exceptions=True)

    async def find(self, name: str, sees: Sees) -> Tool:
        """A tool that may be called, as it is now. Raises `NotFound` and `WrongState`."""
        await self._refresh(name.partition("/")[0])
        return self.registry.find(name, sees)

    async def list(self, prefix: str, sees: Sees) -> list[ToolInfo]:
        for server in list(self._sources):
            await self._refresh(server)
        return [one for one in self.registry.list(prefix) if sees(one.name)]

    async def accept(self, call: AcceptTool, work: Work) -> ToolInfo:
        await self._refresh(call.name.partition("/")[0])
        tool = self.registry.acceptable(call.name, call.pin)
        work.extend(self._pin_rows([tool]))
        await work.commit(tool.info)
        self.registry.pin([tool])
        return tool.info

    async def show(self, name: str) -> ToolShown:
        """A tool as it is now, beside what was accepted. Raises `NotFound`."""
        await self._refresh(name.partition("/")[0])
        info, tool = self.registry.shown(name)
        covers = {} if tool is None else covered(tool)
        accepted = self.registry.pins.get(name, "")
        changes: tuple[ToolChange, ...] | None = ()
        if info.state != "ready":
            was = await self._accepted(name, accepted)
            changes = None if was is None else differences(was, covers)
        return ToolShown(info=info, covers=covers, accepted=accepted, changes=changes)

    async def _accepted(self, name: str, pin: str) -> dict[str, Any] | None:
        """What was accepted, as far as it is known."""
        if self._journal is None or not pin:
            return None
        for (body,) in await self._journal.read(statements.TOOL_PIN, name, pin):
            assert isinstance(body, bytes)
            return msgspec.json.decode(body, type=dict[str, Any]) if body else None
        return None

    async def add(self, call: AddServer, work: Work) -> ToolList:
        """Connect a server, pin what nobody has pinned before, remember both."""
        async with self._lock:
            if call.name in self._sources or call.name in self._added:
                raise WrongState(f"there is a server {call.name!r}; remove it first")
            if len(self._added) >= SERVERS_MAX:
                raise WrongState(f"there are {SERVERS_MAX} servers, the most there may be")
            await work.begin()
            source, tools = await self._connected(call)
            try:
                self.registry.check(call.name, tools)
                new = self._new(tools)
                work.extend(self._pin_rows(new))
                work.add(statements.TOOL_SERVER_PUT, call.name, encode(call))
                known = {**self.registry.pins, **{one.info.name: one.info.pin for one in new}}
                listed = ToolList(tuple(_as_listed(one.info, known) for one in tools))
                await work.commit(listed)
            except BaseException:
                await source.close()
                raise
            self._added[call.name] = call
            self._put(source, tools)
            self.registry.pin(new)
            return listed

    async def remove(self, name: str, work: Work, reply: object) -> None:
        async with self._lock:
            if name not in self._added:
                raise NotFound(f"no server {name!r} was added; known: {_names(self._added)}")
            work.add(statements.TOOL_SERVER_DROP, name)
            await work.commit(reply)
            del self._added[name]
            self._failed.pop(name, None)
            source = self._sources.pop(name, None)
            if source is not None:
                self.registry.remove(name)
                await source.close()

    async def _take(self, source: Source) -> None:
        """A source that is given at every start."""
        if source.name in self._sources:
            raise InvalidArgument(f"expected one source of the name {source.name!r}, got two")
        tools = await source.tools()
        self._put(source, tools)
        is_first = not any(name.startswith(f"{source.name}/") for name in self.registry.pins)
        if source in self._own or is_first:
            differing = self.registry.differing(source.name)
            self.registry.pin(differing)
            if self._journal is not None and differing:
                await self._journal.post(self._pin_rows(differing))

    async def _connect_again(self, call: AddServer) -> None:
        try:
            source, tools = await self._connected(call)
        except AiosError as problem:
            self._failed[call.name] = self._clock.now(), f"{problem.code}: {problem}"
            return
        self._failed.pop(call.name, None)
        self._put(source, tools)

    async def _connected(self, call: AddServer) -> tuple[Source, tuple[Tool, ...]]:
        connect = self._connects[_way(call, self._connects)]
        try:
            async with asyncio.timeout(CONNECT_S):
                source = await connect(call)
                return source, await source.tools()
        except TimeoutError:
            raise WrongState(f"{call.name} did not answer within {CONNECT_S:g} s") from None

    async def _refresh(self, server: str) -> None:
        """See what a server has now. Raises `WrongState` where it does not tell, or tells lies."""
        source = self._sources.get(server)
        if source is None:
            await self._try_again(server)
            return
        try:
            async with asyncio.timeout(CONNECT_S):
                tools = await source.tools()
            self.registry.put(server, tools)
        except TimeoutError:
            raise WrongState(f"{server} did not tell its tools within {CONNECT_S:g} s") from None
        except InvalidArgument as problem:
            self.registry.put(server, ())
            raise WrongState(f"{server} offers what cannot be a tool: {problem}") from None

    async def _try_again(self, server: str) -> None:
        if server not in self._failed:
            return
        async with self._lock:
            failed = self._failed.get(server)
            if failed is not None and self._clock.now() - failed[0] >= AGAIN_S:
                await self._connect_again(self._added[server])
            failed = self._failed.get(server)
        if failed is not None:
            raise WrongState(f"server {server} is not connected: {failed[1]}")

    def _put(self, source: Source, tools: tuple[Tool, ...]) -> None:
        self.registry.put(source.name, tools)
        self._sources[source.name] = source

    def _new(self, tools: Sequence[Tool]) -> builtins.list[Tool]:
        """What nobody has ever pinned."""
        return [one for one in tools if one.info.name not in self.registry.pins]

    def _pin_rows(self, tools: Iterable[Tool]) -> builtins.list[Change]:
        at = self._clock.utc()
        return [
            Change(
                statements.TOOL_PIN_PUT,
                (one.info.name, one.info.pin, at, msgspec.json.encode(covered(one))),
            )
            for one in tools
        ]


def _way(call: AddServer, ways: Mapping[str, Connect]) -> str:
    """The one field that says what to connect."""
    given = [name for name in ("command", "url", "manifest", "package") if getattr(call, name)]
    if len(given) != 1:
        raise InvalidArgument(
            f"expected one of command, url, manifest and package, got {_names(given)}"
        )
    if given[0] not in ways:
        raise InvalidArgument(
            f"{given[0]}: this kernel cannot connect such a server; expected {_names(ways)}"
        )
    return given[0]


def _as_listed(info: ToolInfo, pins: Mapping[str, str]) -> ToolInfo:
    if pins.get(info.name) == info.pin:
        return info
    return msgspec.structs.replace(info, state="changed")


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
