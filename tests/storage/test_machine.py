"""The room against a model: any calls in any order, edits by hand, and a stop at any step."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aios.config import shared_memory
from aios.errors import AiosError
from aios.syscalls import file
from aios.testing.journal import InlineJournal
from tests.storage.fuses import Fuse, FusedDisk, FusedJournal
from tests.storage.model import Contents, Model
from tests.storage.rooms import Desk, HandClock

T = TypeVar("T")

paths = st.sampled_from(["a", "b", "a/b", "a/c", "a/b/c", "d e/é", "-x/\n", "b/😀"])
contents = st.sampled_from([b"", b"one", b"two", b"\0\xff", b"three\nlines\n"])
bases = st.none() | st.integers(1, 4)
plain = st.one_of(
    st.builds(file.Create, path=paths, data=contents),
    st.builds(file.WriteFile, path=paths, data=contents, base=bases),
    st.builds(file.AppendFile, path=paths, data=contents),
    st.builds(file.MakeFolder, path=paths),
    st.builds(file.Move, path=paths, to=paths),
    st.builds(file.Copy, path=paths, to=paths),
    st.builds(file.Delete, path=paths),
)
transactions = st.builds(file.Transaction, steps=st.lists(plain, min_size=1, max_size=5).map(tuple))
rollbacks = st.builds(file.RollbackFile, path=paths, steps=st.integers(1, 3))
calls = st.one_of(plain, plain, rollbacks, transactions)


class Machine(RuleBasedStateMachine):
    """One agent's files."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="aios-files-", dir=shared_memory()))
        self.loop = asyncio.new_event_loop()
        self.journal = InlineJournal()
        self.model = Model()
        self.clock = HandClock()
        self.opened = 0
        self.open(Fuse())

    def open(self, fuse: Fuse) -> None:
        """A new kernel over what the one before left."""
        self.opened += 1
        self.fuse = fuse
        journal = FusedJournal(self.journal, fuse)
        disk = FusedDisk(fuse)
        self.desk = Desk(self.folder, journal, disk=disk, clock=self.clock, seed=self.opened)
        self.run(self.desk.storage.open())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def call(self, call: Any) -> AiosError | None:
        """Make a call; the error it gave."""

        async def make() -> AiosError | None:
            try:
                await self.desk.call(call)
            except AiosError as problem:
                return problem
            finally:
                await self.desk.storage.close()
            return None

        return self.run(make())

    def teardown(self) -> None:
        self.run(self.desk.storage.close())
        self.loop.close()
        shutil.rmtree(self.folder)

    @rule(call=calls)
    def a_call_does_what_the_model_does(self, call: Any) -> None:
        expected, model = _expected(self.model, call)
        got = self.call(call)
        assert type(got) is expected, (call, got, expected)
        self.model = model

    @precondition(lambda self: self.model.bin)
    @rule(data=st.data(), to=st.none() | paths)
    def what_was_deleted_comes_back(self, data: Any, to: str | None) -> None:
        place = data.draw(st.integers(0, len(self.model.bin) - 1))
        deleted = self.run(self.desk.call(file.Bin())).deleted[place]
        assert deleted.path == self.model.bin[place][0]
        kind: type | None = None
        model = self.model
        try:
            model = self.model.restore(place, to)
        except AiosError as problem:
            kind = type(problem)
        got = self.call(file.Restore(id=deleted.id, to=to))
        assert type(got) is (kind or type(None)), (got, kind)
        self.model = model

    @rule(call=calls, step=st.integers(1, 12))
    def a_kernel_stops_at_some_step_and_the_next_goes_on(self, call: Any, step: int) -> None:
        _, model = _expected(self.model, call)
        self.fuse.first, self.fuse.last = self.fuse.steps + step, None
        got = self.call(call)
        self.open(Fuse())
        self.model = self.either(self.model, model, is_acknowledged=got is None)

    @rule(call=calls, step=st.integers(1, 12), more=st.integers(0, 3))
    def a_disk_that_fails_for_a_while_costs_at_most_the_call(
        self, call: Any, step: int, more: int
    ) -> None:
        expected, model = _expected(self.model, call)
        self.fuse.first = self.fuse.steps + step
        self.fuse.last = self.fuse.first + more
        got = self.call(call)
        self.fuse.first = None
        if expected is type(None):
            self.model = self.either(self.model, model, is_acknowledged=got is None)
        else:
            assert got is not None

    @rule(path=paths, data=contents)
    def somebody_edits_a_file_by_hand(self, path: str, data: bytes) -> None:
        real = self.desk.real(path)
        is_file = isinstance(self.model.things.get(path), list)
        if is_file or (path not in self.model.things and real.parent.is_dir()):
            real.write_bytes(data)
            self.model.put(path, data)

    @rule(path=paths)
    def somebody_deletes_a_file_by_hand(self, path: str) -> None:
        if isinstance(self.model.things.get(path), list):
            self.desk.real(path).unlink()
            self.model.trash(path)
            self.run(self.desk.call(file.Folder(deep=True)))

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        wrong = self.difference(self.model)
        assert not wrong, wrong

    def either(self, before: Model, after: Model, *, is_acknowledged: bool) -> Model:
        """Which of the two it is; the second if that was acknowledged."""
        if not self.difference(after):
            return after
        assert not is_acknowledged, self.difference(after)
        wrong = self.difference(before)
        assert not wrong, wrong
        return before

    def difference(self, model: Model) -> str:
        """What is not as that model says; empty if all is."""
        return self.run(self._difference(model))

    async def _difference(self, model: Model) -> str:
        desk = self.desk
        listed = await desk.call(file.Folder(deep=True))
        kinds = {info.path: info.kind == "file" for info in listed.files}
        if kinds != {path: thing is not None for path, thing in model.things.items()}:
            return f"paths {sorted(kinds)}, not {sorted(model.things)}"
        used = 0
        for path, thing in model.things.items():
            if thing is not None:
                used += sum(len(data) for _, data in thing)
                if wrong := await self._file_difference(path, thing):
                    return wrong
        deleted = (await desk.call(file.Bin())).deleted
        if [one.path for one in deleted] != [path for path, _ in model.bin]:
            return f"bin has {deleted}"
        for _, taken in model.bin:
            used += sum(len(data) for thing in taken.values() if thing for _, data in thing)
        quota = await desk.call(file.FileUsage())
        if (quota.bytes, quota.files) != (used, len(model.things)):
            return f"usage is {quota}, not {used} bytes and {len(model.things)} files"
        return await self._real_difference(model)

    async def _file_difference(self, path: str, thing: Contents) -> str:
        desk = self.desk
        versions = (await desk.call(file.Versions(path=path))).versions
        numbers = [version.version for version in reversed(versions)]
        if numbers != [number for number, _ in thing]:
            return f"versions of {path!r} are {numbers}, not {thing}"
        for number, data in thing:
            got = await desk.call(file.ReadFile(path=path, version=number))
            if got.data != data:
                return f"{path!r} version {number} is {got.data!r}, not {data!r}"
        if desk.real(path).read_bytes() != thing[-1][1]:
            return f"real {path!r} is {desk.real(path).read_bytes()!r}, not {thing[-1][1]!r}"
        return ""

    async def _real_difference(self, model: Model) -> str:
        root = self.desk.folder / "ada"
        real = {str(path.relative_to(root)) for path in root.rglob("*")} if root.exists() else set()
        mine = {path for path in real if not path.startswith(".aios")}
        if mine != set(model.things):
            return f"real files {sorted(mine)}, not {sorted(model.things)}"
        return ""


def _expected(model: Model, call: Any) -> tuple[type, Model]:
    """The kind of error a call gives, and what is there after it."""
    try:
        return type(None), model.after(call)
    except AiosError as problem:
        return type(problem), model


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=60,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
