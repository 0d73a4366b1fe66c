"""The tools there are: whose they are, whether they are what was accepted. Pure and synchronous.

A definition is pinned by its hash. What is not the pinned one is `changed`: listed, so that the
operator can look at it, and refused. Knows no journal: whoever changes pins remembers them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from aios.errors import Conflict, InvalidArgument, NotFound, WrongState
from aios.syscalls.tool import ToolInfo
from aios.tools.base import Terms, Tool
from aios.tools.checking import Checker
from aios.tools.naming import NAME_MAX, check_name, pin_of
from aios.tools.nearest import nearest
from aios.tools.touches import check_touches

TOOLS_MAX = 4_096  # of one server
Sees = Callable[[str], bool]


class Registry:
    """Tools by name, a set for each server, and the pins of all that were ever accepted."""

    def __init__(self, pins: Mapping[str, str] | None = None) -> None:
        self._pins = dict(pins or {})  # also of tools that are gone
        self._servers: dict[str, dict[str, Tool]] = {}
        self._seen: dict[str, tuple[Tool, ...]] = {}  # what each set was made from
        self._checkers: dict[str, dict[str, Checker]] = {}  # of each server, by pin

    @property
    def pins(self) -> Mapping[str, str]:
        return self._pins

    def check(self, server: str, tools: tuple[Tool, ...]) -> None:
        """Raise `InvalidArgument` for what could not be `put`."""
        _by_name(server, tools)

    def put(self, server: str, tools: tuple[Tool, ...]) -> None:
        """The tools that a server has now, instead of those it had.

        Raises `InvalidArgument`, and changes nothing, for a tool without a proper name, for two of
        one name, and for too many.
        """
        if self._seen.get(server) is tools:
            return
        self._servers[server] = _by_name(server, tools)
        self._seen[server] = tools
        self._checkers[server] = {}

    def remove(self, server: str) -> None:
        """Forget a server's tools; their pins stay."""
        if self._servers.pop(server, None) is None:
            raise NotFound(f"no server {server!r}; known: {', '.join(self._servers) or 'none'}")
        del self._seen[server], self._checkers[server]

    def differing(self, server: str) -> dict[str, str]:
        """Tools that are not what was accepted, or never were, and their hashes."""
        tools = self._servers[server].values()
        return {
            one.info.name: one.info.pin
            for one in tools
            if self._pins.get(one.info.name) != one.info.pin
        }

    def pin(self, pins: Mapping[str, str]) -> None:
        """These are accepted from now on."""
        self._pins.update(pins)

    def acceptable(self, name: str, pin: str) -> ToolInfo:
        """The tool that is to be accepted. Raises `Conflict` where it is another one by now."""
        tool = self._tool(name)
        if tool.info.pin != pin:
            raise Conflict(
                f"{name}: the definition there is has the hash {tool.info.pin}, not {pin}; "
                "expected the one that was looked at last"
            )
        return tool.info

    def find(self, name: str, sees: Sees = lambda name: True) -> Tool:
        """A tool that may be called. Raises `NotFound`, or `WrongState` where it changed.

        Whether the caller may is not asked here; a `NotFound` tells only of what he `sees`.
        """
        tool = self._tool(name, sees)
        if self._pins.get(name) != tool.info.pin:
            was = "changed since it was accepted" if name in self._pins else "was never accepted"
            raise WrongState(
                f"{name}: its definition {was}; expected the operator to look at it and accept "
                f"it: aios tools accept {name} {tool.info.pin}"
            )
        return tool

    def terms(self, name: str) -> Terms | None:
        """What a tool declares of itself; None for one that is not known, or not yet."""
        tool = self._servers.get(name.partition("/")[0], {}).get(name)
        return None if tool is None else tool.terms

    def checker(self, tool: Tool) -> Checker:
        """What checks its arguments. Raises `WrongState` where its schema is none."""
        checkers = self._checkers[tool.info.name.partition("/")[0]]
        found = checkers.get(tool.info.pin)
        if found is None:
            try:
                found = Checker(tool.info.parameters)
                check_touches(tool.terms.touches, tool.info.parameters)
            except InvalidArgument as problem:
                raise WrongState(f"{tool.info.name} cannot be called: {problem}") from None
            checkers[tool.info.pin] = found
        return found

    def list(self, prefix: str = "") -> list[ToolInfo]:
        """In order of name; pinned ones that a server has no more are gone."""
        shown = {one.info.name: self._shown(one.info) for one in self._all()}
        for name, pin in self._pins.items():
            if name not in shown and name.partition("/")[0] in self._servers:
                shown[name] = ToolInfo(
                    name=name, description="", parameters={}, pin=pin, state="gone"
                )
        return [shown[name] for name in sorted(shown) if name.startswith(prefix)]

    def __contains__(self, server: str) -> bool:
        return server in self._servers

    def _all(self) -> Iterator[Tool]:
        for tools in self._servers.values():
            yield from tools.values()

    def _shown(self, info: ToolInfo) -> ToolInfo:
        if self._pins.get(info.name) == info.pin:
            return info
        return msgspec.structs.replace(info, state="changed")

    def _tool(self, name: str, sees: Sees = lambda name: True) -> Tool:
        tool = self._servers.get(name.partition("/")[0], {}).get(name)
        if tool is None:
            known = [one.info.name for one in self._all() if sees(one.info.name)]
            near = nearest(name, known)
            hint = f"did you mean {near!r}?" if near else f"{len(known)} are known"
            raise NotFound(f"no tool {name[:NAME_MAX]!r}; {hint}")
        return tool


def _by_name(server: str, tools: Iterable[Tool]) -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    for tool in tools:
        info = tool.info
        check_name(info.name)
        if info.name.partition("/")[0] != server:
            raise InvalidArgument(f"{info.name}: expected a name that begins with {server}/")
        if info.name in found:
            raise InvalidArgument(f"{info.name}: expected one tool of that name, got two")
        told = (info.name, info.description, info.parameters)
        if info.pin != pin_of(*told, tool.terms, tool.program):
            raise InvalidArgument(f"{info.name}: expected the hash of its own definition")
        if len(found) == TOOLS_MAX:
            raise InvalidArgument(f"{server}: expected at most {TOOLS_MAX:,} tools")
        found[info.name] = tool
    return found
