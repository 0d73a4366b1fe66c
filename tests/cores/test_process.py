"""A core over a real child process: it dies in every way, and the kernel side stands."""

import asyncio
import os
import random
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import (
    Advanced,
    CoreEvent,
    Died,
    Failed,
    Finished,
    Generation,
    Progress,
    Ready,
    Suspended,
)
from aios.cores.frames import FRAME_BYTES_MAX
from aios.cores.link import BATCHES_MAX, TAIL_BYTES, Link
from aios.cores.process import ASKS_MAX, PREPARES_MAX, Patience, ProcessCore
from aios.errors import AiosError, Busy, CoreFailed, InvalidArgument, NotFound, ShuttingDown
from aios.syscalls.llm import Decoding, Tokenize
from tests.scripted_engine import finished, spec_of, token_at

ROOT = Path(__file__).parents[2]
PATIENCE = Patience(start_s=60, silent_s=60, close_s=20, backoff_s=0.001)
LIMIT_S = 90.0  # for any test on a busy machine


@pytest.fixture(autouse=True)
def importable_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}{os.pathsep}{ROOT}")


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(LIMIT_S):
            await test()

    asyncio.run(limited())


@asynccontextmanager
async def core_in(
    root: Path, patience: Patience = PATIENCE, **script: Any
) -> AsyncIterator[ProcessCore]:
    core = await ProcessCore.launch(spec_of(root, **script), patience)
    try:
        yield core
    finally:
        await core.close()
        assert is_gone(core.pid)


class Reader:
    """Takes a core's events and keeps them all."""

    def __init__(self, core: ProcessCore) -> None:
        self.seen: list[CoreEvent] = []
        self._events = core.events()

    async def until(self, wanted: Callable[[CoreEvent], bool]) -> CoreEvent:
        """The next event that is as wanted."""
        async for batch in self._events:
            self.seen += batch
            for event in batch:
                if wanted(event):
                    return event
        raise AssertionError(f"the events ended with {self.seen[-1:]}")

    async def kind(self, *kinds: type) -> Any:
        return await self.until(lambda event: isinstance(event, kinds))


