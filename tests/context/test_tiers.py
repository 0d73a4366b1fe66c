"""What a store promises: what was committed comes back or is `Damaged`, within the budgets."""

import os
import subprocess
import sys
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aios.context.disk import WRITES_MAX
from aios.context.image import layout
from aios.context.ram import MAPPED_MAX
from aios.context.snapshot import SnapshotRef, Tier
from aios.context.tiers import TierStore
from aios.errors import Busy, Damaged, InvalidArgument
from tests.context.snapshots import MB, bytes_of, kv_of, save, snapshot_of, store_in

BOTH = pytest.mark.parametrize("tier", [Tier.RAM, Tier.DISK])


def files(store_root: Path, tier: Tier) -> list[Path]:
    return sorted((store_root / tier.value).iterdir())


@BOTH
@pytest.mark.parametrize("size", [0, 1, 63, 64, 4096, 300_001])
def test_a_snapshot_comes_back_as_it_was(tmp_path: Path, tier: Tier, size: int) -> None:
    store = store_in(tmp_path)
    kv = bytes_of(size)

    ref = save(store, tier, kv, state=b"where it stopped")
    loaded = store.load(ref)

    assert ref.tier is tier
    assert loaded.snapshot.state == b"where it stopped"
    assert loaded.snapshot.tokens == ref.tokens
    assert kv_of(loaded) == kv


@BOTH
def test_kv_is_aligned_and_writable_and_read_only_when_loaded(tmp_path: Path, tier: Tier) -> None:
    import numpy as np

    store = store_in(tmp_path)
    slot = store.open(snapshot_of(128), tier)
    address = np.frombuffer(slot.kv, np.uint8).ctypes.data
    ref = slot.commit()

    with store.load(ref) as loaded:
        assert address % 64 == 0
        assert np.frombuffer(loaded.kv, np.uint8).ctypes.data % 64 == 0
        assert loaded.kv.readonly


@BOTH
def test_a_removed_snapshot_is_damaged_and_removing_twice_is_nothing(
    tmp_path: Path, tier: Tier
) -> None:
    store = store_in(tmp_path)
    ref = save(store, tier, bytes_of(100))

    store.remove(ref)
    store.remove(ref)

    with pytest.raises(Damaged, match="No such file"):
        store.load(ref)
    assert store.statistics()[tier].used_bytes == 0


def test_a_full_ram_makes_it_a_disk_snapshot(tmp_path: Path) -> None:
    store = store_in(tmp_path, ram=MB)
    refs = [save(store, Tier.RAM, bytes_of(300_000, str(i)), f"g{i}") for i in range(5)]

    assert [ref.tier for ref in refs[:2]] == [Tier.RAM, Tier.RAM]
    assert refs[4].tier is Tier.DISK
    assert [kv_of(store.load(ref)) for ref in refs] == [bytes_of(300_000, str(i)) for i in range(5)]
    assert store.statistics()[Tier.RAM].used_bytes <= MB


def test_a_full_disk_is_busy_and_free_again_after_a_removal(tmp_path: Path) -> None:
    store = store_in(tmp_path, ram=0, disk=MB)
    first = save(store, Tier.RAM, bytes_of(600_000))

    with pytest.raises(Busy, match="are free"):
        store.open(snapshot_of(600_000), Tier.DISK)
    store.remove(first)

    assert kv_of(store.load(save(store, Tier.DISK, bytes_of(600_000)))) == bytes_of(600_000)


@BOTH
def test_an_open_slot_counts_and_an_aborted_one_does_not(tmp_path: Path, tier: Tier) -> None:
    store = store_in(tmp_path)
    slot = store.open(snapshot_of(MB), tier)
    counted = store.statistics()[tier].used_bytes

    slot.abort()
    slot.abort()

    assert counted >= MB
    assert store.statistics()[tier].used_bytes == 0


def test_a_slot_that_memory_has_no_room_for_does_not_count(tmp_path: Path) -> None:
    store = TierStore(
        ram=tmp_path / "ram", disk=tmp_path / "disk", ram_bytes=0, disk_bytes=1 << 62, owner="one"
    )

    with pytest.raises(Busy, match="bytes of memory"):
        store.open(snapshot_of(1 << 60), Tier.DISK)

    assert store.statistics()[Tier.DISK].used_bytes == 0


