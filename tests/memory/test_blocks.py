"""Blocks keep their bytes through eviction, restart and full disks, and belong to their agent."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from aios.errors import Denied, InvalidArgument, NoSpace, NotFound, QuotaExceeded
from aios.memory.blocks import BlockRoom
from aios.memory.cache import OVERHEAD, Cache
from aios.memory.eviction import Adaptive
from aios.syscalls.memory import (
    Access,
    Alloc,
    Append,
    Blocks,
    Clear,
    Free,
    Grant,
    Read,
    Share,
    Write,
)
from aios.testing.journal import InlineJournal
from tests.memory.hand import ask, done


class Desk:
    """A room of blocks over a journal; `ram` bytes of RAM."""

    def __init__(self, ram: int = 1 << 20, **limits: int) -> None:
        self.journal = InlineJournal()
        self.ram = ram
        self.limits = limits
        self.restart()

    def restart(self) -> None:
        cache = Cache(Adaptive(), ram_bytes=self.ram, high=1.0)
        self.room = BlockRoom(self.journal, cache, **self.limits)

    def ask(self, agent: str, call: Any) -> Any:
        return ask(self.room, self.journal, agent, call)

    def data(self, agent: str, name: str, owner: str = "") -> bytes:
        found: bytes = self.ask(agent, Read(name=name, owner=owner)).data
        return found


@pytest.fixture
def desk() -> Iterator[Desk]:
    one = Desk()
    yield one
    one.journal.close()


def test_what_is_written_and_appended_is_read_back_also_after_a_restart(desk: Desk) -> None:
    desk.ask("travel", Write(name="plan", data=b"Rome"))
    info = desk.ask("travel", Append(name="plan", data=b", Oslo"))
    assert (info.bytes, info.tier) == (10, "ram")
    desk.restart()
    assert desk.ask("travel", Blocks()).blocks[0].tier == "disk"
    assert desk.data("travel", "plan") == b"Rome, Oslo"
    assert desk.ask("travel", Blocks()).blocks[0].tier == "ram"


def test_a_part_is_read_and_the_whole_length_told(desk: Desk) -> None:
    desk.ask("travel", Write(name="plan", data=b"0123456789"))
    part = desk.ask("travel", Read(name="plan", offset=3, length=4))
    assert (part.data, part.total_bytes) == (b"3456", 10)
    assert desk.ask("travel", Read(name="plan", offset=99)).data == b""


def test_an_append_to_a_block_on_disk_reads_nothing_back(desk: Desk) -> None:
    desk.ask("travel", Write(name="plan", data=b"Rome"))
    desk.restart()
    info = desk.ask("travel", Append(name="plan", data=b"!"))
    assert (info.tier, desk.data("travel", "plan")) == ("disk", b"Rome!")


def test_many_appends_stay_few_chunks_and_the_same_bytes(desk: Desk) -> None:
    for number in range(1_000):
        desk.ask("travel", Append(name="log", data=b"%04d" % number))
    desk.restart()
    assert desk.data("travel", "log") == b"".join(b"%04d" % number for number in range(1_000))


def test_small_appends_to_a_large_block_seldom_write_it_again(desk: Desk) -> None:
    desk.ask("travel", Alloc(name="log", limit_bytes=4 << 20))
    for number in range(2_048):
        if number == 1_000:
            desk.restart()
        desk.ask("travel", Append(name="log", data=bytes([number % 251]) * 1_024))
    desk.restart()
    expected = b"".join(bytes([number % 251]) * 1_024 for number in range(2_048))
    assert desk.data("travel", "log") == expected
    assert desk.journal.blobs.put_bytes <= 3 * len(expected)


def test_large_values_are_blobs_and_are_named_to_the_sweeper(desk: Desk) -> None:
    desk.ask("travel", Write(name="map", data=bytes(100_000)))
    desk.ask("travel", Append(name="map", data=b"\x01" * 70_000))
    desk.ask("travel", Append(name="map", data=b"end"))
    assert len(done(desk.room.blobs())) == 2
    desk.restart()
    assert desk.data("travel", "map") == bytes(100_000) + b"\x01" * 70_000 + b"end"
    desk.ask("travel", Clear(name="map"))
    assert done(desk.room.blobs()) == set()


def test_blocks_leave_ram_at_the_mark_and_come_back_with_the_same_bytes() -> None:
    desk = Desk(ram=3 * (OVERHEAD + 1_000))
    for number in range(5):
        desk.ask("travel", Write(name=f"page {number}", data=bytes([number]) * 1_000))
    tiers = [block.tier for block in desk.ask("travel", Blocks()).blocks]
    assert sorted(tiers) == ["disk", "disk", "ram", "ram", "ram"]
    assert all(desk.data("travel", f"page {n}") == bytes([n]) * 1_000 for n in range(5))


def test_a_block_takes_no_more_than_its_limit(desk: Desk) -> None:
    desk.ask("travel", Alloc(name="plan", limit_bytes=4))
    desk.ask("travel", Write(name="plan", data=b"Rome"))
    with pytest.raises(QuotaExceeded, match="may hold 4 bytes, 5 are needed"):
        desk.ask("travel", Append(name="plan", data=b"!"))
    with pytest.raises(QuotaExceeded, match="may hold 4 bytes"):
        desk.ask("travel", Write(name="plan", data=b"Milan"))
    assert desk.data("travel", "plan") == b"Rome"
    with pytest.raises(InvalidArgument, match="expected at least the 4 bytes"):
        desk.ask("travel", Alloc(name="plan", limit_bytes=3))


def test_an_agent_takes_no_more_than_its_share() -> None:
    desk = Desk(agent_bytes_max=10, agent_blocks_max=2)
    desk.ask("travel", Write(name="a", data=bytes(6)))
    with pytest.raises(QuotaExceeded, match="10 bytes together, 11 are needed"):
        desk.ask("travel", Write(name="b", data=bytes(5)))
    desk.ask("other", Write(name="b", data=bytes(10)))
    desk.ask("travel", Write(name="b", data=bytes(4)))
    with pytest.raises(QuotaExceeded, match="has 2 blocks"):
        desk.ask("travel", Write(name="c", data=b""))
    desk.ask("travel", Free(name="a"))
    desk.restart()
    desk.ask("travel", Write(name="c", data=bytes(6)))
    with pytest.raises(QuotaExceeded, match="11 are needed"):
        desk.ask("travel", Append(name="c", data=b"!"))


def test_another_agents_block_is_as_good_as_not_there(desk: Desk) -> None:
    desk.ask("travel", Write(name="secret", data=b"Rome"))

    def complaint(call: Any) -> str:
        with pytest.raises(NotFound) as caught:
            desk.ask("nosy", call)
        return str(caught.value).replace("missing", "secret")

    for kind in (Read, lambda **f: Write(data=b"", **f), lambda **f: Append(data=b"", **f)):
        there = complaint(kind(name="secret", owner="travel"))
        assert there == complaint(kind(name="missing", owner="travel"))
    assert desk.ask("nosy", Blocks()).blocks == ()


def test_a_shared_block_is_used_as_far_as_it_is_shared(desk: Desk) -> None:
    desk.ask("travel", Write(name="plan", data=b"Rome"))
    info = desk.ask("travel", Share(name="plan", agent="money"))
    assert info.shared == (Grant("money", Access.READ),)
    assert desk.data("money", "plan", owner="travel") == b"Rome"
    assert desk.ask("money", Blocks()).blocks[0].shared == ()
    with pytest.raises(Denied, match="shared for reading"):
        desk.ask("money", Write(name="plan", data=b"Oslo", owner="travel"))
    desk.ask("travel", Share(name="plan", agent="money", access=Access.WRITE))
    desk.restart()
    desk.ask("money", Append(name="plan", data=b"!", owner="travel"))
    assert desk.data("travel", "plan") == b"Rome!"
    desk.ask("travel", Share(name="plan", agent="money", access=Access.NONE))
    with pytest.raises(NotFound):
        desk.data("money", "plan", owner="travel")


def test_a_grant_ends_with_its_block(desk: Desk) -> None:
    desk.ask("travel", Write(name="plan", data=b"Rome"))
    desk.ask("travel", Share(name="plan", agent="money"))
    desk.ask("travel", Free(name="plan"))
    desk.ask("travel", Write(name="plan", data=b"Oslo"))
    with pytest.raises(NotFound):
        desk.data("money", "plan", owner="travel")


def test_nobody_shares_with_itself(desk: Desk) -> None:
    desk.ask("travel", Write(name="plan", data=b""))
    with pytest.raises(InvalidArgument, match="expected another agent"):
        desk.ask("travel", Share(name="plan", agent="travel"))


@pytest.mark.parametrize(
    "call",
    [
        Write(name="plan", data=b"Oslo"),
        Write(name="plan", data=bytes(70_000)),
        Append(name="plan", data=b"Oslo"),
        Clear(name="plan"),
        Free(name="plan"),
        Share(name="plan", agent="money"),
        Alloc(name="plan", limit_bytes=5),
        Write(name="new", data=b"Oslo"),
    ],
)
def test_a_full_disk_leaves_everything_as_it_was(desk: Desk, call: Any) -> None:
    desk.ask("travel", Write(name="plan", data=b"Rome"))
    before = desk.ask("travel", Blocks())
    desk.journal.fail_next(NoSpace("the disk is full"))
    with pytest.raises(NoSpace):
        desk.ask("travel", call)
    assert desk.ask("travel", Blocks()) == before
    assert desk.data("travel", "plan") == b"Rome"
    desk.restart()
    assert desk.data("travel", "plan") == b"Rome"
    desk.ask("travel", call)


AGENTS = st.sampled_from(["a", "b"])
NAMES = st.sampled_from(["x", "y", "z"])
DATA = st.one_of(st.binary(max_size=900), st.sampled_from([bytes(70_000), b"\x07" * 66_000]))


class BlocksAreADict(RuleBasedStateMachine):
    """Whatever is evicted, lost in a crash or refused by the disk: a dict would hold the same."""

    @initialize()
    def begin(self) -> None:
        self.desk = Desk(ram=4 * OVERHEAD + 2_000)
        self.model: dict[tuple[str, str], bytes] = {}

    def teardown(self) -> None:
        self.desk.journal.close()

    @rule(agent=AGENTS, name=NAMES, data=DATA, fails=st.booleans())
    def write(self, agent: str, name: str, data: bytes, fails: bool) -> None:
        if self.succeeds(agent, Write(name=name, data=data), fails):
            self.model[agent, name] = data

    @rule(agent=AGENTS, name=NAMES, data=DATA, times=st.integers(1, 70), fails=st.booleans())
    def append(self, agent: str, name: str, data: bytes, times: int, fails: bool) -> None:
        for _ in range(times if len(data) < 10 else 1):
            if self.succeeds(agent, Append(name=name, data=data), fails):
                self.model[agent, name] = self.model.get((agent, name), b"") + data

    @rule(agent=AGENTS, name=NAMES)
    def clear(self, agent: str, name: str) -> None:
        if (agent, name) in self.model and self.succeeds(agent, Clear(name=name), False):
            self.model[agent, name] = b""

    @rule(agent=AGENTS, name=NAMES, fails=st.booleans())
    def free(self, agent: str, name: str, fails: bool) -> None:
        if (agent, name) in self.model and self.succeeds(agent, Free(name=name), fails):
            del self.model[agent, name]

    @rule(agent=AGENTS, name=NAMES)
    def read(self, agent: str, name: str) -> None:
        if (agent, name) in self.model:
            assert self.desk.data(agent, name) == self.model[agent, name]
        else:
            with pytest.raises(NotFound):
                self.desk.data(agent, name)

    @rule()
    def crash(self) -> None:
        self.desk.restart()

    @invariant()
    def the_lists_agree(self) -> None:
        for agent in ("a", "b"):
            listed = {one.name: one.bytes for one in self.desk.ask(agent, Blocks()).blocks}
            assert listed == {n: len(d) for (a, n), d in self.model.items() if a == agent}

    def succeeds(self, agent: str, call: Any, fails: bool) -> bool:
        if not fails:
            self.desk.ask(agent, call)
            return True
        self.desk.journal.fail_next(NoSpace("the disk is full"))
        with pytest.raises(NoSpace):
            self.desk.ask(agent, call)
        return False


TestBlocksAreADict = BlocksAreADict.TestCase
TestBlocksAreADict.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