def is_gone(pid: int) -> bool:
    """Whether no process has that number, not even a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def generation_of(prompt: str, tokens: int = 3, name: str = "g") -> Generation:
    return Generation(
        id=name, prompt=tuple(prompt.encode()), decoding=Decoding(seed=7, max_tokens=tokens)
    )


def tokens_of(generation: Generation) -> list[int]:
    most = generation.decoding.max_tokens or 0
    return [token_at(generation, position) for position in range(most)]


def test_a_generation_runs_and_its_prompt_is_prepared(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core:
            ids = await core.prepare(Tokenize(text="hello"))
            generation = generation_of("hello")
            core.start(generation, Progress())
            done = await Reader(core).kind(Finished)

            assert core.traits.model == "scripted"
            assert ids == generation.prompt
            assert done == finished(generation, [tokens_of(generation)])

    run(test)


@pytest.mark.parametrize("tier", [Tier.RAM, Tier.DISK])
def test_a_suspended_generation_goes_on_after_the_engine_was_killed(
    tmp_path: Path, tier: Tier
) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core:
            reader = Reader(core)
            generation = generation_of("abc", 2000)
            core.start(generation, Progress())
            await reader.kind(Advanced)
            core.stop("g", tier, None)
            suspended = await reader.kind(Suspended)
            os.kill(core.pid, signal.SIGKILL)
            died = await reader.kind(Died)
            await reader.kind(Ready)
            core.start(generation, Progress(snapshot=suspended.snapshot))
            done = await reader.kind(Finished)

            assert suspended.snapshot.tier is tier
            assert died == Died(reason=died.reason, final=False)
            assert "SIGKILL" in died.reason
            assert done == finished(generation, [tokens_of(generation)]), "from the snapshot"
            assert core.statistics().restarts == 1

    run(test)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("!exit", "(?s)exited with code 7; it said last: .*Fatal: out of tape"),
        ("!raise", "(?s)exited with code 1;.*ZeroDivisionError: a bug in a step"),
        ("!kill", "was killed by SIGKILL"),
        ("!garbage", "broke the protocol: expected a frame of at most"),
    ],
)
def test_a_death_is_told_with_its_reason_and_the_next_engine_works(
    tmp_path: Path, command: str, said: str
) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core:
            reader = Reader(core)
            first = core.pid
            core.start(generation_of(command), Progress())
            died = await reader.kind(Died)
            await reader.kind(Ready)
            core.start(generation_of("fine"), Progress())
            done = await reader.kind(Finished)

            assert re.search(said, died.reason)
            assert not died.final
            assert [one.id for one in (done,)] == ["g"]
            assert core.pid != first
            assert is_gone(first)

    run(test)


def test_an_engine_that_hangs_in_a_step_is_replaced(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path, replace(PATIENCE, silent_s=2.0)) as core:
            reader = Reader(core)
            first = core.pid
            core.start(generation_of("!hang"), Progress())
            died = await reader.kind(Died)
            await reader.kind(Ready)

            assert "no sign of life for 2 s" in died.reason
            assert is_gone(first)

    run(test)


def test_an_idle_engine_that_was_stopped_is_replaced(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path, replace(PATIENCE, silent_s=2.0)) as core:
            os.kill(core.pid, signal.SIGSTOP)
            reader = Reader(core)
            await reader.kind(Died)
            await reader.kind(Ready)

    run(test)


def test_a_quiet_engine_is_left_alone(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path, replace(PATIENCE, silent_s=1.0)) as core:
            reader = Reader(core)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2.5):
                    await reader.kind(Died)

            assert core.statistics().restarts == 0

    run(test)


def test_prepares_under_way_are_asked_again_of_the_next_engine(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core, asyncio.TaskGroup() as group:
            os.kill(core.pid, signal.SIGSTOP)
            texts = list(map(str, range(5)))
            asked = [group.create_task(outcome(core, text)) for text in texts]
            await soon(lambda: core.statistics().prepares_waiting == 5)
            os.kill(core.pid, signal.SIGKILL)
            reader = Reader(core)
            await reader.kind(Died)
            late = group.create_task(outcome(core, "late"))
            await reader.kind(Ready)

            assert [await one for one in asked] == texts
            assert await late == "late"

    run(test)


def test_a_prompt_that_kills_every_engine_is_refused_and_the_others_are_not(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core, asyncio.TaskGroup() as group:
            reading = group.create_task(count(core))
            texts = ["!die", *map(str, range(5))]
            asked = [group.create_task(outcome(core, text)) for text in texts]

            assert [await one for one in asked] == ["core_failed", *texts[1:]]
            assert await outcome(core, "later") == "later"
            assert core.statistics().restarts == ASKS_MAX
            reading.cancel()

    run(test)


def test_prepares_fail_at_once_when_the_last_engine_died(tmp_path: Path) -> None:
    async def test() -> None:
        patience = replace(PATIENCE, restarts_max=0)
        async with core_in(tmp_path, patience) as core, asyncio.TaskGroup() as group:
            asked = [group.create_task(outcome(core, text)) for text in ("!die", "x")]
            await Reader(core).until(lambda event: isinstance(event, Died) and event.final)

            assert [await one for one in asked] == ["core_failed"] * 2

    run(test)


@pytest.mark.parametrize("is_dead", [False, True])
def test_close_answers_whoever_waits_for_a_prepare(tmp_path: Path, is_dead: bool) -> None:
    async def test() -> None:
        core = await ProcessCore.launch(spec_of(tmp_path), replace(PATIENCE, close_s=0.5))
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(outcome(core, "!hang"))
            await soon(lambda: core.statistics().prepares_waiting == 1)
            if is_dead:
                os.kill(core.pid, signal.SIGKILL)
                await soon(lambda: not core.statistics().is_up)
            await core.close()

            assert await asked == "shutting_down"

    run(test)


def test_a_snapshot_that_is_dropped_while_no_engine_lives_is_removed(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core:
            reader = Reader(core)
            core.start(generation_of("abc", 2000), Progress())
            await reader.kind(Advanced)
            core.stop("g", Tier.DISK, None)
            kept = (await reader.kind(Suspended)).snapshot
            os.kill(core.pid, signal.SIGKILL)
            await reader.kind(Died)
            was_there = snapshots(tmp_path)
            core.drop("g", kept)
            await reader.kind(Ready)
            await core.prepare(Tokenize(text="an order behind that"))

            assert len(was_there) == 1
            assert not snapshots(tmp_path)

    run(test)


def snapshots(root: Path) -> list[Path]:
    return list(root.rglob("*.snap"))


async def outcome(core: ProcessCore, text: str) -> str:
    try:
        return bytes(await core.prepare(Tokenize(text=text))).decode()
    except AiosError as error:
        return error.code


def test_a_text_that_kills_engines_is_refused_and_others_have_their_vectors(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core:
            reading = asyncio.ensure_future(Reader(core).until(lambda _: False))
            asked = [core.embed(text) for text in ("a", "!refuse", "!die", "!raise", "abc")]
            found = await asyncio.gather(*asked, return_exceptions=True)
            reading.cancel()

            assert (found[0], found[4]) == ((1.0, 97.0), (3.0, 294.0))
            assert isinstance(found[1], InvalidArgument)
            assert [type(one) for one in found[2:4]] == [CoreFailed, CoreFailed]
            assert f"{ASKS_MAX} engines died" in str(found[2])

    run(test)


def test_prepare_raises_the_engine_s_own_errors(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core:
            with pytest.raises(InvalidArgument, match="expected another prompt"):
                await core.prepare(Tokenize(text="!refuse"))
            with pytest.raises(CoreFailed, match="a bug in a tokenizer"):
                await core.prepare(Tokenize(text="!raise"))

    run(test)


def test_more_prepares_than_are_asked_at_once_are_all_answered(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core:
            texts = [str(i) for i in range(3 * PREPARES_MAX)]
            assert await asyncio.gather(*(outcome(core, text) for text in texts)) == texts
            assert core.statistics().prepares_waiting == 0

    run(test)


def test_whoever_stops_waiting_for_a_prepare_leaves_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await core.prepare(Tokenize(text="!hang"))
            assert core.statistics().prepares_waiting == 0
            os.kill(core.pid, signal.SIGKILL)
            reader = Reader(core)
            await reader.kind(Died)
            await reader.kind(Ready)

            assert await outcome(core, "x") == "x"

    run(test)


def test_orders_between_death_and_ready_are_discarded(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core:
            reader = Reader(core)
            os.kill(core.pid, signal.SIGKILL)
            await reader.kind(Died)
            core.start(generation_of("lost", name="lost"), Progress())
            core.stop("lost", Tier.RAM, None)
            core.drop("lost", None)
            await reader.kind(Ready)
            core.start(generation_of("kept", name="kept"), Progress())
            done = await reader.kind(Finished, Suspended)

            assert done.id == "kept"

    run(test)


def test_a_core_whose_engine_dies_too_often_says_so_for_good(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path, replace(PATIENCE, restarts_max=2)) as core:
            deaths = []
            core.start(generation_of("!exit"), Progress())
            async for batch in core.events():
                deaths += [event.final for event in batch if isinstance(event, Died)]
                if isinstance(batch[-1], Ready):
                    core.start(generation_of("!exit"), Progress())

            assert deaths == [False, False, True]

            with pytest.raises(CoreFailed, match="given up after 3 deaths"):
                await core.prepare(Tokenize(text="x"))
            with pytest.raises(CoreFailed, match="out of tape"):
                core.start(generation_of("x"), Progress())
            core.stop("g", Tier.RAM, None)
            core.drop("g", None)

    run(test)


def test_an_engine_that_cannot_start_again_is_given_up(tmp_path: Path) -> None:
    async def test() -> None:
        patience = replace(PATIENCE, restarts_max=2)
        marker = str(tmp_path / "marker")
        async with core_in(tmp_path, patience, at_start="only once", marker=marker) as core:
            reader = Reader(core)
            os.kill(core.pid, signal.SIGKILL)
            last = await reader.until(lambda event: isinstance(event, Died) and event.final)

            assert isinstance(last, Died)
            assert "the weights are gone" in last.reason
            assert [type(event) for event in reader.seen] == [Ready, Died, Died]

    run(test)


@pytest.mark.parametrize(
    ("at_start", "kind", "said"),
    [
        ("refuse", NotFound, "no model 'scripted'"),
        ("raise", CoreFailed, "ZeroDivisionError: a bug in a loader"),
        ("exit", CoreFailed, "exited with code 9; it said last: .*cannot map the weights"),
        ("garbage", CoreFailed, "broke the protocol"),
        ("hang", CoreFailed, "was not ready within 1.5 s"),
    ],
)
def test_a_launch_that_fails_raises_why_and_leaves_no_process(
    tmp_path: Path, at_start: str, kind: type[AiosError], said: str
) -> None:
    async def test() -> None:
        limit_s = 1.5 if at_start == "hang" else 60.0
        with pytest.raises(kind, match=f"(?s){said}") as raised:
            await ProcessCore.launch(
                spec_of(tmp_path, at_start=at_start), replace(PATIENCE, start_s=limit_s)
            )
        assert type(raised.value) is kind
        assert not children()

    run(test)


async def soon(fact: Callable[[], bool]) -> None:
    while not fact():  # noqa: ASYNC110 - facts of the operating system tell nobody
        await asyncio.sleep(0.002)


_others: set[str] = set()  # child processes of this one that a test found already there


@pytest.fixture(autouse=True)
def _only_new_children_count() -> None:
    """Earlier tests leave some of the library's own, such as multiprocessing's tracker."""
    _others.clear()
    _others.update(children())


def children() -> list[str]:
    """Child processes that this test has started, zombies too."""
    found: list[str] = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
            found += (task / "children").read_text().split()
    return [one for one in found if one not in _others]


def test_a_launch_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    async def test() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await ProcessCore.launch(spec_of(tmp_path, at_start="hang"), PATIENCE)
        assert not children()

    run(test)


@pytest.mark.parametrize("command", ["x", "!hang", "!flood"])
def test_close_leaves_no_process_and_ends_the_events(tmp_path: Path, command: str) -> None:
    async def test() -> None:
        core = await ProcessCore.launch(spec_of(tmp_path), replace(PATIENCE, close_s=0.5))
        async with asyncio.TaskGroup() as group:
            read = group.create_task(count(core))
            core.start(generation_of(command, 1_000_000), Progress())
            await core.prepare(Tokenize(text="x")) if command == "x" else await asyncio.sleep(0.2)
            await core.close()
            await core.close()
            await read

        assert is_gone(core.pid)
        assert not children()
        with pytest.raises(ShuttingDown):
            await core.prepare(Tokenize(text="x"))

    run(test)


async def count(core: ProcessCore) -> int:
    return sum([len(batch) async for batch in core.events()])


def test_close_while_a_new_engine_starts_leaves_no_process(tmp_path: Path) -> None:
    async def test() -> None:
        core = await ProcessCore.launch(spec_of(tmp_path), replace(PATIENCE, backoff_s=0.0))
        reader = Reader(core)
        os.kill(core.pid, signal.SIGKILL)
        await reader.kind(Died)
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(count(core))
            await soon(lambda: bool(children()))
            await core.close()
            await reading

        assert not children()

    run(test)


def test_close_ends_a_new_engine_that_no_reader_heard_of(tmp_path: Path) -> None:
    async def test() -> None:
        core = await ProcessCore.launch(spec_of(tmp_path), PATIENCE)
        os.kill(core.pid, signal.SIGKILL)
        await Reader(core).kind(Died)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await Reader(core).kind(Ready)
        await soon(lambda: "engine start" not in {one.get_name() for one in asyncio.all_tasks()})
        assert children(), "the start went on without its reader"

        await core.close()

        assert not children()

    run(test)


def test_a_reader_that_is_cancelled_may_read_on_later(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path, replace(PATIENCE, backoff_s=0.0)) as core:
            os.kill(core.pid, signal.SIGKILL)
            seen: list[type] = []
            while seen.count(Ready) < 2:
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.03):
                        async for batch in core.events():
                            seen += map(type, batch)

            assert seen == [Ready, Died, Ready]
            assert await outcome(core, "x") == "x"

    run(test)


def test_a_slow_reader_makes_the_engine_wait_and_loses_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core:
            core.start(generation_of("!flood", 100), Progress())  # 1 MB per token
            await soon(lambda: core.statistics().batches_untaken >= BATCHES_MAX)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    await soon(lambda: core.statistics().batches_untaken > 2 * BATCHES_MAX)
            most = core.statistics().batches_untaken
            reader = Reader(core)
            await reader.kind(Finished)

            assert most < BATCHES_MAX + 10
            assert sum(isinstance(one, Advanced) for one in reader.seen) == 100 * 101

    run(test)


def test_orders_that_an_engine_does_not_take_become_busy_and_a_stop_never(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path, replace(PATIENCE, close_s=0.1)) as core:
            os.kill(core.pid, signal.SIGSTOP)
            big = Generation(id="b", prompt=(1,) * (1 << 22), decoding=Decoding(max_tokens=1))
            with pytest.raises(Busy, match="bytes of orders wait"):
                start_many(core, big)
            core.stop("b", Tier.RAM, None)
            core.drop("b", None)

            assert core.statistics().orders_unsent_bytes <= FRAME_BYTES_MAX + (1 << 23)

    run(test)


def start_many(core: ProcessCore, generation: Generation) -> None:
    for _ in range(100):
        core.start(generation, Progress())


def test_what_fits_in_no_frame_is_the_failure_of_its_generation_only(tmp_path: Path) -> None:
    async def test() -> None:
        async with core_in(tmp_path) as core:
            reader = Reader(core)
            core.start(generation_of("!giant", 5, name="giant"), Progress())
            core.start(generation_of("x", 5, name="small"), Progress())
            failed, done = await reader.kind(Failed), await reader.kind(Finished)

            assert (failed.id, failed.code) == ("giant", "core_failed")
            assert done.id == "small"

    run(test)


def test_what_the_engine_prints_is_kept_a_little(tmp_path: Path) -> None:
    async def test() -> None:
        link = await Link.open(spec_of(tmp_path), 60)
        assert "the scripted engine is being built" in link.tail
        await link.end(20)
        async with core_in(tmp_path) as core:
            core.start(generation_of("!print", 3), Progress())
            await Reader(core).kind(Finished)
            assert len(core._link.tail) <= TAIL_BYTES

    run(test)


@pytest.mark.parametrize("seed", range(3))
def test_kills_at_random_moments_change_no_token(tmp_path: Path, seed: int) -> None:
    async def test() -> None:
        rng = random.Random(seed)
        generations = [generation_of(f"p{i}", rng.randint(40, 80), f"g{i}") for i in range(6)]
        patience = replace(PATIENCE, restarts_max=100)
        async with core_in(tmp_path, patience, step_s=0.002) as core:
            kernel = Kernel(core, generations, rng)
            pids = await kernel.serve(kills=4)

        assert kernel.done == {one.id: tokens_of(one) for one in generations}
        assert len(set(pids)) == 5
        assert all(map(is_gone, pids))

    run(test)


class Kernel:
    """As much of a run loop as a core can tell apart: starts, stops at random, starts again."""

    def __init__(
        self, core: ProcessCore, generations: Sequence[Generation], rng: random.Random
    ) -> None:
        self.done: dict[str, list[int]] = {}
        self._core = core
        self._rng = rng
        self._live = {one.id: one for one in generations}
        self._produced: dict[str, list[int]] = {one.id: [] for one in generations}
        self._snapshot: dict[str, SnapshotRef] = {}
        self._kills: list[int] = []  # tokens delivered when the next one is due
        self._killed = 0
        self._stopping: set[str] = set()  # their `Suspended` is still to come

    async def serve(self, kills: int) -> list[int]:
        total = sum(one.decoding.max_tokens or 0 for one in self._live.values())
        self._kills = sorted(self._rng.sample(range(total * 3 // 4), kills))
        pids = []
        async for batch in self._core.events():
            for event in batch:
                self._learn(event)
                if isinstance(event, Ready):
                    pids.append(self._core.pid)
                    self._start_all()
            if not self._live:
                break
            if isinstance(batch[-1], Advanced | Suspended):
                self._trouble()
        return pids

    def _learn(self, event: CoreEvent) -> None:
        if isinstance(event, Advanced):
            self._produced[event.id] += event.deltas[0].token_ids
        elif isinstance(event, Finished):
            self._stopping.discard(event.id)
            self.done[event.id] = list(event.choices[0].token_ids)
            del self._live[event.id]
        elif isinstance(event, Suspended):
            if event.id in self._live:  # The stop of one that had just ended is answered too.
                self._snapshot[event.id] = event.snapshot
                self._stopping.remove(event.id)
                self._start(self._live[event.id])
        elif isinstance(event, Failed):
            raise AssertionError(event)

    def _trouble(self) -> None:
        chosen = self._rng.choice(list(self._live))
        if chosen not in self._stopping and self._rng.random() < 0.3:
            self._stopping.add(chosen)
            self._core.stop(chosen, self._rng.choice(list(Tier)), self._snapshot.get(chosen))
        delivered = sum(map(len, self._produced.values()))
        if self._kills and delivered >= self._kills[0] and self._core.pid != self._killed:
            self._kills.pop(0)
            self._killed = self._core.pid
            os.kill(self._killed, signal.SIGKILL)

    def _start_all(self) -> None:
        self._stopping.clear()
        for generation in self._live.values():
            self._start(generation)

    def _start(self, generation: Generation) -> None:
        snapshot = self._snapshot.pop(generation.id, None)
        if snapshot is not None and snapshot.tier is Tier.DEVICE:
            snapshot = None
        produced = (tuple(self._produced[generation.id]),)
        self._core.start(generation, Progress(snapshot=snapshot, produced=produced))