def test_the_file_of_a_removed_snapshot_is_used_again(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    first = save(store, Tier.RAM, bytes_of(MB, "a"), "g1")
    page = os.stat(first.path).st_ino
    store.remove(first)

    second = save(store, Tier.RAM, bytes_of(MB - 5000, "b"), "g2")

    assert os.stat(second.path).st_ino == page
    assert kv_of(store.load(second)) == bytes_of(MB - 5000, "b")
    with pytest.raises(Damaged):
        store.load(first)


def test_spares_give_way_to_snapshots(tmp_path: Path) -> None:
    store = store_in(tmp_path, ram=4 * MB)
    for ref in [save(store, Tier.RAM, bytes_of(MB - 5000, str(i))) for i in range(4)]:
        store.remove(ref)

    big = save(store, Tier.RAM, bytes_of(3 * MB))

    assert big.tier is Tier.RAM
    assert sum(path.stat().st_size for path in files(tmp_path, Tier.RAM)) <= 4 * MB


def test_a_file_that_is_still_looked_at_is_not_used_again(tmp_path: Path) -> None:
    store, other = store_in(tmp_path), store_in(tmp_path, owner="two")
    refs = [save(store, Tier.RAM, bytes_of(MB, str(i)), f"g{i}") for i in range(3)]
    here, there = store.load(refs[0]), other.load(refs[1])
    array = memoryview(store.load(refs[2]).kv)

    for ref in refs:
        store.remove(ref)
    for i in range(3):
        save(store, Tier.RAM, bytes_of(MB, "new"), f"n{i}")

    assert kv_of(here) == bytes_of(MB, "0")
    assert kv_of(there) == bytes_of(MB, "1")
    assert bytes(array) == bytes_of(MB, "2")


def test_a_view_that_outlives_close_keeps_the_file_from_being_used_again(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    ref = save(store, Tier.RAM, bytes_of(MB))
    with store.load(ref) as loaded:
        late = memoryview(loaded.kv)

    store.remove(ref)
    save(store, Tier.RAM, bytes_of(MB, "other"))

    assert bytes(late) == bytes_of(MB)


def test_more_snapshots_than_are_kept_mapped(tmp_path: Path) -> None:
    store = store_in(tmp_path, ram=64 * MB)
    refs = [save(store, Tier.RAM, bytes_of(999, str(i)), f"g{i}") for i in range(MAPPED_MAX + 9)]

    assert [kv_of(store.load(ref)) for ref in refs] == [
        bytes_of(999, str(i)) for i in range(len(refs))
    ]
    for ref in refs:
        store.remove(ref)
    assert store.statistics()[Tier.RAM].used_bytes == 0


def test_another_process_loads_what_a_dead_one_saved(tmp_path: Path) -> None:
    writer = (
        "import os, sys, msgspec, pathlib\n"
        "from tests.context.snapshots import *\n"
        "store = store_in(pathlib.Path(sys.argv[1]), owner='dead')\n"
        "refs = [save(store, tier, bytes_of(50_000)) for tier in (Tier.RAM, Tier.DISK)]\n"
        "store.open(snapshot_of(50_000), Tier.RAM)\n"
        "sys.stdout.buffer.write(msgspec.msgpack.encode(refs)); sys.stdout.flush()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    root = Path(__file__).parents[2]
    told = subprocess.run(
        [sys.executable, "-c", writer, str(tmp_path)],
        stdout=subprocess.PIPE,
        check=False,
        cwd=root,
        env={"PYTHONPATH": f"{root / 'src'}:{root}"},
    )
    refs = msgspec.msgpack.decode(told.stdout, type=list[SnapshotRef])

    store = store_in(tmp_path, owner="dead")

    assert told.returncode == -9
    assert [kv_of(store.load(ref)) for ref in refs] == [bytes_of(50_000)] * 2
    assert store.statistics()[Tier.RAM].used_bytes > 0
    assert len(files(tmp_path, Tier.RAM)) == 1, "the half-written one is gone"


@pytest.mark.parametrize("after_s", [0.02, 0.05, 0.1])
def test_a_writer_killed_at_any_moment_leaves_only_whole_snapshots(
    tmp_path: Path, after_s: float
) -> None:
    writer = (
        "import sys, pathlib\n"
        "from tests.context.snapshots import *\n"
        "store = store_in(pathlib.Path(sys.argv[1]), ram=64 * MB, disk=64 * MB)\n"
        "print(flush=True)\n"
        "while True:\n"
        "    for tier in (Tier.RAM, Tier.DISK):\n"
        "        slot = store.open(snapshot_of(200_000), tier)\n"
        "        slot.kv[:] = bytes_of(200_000)\n"
        "        slot.commit_later().result()\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", writer, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=root,
        env={"PYTHONPATH": f"{root / 'src'}:{root}"},
    ) as process:
        assert process.stdout
        process.stdout.readline()
        with suppress(subprocess.TimeoutExpired):
            process.wait(after_s)
        process.kill()

    whole = [path for path in tmp_path.glob("*/*.snap") if path.stat().st_size]
    store = store_in(tmp_path)
    for path in whole:
        ref = SnapshotRef(
            tier=Tier(path.parent.name),
            path=str(path),
            bytes=layout(snapshot_of(200_000)).total_bytes,
            tokens=0,
        )
        assert kv_of(store.load(ref)) == bytes_of(200_000)
    assert whole
    assert {path.suffix for path in tmp_path.glob("*/*")} == {".snap"}


def test_what_another_owner_removed_becomes_room(tmp_path: Path) -> None:
    store, other = store_in(tmp_path, ram=MB), store_in(tmp_path, ram=0, owner="two")
    ref = save(store, Tier.RAM, bytes_of(700_000))
    other.load(ref).close()
    other.remove(ref)

    assert save(store, Tier.RAM, bytes_of(700_000)).tier is Tier.RAM


@BOTH
@pytest.mark.parametrize("to", [Tier.RAM, Tier.DISK])
def test_a_moved_snapshot_is_the_same_in_its_new_place(
    tmp_path: Path, tier: Tier, to: Tier
) -> None:
    store = store_in(tmp_path)
    ref = save(store, tier, bytes_of(5000), state=b"s")

    moved = store.move(ref, to)
    with store.load(moved) as loaded:
        assert (moved.tier, loaded.snapshot.state) == (to, b"s")
        assert bytes(loaded.kv) == bytes_of(5000)
    if tier is not to:
        with pytest.raises(Damaged):
            store.load(ref)


def test_a_move_into_a_full_ram_leaves_it_where_it_is(tmp_path: Path) -> None:
    store = store_in(tmp_path, ram=0)
    ref = save(store, Tier.DISK, bytes_of(5000))

    assert store.move(ref, Tier.RAM) == ref
    assert kv_of(store.load(ref)) == bytes_of(5000)


def test_writes_in_the_background_are_whole_and_more_than_may_wait_still_succeed(
    tmp_path: Path,
) -> None:
    store = store_in(tmp_path)
    waiting: list[Future[SnapshotRef]] = []
    for i in range(3 * WRITES_MAX):
        slot = store.open(snapshot_of(9000, f"g{i}"), Tier.DISK if i % 2 else Tier.RAM)
        slot.kv[:] = bytes_of(9000, str(i))
        waiting.append(slot.commit_later())

    refs = [future.result(timeout=60) for future in waiting]

    assert [kv_of(store.load(ref)) for ref in refs] == [
        bytes_of(9000, str(i)) for i in range(3 * WRITES_MAX)
    ]
    store.close()


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    slot = store.open(snapshot_of(5000), Tier.DISK)
    (tmp_path / "disk").rmdir()

    with pytest.raises(Damaged, match="was not written"):
        slot.commit()
    assert store.statistics()[Tier.DISK].used_bytes == 0


def test_a_sweep_keeps_what_is_wanted_and_what_is_not_ours(tmp_path: Path) -> None:
    store, other = store_in(tmp_path), store_in(tmp_path, owner="two")
    wanted = [save(store, Tier.RAM, b"a"), save(other, Tier.DISK, b"b")]
    unwanted = [save(other, Tier.RAM, b"c"), save(store, Tier.DISK, b"d")]
    (tmp_path / "disk" / "letter.txt").write_text("mine")

    removed = store.sweep({Path(ref.path) for ref in wanted})

    assert removed == 2
    assert [kv_of(store.load(ref)) for ref in wanted] == [b"a", b"b"]
    for ref in unwanted:
        with pytest.raises(Damaged):
            other.load(ref)
    assert (tmp_path / "disk" / "letter.txt").read_text() == "mine"


@BOTH
@pytest.mark.parametrize("path", ["", "/etc/passwd", "{folder}/letter.txt", "{folder}/../x.snap"])
def test_a_reference_out_of_the_folder_is_refused(tmp_path: Path, tier: Tier, path: str) -> None:
    store = store_in(tmp_path)
    place = path.format(folder=tmp_path / tier.value)
    ref = SnapshotRef(tier=tier, path=place, bytes=1000, tokens=1)

    with pytest.raises(Damaged, match="expected a snapshot in"):
        store.load(ref)
    with pytest.raises(Damaged):
        store.remove(ref)


@pytest.mark.parametrize("name", ["../../x", "a/b", "", "ключ", "x" * 128, "a.b c\0\n"])
def test_any_generation_id_makes_a_file_name(tmp_path: Path, name: str) -> None:
    store = store_in(tmp_path, owner="pocket/0")
    for tier in (Tier.RAM, Tier.DISK):
        ref = save(store, tier, b"kv", generation=name)
        assert Path(ref.path).parent == tmp_path / tier.value
        with store.load(ref) as loaded:
            assert loaded.snapshot.generation == name


@BOTH
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(data=st.data())
def test_files_spoiled_in_any_way_are_damaged(
    tmp_path: Path, tier: Tier, data: st.DataObject
) -> None:
    store = store_in(tmp_path)
    ref = save(store, tier, bytes_of(300))
    good = Path(ref.path).read_bytes()
    image = good[: ref.bytes]
    place = data.draw(st.integers(0, len(image) - 1))
    flipped = bytes((*image[:place], image[place] ^ 1, *image[place + 1 :]))
    spoilt = data.draw(
        st.sampled_from([b"", flipped, image[:place], bytes(len(good)), b"hello\n" * place])
    )
    Path(ref.path).write_bytes(spoilt)

    reader = data.draw(st.sampled_from([store, store_in(tmp_path, owner="two")]))
    with pytest.raises(Damaged):
        reader.load(ref)

    reader.remove(ref)
    assert not Path(ref.path).exists()


@BOTH
def test_what_is_no_file_is_damaged_and_nobody_hangs(tmp_path: Path, tier: Tier) -> None:
    store = store_in(tmp_path)
    refs = [save(store, tier, bytes_of(300), f"g{i}") for i in range(3)]
    for ref in refs:
        os.unlink(ref.path)
    os.mkfifo(refs[0].path)
    os.mkdir(refs[1].path)
    os.symlink("/etc/passwd", refs[2].path)

    for ref in refs:
        with pytest.raises(Damaged):
            store.load(ref)


def test_a_snapshot_of_another_size_than_referred_to_is_damaged(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    ref = save(store, Tier.RAM, bytes_of(300))
    for size in (0, ref.bytes - 1, ref.bytes + 1, 1 << 40):
        with pytest.raises(Damaged):
            store.load(msgspec.structs.replace(ref, bytes=size))


def test_misuse_is_told(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    with pytest.raises(InvalidArgument, match="tier ram or disk"):
        store.open(snapshot_of(10), Tier.DEVICE)
    with pytest.raises(InvalidArgument, match="kv_bytes"):
        store.open(snapshot_of(-1), Tier.RAM)
    with pytest.raises(InvalidArgument, match="two folders"):
        TierStore(ram=tmp_path, disk=tmp_path, ram_bytes=1, disk_bytes=1, owner="o")
    with pytest.raises(InvalidArgument, match="owner"):
        store_in(tmp_path, owner="")
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidArgument, match="expected a folder"):
        store_in(tmp_path / "file")
