"""Kernels that are killed with SIGKILL, again and again, and judged each time they come back.

A quarter of the kills come while a kernel recovers from the one before, the others while clients
work. Every victim is forked from a process that has imported everything and opened nothing.
"""

import multiprocessing
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec

from aios.testing.homes import Wrap, as_it_is
from aios.testing.judge import DOUBLED, LOST, Finding
from aios.testing.ledger import Ledger
from aios.testing.victim import Life, live

CLIENTS = 24
RECOVERING = 0.25  # of the kills
RECOVERY_S = 0.15  # in which such a kill comes
WORK_S = 0.15  # in which the others do, from when everything was judged
LIFE_LIMIT_S = 60.0


class Toll(msgspec.Struct, frozen=True, kw_only=True):
    """Of a number of kills. `judged`: lives in which everything was looked at."""

    kills: int
    judged: int
    acknowledged: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]


def kill(kills: int, seed: int, wrap: Wrap = as_it_is, clients: int = CLIENTS) -> Toll:
    """One home; so many kernels die in it, the last lives to its end."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["aios.testing.victim"])
    found: set[Finding] = set()
    judged, chance = 0, Random(seed)
    with TemporaryDirectory(prefix="aios-kills-") as name:
        folder = Path(name)
        for number in range(kills + 1):
            is_last = number == kills
            life = Life(
                folder=folder, clients=clients, seed=seed + number, is_last=is_last, wrap=wrap
            )
            verdict = _lived(context.Process, life, chance)
            judged += verdict is not None
            found |= verdict or set()
        with closing(Ledger(folder / "ledger")) as ledger:
            acknowledged = len(ledger.entries)
    return Toll(
        kills=kills,
        judged=judged,
        acknowledged=acknowledged,
        lost=_of(found, LOST),
        doubled=_of(found, DOUBLED),
    )


def _lived(
    process: Callable[..., ForkServerProcess], life: Life, chance: Random
) -> set[Finding] | None:
    """What was found in one life; None where it was killed before the judge was done."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    victim = process(target=live, args=(life, theirs), daemon=True)
    victim.start()
    theirs.close()
    try:
        if not life.is_last and chance.random() < RECOVERING:
            return _heard(ours, chance.random() * RECOVERY_S)
        verdict = _heard(ours, LIFE_LIMIT_S)
        if verdict is None:
            return {Finding(LOST, f"nothing was heard of the kernel of seed {life.seed}")}
        if life.is_last:
            victim.join(LIFE_LIMIT_S)
            return verdict
        return verdict | (_heard(ours, chance.random() * WORK_S) or set())
    finally:
        victim.kill()
        victim.join()
        victim.close()
        ours.close()


def _heard(pipe: Connection, limit_s: float) -> set[Finding] | None:
    """What a victim says within that time, if anything."""
    if not pipe.poll(limit_s):
        return None
    try:
        found: set[Finding] = pipe.recv()
    except EOFError:
        return {Finding(LOST, "a kernel ended by itself")}
    return found


def _of(found: set[Finding], fault: str) -> tuple[str, ...]:
    return tuple(sorted(one.what for one in found if one.fault == fault))
