"""A Python function as a tool: what a model is told of it, and a run that never raises.

Knows no agent and no kernel. Whatever goes wrong inside becomes a text that starts with
`error: `, because the model is the one who can do something about it.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Unpack, overload

import msgspec

from aios.errors import InvalidArgument
from aios.sdk.docstring import read_docstring
from aios.sdk.schema import arguments_from, arguments_of, record_of, schema_of
from aios.sdk.terms import TermOptions, Terms, terms_of
from aios.sdk.threads import in_thread
from aios.syscalls import ToolSpec

ERROR = "error: "

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that a model can call.

    An async function is awaited. A plain one runs in a thread, so that one that blocks stops
    nobody else; `inline` runs it on the event loop itself, which is cheaper for quick work and the
    only way on a simulated loop, which has no threads. A thread cannot be stopped: past
    `timeout_s` its result is ignored.

    `repeatable` says that to run it twice does no more than to run it once. A durable program runs
    such a tool again after a crash; of any other it is told that the outcome is unknown.
    """

    spec: ToolSpec
    function: Function
    terms: Terms
    record: type[Any] = field(repr=False)  # the spec's parameters as a type

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def is_threaded(self) -> bool:
        return not self.terms.inline and not inspect.iscoroutinefunction(self.function)

    async def run(self, arguments: str) -> str:
        """Check the arguments, a JSON object as the model wrote it; call; give the result as text.

        A string is given as it is, everything else as JSON.
        """
        try:
            named = arguments_of(self.record, arguments)
        except InvalidArgument as problem:
            return f"{ERROR}bad arguments for {self.name}: {problem}"
        limit = asyncio.timeout(self.terms.timeout_s)
        try:
            async with limit:
                return _text(await self._awaited(named))
        except (Exception, SystemExit) as problem:  # A tool that exits does not end its agent.
            if limit.expired():
                return f"{ERROR}timeout after {self.terms.timeout_s:g} s"
            return f"{ERROR}{type(problem).__name__}: {problem}"

    async def invoke(self, values: Mapping[str, Any]) -> Any:
        """Call with arguments as JSON has them; what the function gives, or raises.

        Ends when the function has ended, also where it is cancelled meanwhile.
        """
        return await self._call(arguments_from(self.record, values))

    async def _awaited(self, named: dict[str, Any]) -> Any:
        """As `_call`, but nobody waits for the thread that he cancelled."""
        if not self.is_threaded:
            return await self._call(named)
        task = asyncio.get_running_loop().create_task(_ended(self._call(named)))
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
        result, problem = task.result()
        if problem is not None:
            raise problem
        return result

    async def _call(self, named: dict[str, Any]) -> Any:
        if inspect.iscoroutinefunction(self.function):
            return await self.function(**named)
        if self.terms.inline:
            return self.function(**named)
        return await in_thread(self.function, named)


@overload
def tool(function: Function, /) -> Tool: ...
@overload
def tool(**options: Unpack[TermOptions]) -> Callable[[Function], Tool]: ...
def tool(
    function: Function | None = None, /, **options: Unpack[TermOptions]
) -> Tool | Callable[[Function], Tool]:
    """Make a tool of a function: its name, types and docstring are what the model is told.

    The docstring's first paragraph describes the tool and its `Args:` section the parameters;
    a string in `Annotated` describes a parameter too, and wins. The options are `Terms`.
    """

    def make(function: Function) -> Tool:
        said = read_docstring(function.__doc__)
        record = record_of(function, said.arguments)
        spec = _checked(ToolSpec(function.__name__, said.summary, schema_of(record)))
        return Tool(spec=spec, function=function, terms=terms_of(options), record=record)

    return make(function) if function else make


async def _ended(work: Awaitable[Any]) -> tuple[Any, BaseException | None]:
    """How it ended. A task that is left with an exception that nobody sees is complained about,
    and one that is left with `SystemExit` ends the loop."""
    try:
        return await work, None
    except (Exception, SystemExit) as problem:
        return None, problem


def _checked(spec: ToolSpec) -> ToolSpec:
    try:
        return msgspec.convert(msgspec.to_builtins(spec), ToolSpec)
    except msgspec.ValidationError as problem:
        raise InvalidArgument(f"{spec.name!r} cannot be a tool: {problem}") from None


def _text(result: Any) -> str:
    return result if isinstance(result, str) else msgspec.json.encode(result).decode()
