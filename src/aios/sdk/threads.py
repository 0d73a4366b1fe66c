"""A plain function in a thread of its own, so that one that blocks stops nobody else."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import copy_context
from typing import Any

Outcome = tuple[Any, BaseException | None]


async def in_thread(function: Callable[..., Any], named: Mapping[str, Any]) -> Any:
    """What the function gives or raises.

    A thread cannot be ended. Who cancels this waits until the function has returned, so that
    whoever waits for the end of its work knows it; who cancels again leaves the thread behind. The
    thread is a daemon: one that hangs does not keep the program alive.
    """
    loop = asyncio.get_running_loop()
    end: asyncio.Future[Outcome] = loop.create_future()
    context = copy_context()

    def tell(outcome: Outcome) -> None:
        if not end.done():
            end.set_result(outcome)

    def work() -> None:
        outcome = context.run(_tried, function, named)
        with suppress(RuntimeError):  # The loop is closed: nobody is there to be told.
            loop.call_soon_threadsafe(tell, outcome)

    threading.Thread(target=work, daemon=True, name=f"tool {function.__name__}").start()
    try:
        result, problem = await asyncio.shield(end)
    except asyncio.CancelledError:
        await end
        raise
    if problem is not None:
        raise problem
    return result


def _tried(function: Callable[..., Any], named: Mapping[str, Any]) -> Outcome:
    try:
        return function(**named), None
    except StopIteration as problem:  # It cannot pass a coroutine.
        error = RuntimeError("the tool raised StopIteration")
        error.__cause__ = problem
        return None, error
    except BaseException as problem:
        return None, problem
