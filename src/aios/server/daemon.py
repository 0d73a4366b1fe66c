"""`aios serve` at work: the listener first, then the kernel, until a signal; then back again.

On the first signal no new call is taken; what runs may end within the time for it. Then generations
are suspended and kept as the kernel keeps them, every caller gets its answer, and the listener
closes. The second signal does not wait.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aios import scheduler
from aios.access.policy import OPEN, Policy
from aios.config import Limits
from aios.errors import AiosError, InvalidArgument
from aios.kernel import Kernel, boot, settings_for
from aios.kernel.environment import Environment
from aios.kernel.hands import Hands, open_hands
from aios.kernel.home import expect_free
from aios.programs.stage import opened_stage
from aios.retrieval.choose import chosen, lasting, name_for, remember
from aios.server.app import Application, Door, application
from aios.server.auth import ANONYMOUS, is_loopback
from aios.server.listener import bound, fast_loop, listening
from aios.server.logs import follow
from aios.server.notify import Notifier
from aios.server.record import Record, expect_place, kept
from aios.server.settings import Settings
from aios.server.traces import tracing
from aios.server.tuning import sparing, tuned
from aios.tools.builtin.source import lacking

INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be served, and where. `record` is where this user's commands look for it.

    `embedder` is by which notes and files are found; empty: by which the home goes already.
    `access` gives the policy: at the start, and again on SIGHUP.
    """

    host: str
    port: int
    model: str
    device: str  # empty: what suits the model
    policy: str
    state: Path | None
    record: Path
    settings: Settings
    embedder: str = ""
    embedder_key: str = ""
    access: Callable[[], Policy] = lambda: OPEN
    again: Callable[[], Settings] | None = None  # the settings as they are now, on SIGHUP
    drain_s: float = 5.0  # for what runs to end before a stop
    builtin: bool = False  # the tools that every kernel can have
    sandbox: str = ""  # the tier by name; empty: the strongest that holds
    hosts: tuple[str, ...] = ()  # whose pages agents may fetch
    limits: Limits = field(default_factory=Limits)


LOG = logging.getLogger("aios.server")
LOOK_S = 0.05  # between two looks whether what ran has ended
Tell = Callable[[str], None]


def run(plan: Plan, tell: Tell) -> int:
    """Serve until a signal; the exit code. `tell` is for programs' settings."""
    _expect_guarded(plan)
    scheduler.make(plan.policy)  # Before anything is started, so that a name that is none is told.
    expect_place(plan.record)
    if plan.state is not None:
        expect_free(plan.state)
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        return runner.run(_Daemon(plan, tell, Notifier()).run())


def _expect_guarded(plan: Plan) -> None:
    """Beyond this machine nobody is let in without a token."""
    if is_loopback(plan.host):
        return
    if plan.settings.anonymous:
        raise InvalidArgument(
            f"expected a loopback address where callers need no token, got {plan.host!r}"
        )
    if not plan.settings.agents:
        raise InvalidArgument(
            f"expected a token in the token file, or a loopback address; got {plan.host!r}"
        )


