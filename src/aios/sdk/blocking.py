"""The client for plain threads: the same methods, run on the transport's event loop elsewhere.

Every method is made from the client's own, so that names, parameters and reply types are one.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import CancelledError, Future, wait
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from aios.errors import Cancelled, DeadlineExceeded, ShuttingDown, WrongState
from aios.sdk.blocking_access import SyncAccessClient
from aios.sdk.blocking_accounts import (
    SyncApprovalClient,
    SyncAuditClient,
    SyncBudgetClient,
    SyncSchedulerClient,
)
from aios.sdk.blocking_files import SyncFiles
from aios.sdk.blocking_memory import SyncBlockClient, SyncHistoryClient, SyncNoteClient
from aios.sdk.blocking_tools import SyncProgramClient, SyncTools
from aios.sdk.bridge import blocking
from aios.sdk.client import Client
from aios.syscalls import Spawned

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

PULSE_S = 1.0  # How often a waiting thread looks whether its loop is still there.


def _iterating(
    method: Callable[Concatenate[Client, P], AsyncGenerator[T, None]],
) -> Callable[Concatenate["SyncClient", P], Generator[T, None, None]]:
    @wraps(method)
    def run(self: "SyncClient", /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        items = method(self._client, *args, **kwargs)
        try:
            while (item := self._run(_next(items))) is not None:
                yield item
        finally:
            self._run(items.aclose())

    return run


async def _next(items: AsyncGenerator[T, None]) -> T | None:
    return await anext(items, None)


class SyncClient:
    """A `Client` for a thread that is not the event loop's.

    `timeout_s` bounds each call, and each item of a stream; past it the call is cancelled.
    """

    def __init__(
        self, client: Client, loop: asyncio.AbstractEventLoop, *, timeout_s: float | None = None
    ) -> None:
        self._client = client
        self._loop = loop
        self._timeout_s = timeout_s
        self.memory = SyncBlockClient(client.memory, self._run)
        self.history = SyncHistoryClient(client.history, self._run)
        self.notes = SyncNoteClient(client.notes, self._run)
        self.files = SyncFiles(client.files, self._run)
        self.access = SyncAccessClient(client.access, self._run)
        self.approvals = SyncApprovalClient(client.approvals, self._run)
        self.budgets = SyncBudgetClient(client.budgets, self._run)
        self.audit = SyncAuditClient(client.audit, self._run)
        self.tools = SyncTools(client.tools, self._run)
        self.scheduler = SyncSchedulerClient(client.scheduler, self._run)
        self.programs = SyncProgramClient(client.programs, self._run)

    def of(self, child: Spawned) -> "SyncClient":
        """A client that speaks as `child`."""
        return SyncClient(self._client.of(child), self._loop, timeout_s=self._timeout_s)

    call = blocking(Client.call)
    chat = blocking(Client.chat)
    stream = _iterating(Client.stream)
    cancel = blocking(Client.cancel)
    tokenize = blocking(Client.tokenize)
    embed = blocking(Client.embed)
    models = blocking(Client.models)
    stats = blocking(Client.stats)
    add_model = blocking(Client.add_model)
    remove_model = blocking(Client.remove_model)
    attempt = blocking(Client.attempt)
    report = blocking(Client.report)
    now = blocking(Client.now)
    whoami = blocking(Client.whoami)
    spawn = blocking(Client.spawn)
    exit = blocking(Client.exit)
    wait = blocking(Client.wait)
    kill = blocking(Client.kill)
    pause = blocking(Client.pause)
    resume = blocking(Client.resume)
    list = blocking(Client.list)
    inspect = blocking(Client.inspect)
    calls = blocking(Client.calls)
    send = blocking(Client.send)
    receive = blocking(Client.receive)

    def _run(self, work: Coroutine[Any, Any, R]) -> R:
        """Run on the loop and wait here; a thread that leaves early cancels the work."""
        future = self._start(work)
        try:
            while not wait([future], timeout=PULSE_S).done:
                if self._loop.is_closed():
                    raise ShuttingDown("the event loop closed during the call")
            return future.result()
        except CancelledError:
            raise Cancelled("the call was cancelled on its event loop") from None
        finally:
            future.cancel()

    def _start(self, work: Coroutine[Any, Any, R]) -> Future[R]:
        if _running_loop() is self._loop:
            work.close()
            raise WrongState("expected a thread other than the event loop's; await a Client there")
        bounded = _bounded(work, self._timeout_s)
        try:
            return asyncio.run_coroutine_threadsafe(bounded, self._loop)
        except RuntimeError:
            bounded.close()
            work.close()
            raise ShuttingDown("the event loop is closed") from None


async def _bounded(work: Coroutine[Any, Any, R], timeout_s: float | None) -> R:
    limit = asyncio.timeout(timeout_s)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if limit.expired():
            raise DeadlineExceeded(f"no reply within {timeout_s:g} s") from None
        raise


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
