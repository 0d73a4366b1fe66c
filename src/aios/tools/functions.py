"""Python functions as tools of the kernel: the operator's own code, run in the kernel's process.

Takes the SDK's `@tool` objects as they are, by their shape alone, with their terms.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from aios.errors import InvalidArgument
from aios.syscalls.llm import ToolSpec
from aios.syscalls.terms import Declared
from aios.syscalls.tool import Content
from aios.tools.base import Keeping, Outside, Run, Terms, Tool, alike, touches_of
from aios.tools.naming import info_of
from aios.tools.results import UNTELLABLE, contents_of
from aios.tools.touches import check_touches

LOCAL = "local"
THREADS = 64  # calls at the same time of a function that runs in threads and declares no number


class Function(Protocol):
    """A function that a model can call; the SDK's `Tool` is one."""

    @property
    def spec(self) -> ToolSpec: ...
    @property
    def terms(self) -> Declared: ...
    @property
    def is_threaded(self) -> bool: ...

    async def invoke(self, values: Mapping[str, Any], /) -> Any:
        """What it gives. Ends when the function has ended."""
        ...


class Functions:
    """A `Source` of functions that never changes."""

    def __init__(self, functions: Iterable[Function], name: str = LOCAL) -> None:
        self.name = name
        self._tools = tuple(_tool(name, one) for one in functions)

    async def tools(self) -> tuple[Tool, ...]:
        return self._tools

    async def close(self) -> None:
        """Nothing is held."""


def terms_of(declared: Declared, *, instances: int | None = None) -> Terms:
    """The kernel's terms. `instances` is how many there may be where none are declared."""
    own = {
        "touches": touches_of(declared),
        "declared": declared.is_declared,
        "instances": declared.instances or instances,
        "keeps": Keeping(by=declared.keeps) if declared.keeps else None,
    }
    return Terms(**(alike(declared) | own))


def _tool(server: str, function: Function) -> Tool:
    spec = function.spec
    terms = terms_of(function.terms, instances=THREADS if function.is_threaded else None)
    check_touches(terms.touches, spec.parameters)
    info = info_of(f"{server}/{spec.name}", spec.description, spec.parameters, terms)
    return Tool(info=info, terms=terms, run=_run_of(function))


def _run_of(function: Function) -> Run:
    async def run(arguments: Mapping[str, Any], outside: Outside) -> tuple[Content, ...]:
        value = await function.invoke(arguments)
        try:
            return contents_of(value)
        except UNTELLABLE as problem:
            raise InvalidArgument(f"it gave what is no data: {problem}") from None

    return run