class _Daemon:
    def __init__(self, plan: Plan, tell: Tell, notifier: Notifier) -> None:
        self._plan = plan
        self._tell = tell
        self._notifier = notifier
        self._stop = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._signal = 0
        self._is_up = False
        self._kernel: Kernel | None = None
        self._app: Application | None = None
        self._reading: asyncio.Task[None] | None = None

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(one, self._signalled, one)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._work = asyncio.ensure_future(self._serve())
        try:
            await self._work
        except asyncio.CancelledError:
            if not self._signal:
                raise
        return INTERRUPTED if self._signal == signal.SIGINT else 0

    async def _serve(self) -> None:
        plan = self._plan
        settings = settings_for(plan.model, plan.device)
        access = plan.access()
        began = asyncio.get_running_loop().time()
        try:
            place = bound(plan.host, plan.port)
        except OSError as problem:
            raise InvalidArgument(
                f"cannot listen at {plan.host} port {plan.port}: {problem.strerror}; "
                "choose another --port"
            ) from None
        url = _url(plan.host, place.getsockname()[1])
        door = Door()
        async with (
            listening(door, place, plan.settings),
            self._hands() as hands,
            opened_stage() as stage,
        ):
            LOG.info("starting %s at %s", plan.model, url)
            name = name_for(plan.state, plan.embedder)
            embedder = await asyncio.to_thread(chosen, name, plan.embedder_key)
            async with boot(
                settings,
                policy=plan.policy,
                environment=Environment(limits=plan.limits),
                state=plan.state,
                embedder=embedder,
                access=access,
                sandbox=hands.sandbox,
                builtin=plan.builtin,
                hosts=plan.hosts,
                stage=stage,
                url=url,
            ) as kernel:
                self._kernel = kernel
                remember(plan.state, lasting(name, embedder))
                follow(kernel.bus)
                async with tracing(kernel) as observers:
                    app = self._app = await application(kernel, plan.settings, observers)
                    door.inner = app
                    tuned()
                    with kept(Record(url=url, token=kernel.token, pid=os.getpid()), plan.record):
                        self._is_up = True
                        took = asyncio.get_running_loop().time() - began
                        self._announce(url, kernel, took)
                        await self._until_stopped(kernel, app)
                    app.close()

    async def _until_stopped(self, kernel: Kernel, app: Application) -> None:
        """Serve until the first signal; then what runs may end."""
        watch = asyncio.ensure_future(self._notifier.watch())
        spare = asyncio.ensure_future(sparing(lambda: kernel.is_at_work))
        try:
            await self._stop.wait()
            self._notifier.stopping()
            app.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._plan.drain_s):
                    while kernel.is_at_work:
                        await kernel.clock.sleep(LOOK_S)
        finally:
            watch.cancel()
            spare.cancel()

    @asynccontextmanager
    async def _hands(self) -> AsyncIterator[Hands]:
        """A sandbox, where one holds; and which tools there are not for want of what."""
        if not self._plan.builtin:
            yield Hands(why="tools are switched off")
            return
        async with open_hands(tier=self._plan.sandbox) as hands:
            for name, why in lacking(hands.sandbox, hands.why, self._plan.hosts).items():
                LOG.info("the tool aios/%s is left out: %s", name, why)
            yield hands

    def _announce(self, url: str, kernel: Kernel, took_s: float) -> None:
        settings = self._plan.settings
        token = next(iter(settings.agents), ANONYMOUS)
        for line in (
            f"export OPENAI_BASE_URL={url}/v1",
            f"export OPENAI_API_KEY={token}",
            f"export ANTHROPIC_BASE_URL={url}",
            f"export ANTHROPIC_API_KEY={token}",
        ):
            self._tell(line)
        traits = kernel.loops[0].core.traits
        status = (
            f"ready at {url}, model {traits.model} on {traits.device}, policy {self._plan.policy}"
        )
        LOG.info("%s, %.1f s", status, took_s)
        self._notifier.ready(status)

    def _reload(self) -> None:
        """Access, tokens and names of models anew; what cannot be read changes nothing."""
        if self._kernel is not None and self._app is not None and not self._signal:
            self._notifier.reloading()
            self._reading = asyncio.ensure_future(self._read_again(self._kernel, self._app))

    async def _read_again(self, kernel: Kernel, app: Application) -> None:
        try:
            access = self._plan.access()
            settings = self._plan.again() if self._plan.again else self._plan.settings
            await app.reload(settings)
            kernel.guard.reload(access)
        except AiosError as problem:
            LOG.error("everything stays as it was: %s", problem)
        else:
            LOG.info("the policy, tokens and names of models are read again")
        finally:
            if not self._signal:
                self._notifier.ready("reloaded")  # Or the manager waits for it without end.

    def _signalled(self, which: int) -> None:
        assert self._work is not None
        if self._signal or not self._is_up:
            self._work.cancel()
        else:
            LOG.info("stopping; once more to stop at once")
        self._signal = self._signal or which
        self._stop.set()


def _url(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"
