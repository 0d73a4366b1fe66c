"""The power goes at every sync, and what was acknowledged is there, whole and in order."""

import asyncio
import random
from functools import partial
from pathlib import Path

from aios.journal.journal import FileJournal
from aios.testing.faults import FaultyDisk, Platter, under_sqlite
from tests.journal.house import contents, journal_in, oracle, step, steps_done, with_journal

STEPS = 200
SEEDS = 2


def test_power_cut_at_every_sync_keeps_every_acknowledged_step_and_no_half_one(
    tmp_path: Path,
) -> None:
    expected = oracle(STEPS)
    for seed in range(SEEDS):
        cuts = _cut_everywhere(tmp_path / str(seed), 1, random.Random(seed))
        assert len(cuts) > STEPS
        for cut, acknowledged, posted in cuts:
            state = with_journal(cut / "home", contents)
            assert acknowledged <= steps_done(state) <= posted, cut
            assert state == expected[steps_done(state)], cut


def test_power_cut_while_the_journal_is_made_leaves_one_that_can_be_made(tmp_path: Path) -> None:
    platter, disk = _platter(tmp_path)
    cuts: list[Path] = []
    chance = random.Random(11)

    def cut() -> None:
        for _ in range(20):
            cuts.append(tmp_path / f"cut{len(cuts)}")
            platter.leave(cuts[-1], chance)

    async def make() -> None:
        platter.on_sync = cut
        journal = journal_in(platter.folder / "home", disk)
        platter.on_sync = None
        await journal.close()

    with under_sqlite(platter):
        asyncio.run(make())

    for folder in cuts:
        assert with_journal(folder / "home", contents) == ([], [])


def test_power_cut_among_waiting_posts_keeps_a_beginning_of_them(tmp_path: Path) -> None:
    expected = oracle(STEPS)

    for cut, acknowledged, posted in _cut_everywhere(tmp_path, 10, random.Random(1)):
        state = with_journal(cut / "home", contents)
        assert acknowledged <= steps_done(state) <= posted, cut
        assert state == expected[steps_done(state)], cut


def test_blob_put_before_a_power_cut_is_whole_and_one_put_during_it_is_whole_or_gone(
    tmp_path: Path,
) -> None:
    platter, disk = _platter(tmp_path)
    cuts: list[tuple[Path, set[str]]] = []
    chance, known = random.Random(5), set[str]()

    def cut() -> None:
        cuts.append((tmp_path / f"cut{len(cuts)}", set(known)))
        platter.leave(cuts[-1][0], chance)

    async def put_blobs() -> None:
        journal = journal_in(platter.folder / "home", disk)
        platter.on_sync = cut
        for number in range(20):
            known.add(await journal.blobs.put(bytes([number]) * 3_000))
        platter.on_sync = None
        await journal.close()

    with under_sqlite(platter):
        asyncio.run(put_blobs())

    assert len(cuts) >= 40
    for folder, acknowledged in cuts:
        with_journal(folder / "home", partial(_get_all, acknowledged))


async def _get_all(names: set[str], journal: FileJournal) -> None:
    for name in names:
        assert len(await journal.blobs.get(name)) == 3_000


def _platter(tmp_path: Path) -> tuple[Platter, FaultyDisk]:
    platter = Platter(tmp_path / "disk")
    platter.folder.mkdir(parents=True)
    return platter, FaultyDisk(platter)


def _cut_everywhere(
    tmp_path: Path, clients: int, chance: random.Random
) -> list[tuple[Path, int, int]]:
    """Each: the folder that a cut left, the steps acknowledged, and those posted by then."""
    platter, disk = _platter(tmp_path)
    cuts: list[tuple[Path, int, int]] = []
    done = {"posted": 0, "acknowledged": 0}

    def cut() -> None:
        folder = tmp_path / f"cut{len(cuts)}"
        cuts.append((folder, done["acknowledged"], done["posted"]))
        platter.leave(folder, chance)

    async def client(home: FileJournal) -> None:
        while done["posted"] < STEPS:
            done["posted"] += 1
            number = done["posted"]
            await home.post(step(number))
            done["acknowledged"] = max(number, done["acknowledged"])

    async def work() -> None:
        platter.on_sync = cut
        journal = journal_in(platter.folder / "home", disk)
        await asyncio.gather(*(client(journal) for _ in range(clients)))
        await journal.close()
        cut()

    with under_sqlite(platter):
        asyncio.run(work())
    return cuts
