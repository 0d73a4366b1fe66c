"""What the demo shows of three runs: a transcript, a table, a picture, and an honest last line."""

import io
from pathlib import Path
from random import Random
from xml.etree import ElementTree

from rich.console import Console

from aios.bench.demo import HONEST, show
from aios.bench.records import Run
from aios.bench.ways import Watch, run_kernel
from aios.clock import LoopClock
from aios.scheduler import Fifo, RoundRobin
from aios.testing import Script, ScriptedCore, ScriptedStore, run
from tests.bench.office import Knowing, site, small_office

OFFICE = small_office()
WHERE = site(OFFICE)


def kernel_run(policy: type[Fifo] | type[RoundRobin]) -> Run:
    async def main(rng: Random) -> Run:
        core = ScriptedCore(
            Script(lanes=4, kv_tokens=2_048),
            clock=LoopClock(),
            rng=rng,
            store=ScriptedStore(),
            answer=Knowing(OFFICE),
        )
        return await run_kernel(WHERE, core, policy, LoopClock(), Watch())

    return run(main)


def shown(folder: Path) -> list[str]:
    screen = io.StringIO()
    console = Console(file=screen, width=120)
    runs = [kernel_run(Fifo), kernel_run(RoundRobin)]
    show(runs, WHERE, folder / "lanes.svg", console)
    return screen.getvalue().splitlines()


def test_a_transcript_shows_question_call_result_and_answer(tmp_path: Path) -> None:
    told = ("asked", "calls", "result", "answers")
    words = [line.split() for line in shown(tmp_path)]
    who = [line[0] for line in words if line and line[0] in told]
    assert who[: who.index("answers") + 1] == ["asked", "calls", "result", "answers"]


def test_the_table_has_a_column_for_each_way(tmp_path: Path) -> None:
    text = "\n".join(shown(tmp_path))
    assert "FIFO" in text
    assert "round-robin" in text
    tasks = sum(len(member.errands) for member in OFFICE)
    assert text.count(f"{tasks} of {tasks}") == 2


def test_the_picture_is_written_and_its_place_told(tmp_path: Path) -> None:
    lines = shown(tmp_path)
    path = tmp_path / "lanes.svg"
    assert f"Picture of the lanes: {path}" in lines
    assert "round-robin" in path.read_text()
    ElementTree.parse(path)


def test_the_last_line_says_what_the_model_is(tmp_path: Path) -> None:
    assert shown(tmp_path)[-1] == HONEST
