"""A program's log: two streams in one order, bounded, read by position and by last lines."""

import shutil
from pathlib import Path

import pytest

from aios.programs import log
from aios.programs.log import STDERR, STDOUT, Chunk, Part, Writer


def test_both_streams_come_back_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.write(STDOUT, b"one\n")
    writer.write(STDERR, b"two\n")
    assert log.read(tmp_path, 0, 100) == Part(0, 8, [Chunk(1, b"one\n"), Chunk(2, b"two\n")])
    assert log.read(tmp_path, 2, 3) == Part(2, 5, [Chunk(1, b"e\n"), Chunk(2, b"t")])
    assert log.read(tmp_path, 8, 100) == Part(8, 8, [])


def test_a_log_that_is_full_forgets_its_oldest_and_says_where_it_begins(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    line = b"x" * 65_535 + b"\n"
    for _ in range(300):
        writer.write(STDOUT, line)
    kept = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert kept <= log.SEGMENT_BYTES * log.SEGMENTS_MAX + 5 * 300
    part = log.read(tmp_path, 0, 10)
    assert part.start > 0
    assert part.end == part.start + 10
    assert log.end_of(tmp_path) == 300 * len(line)


@pytest.mark.parametrize(
    ("lines", "told"),
    [(0, b""), (1, b"c\n"), (2, b"bb\nc\n"), (3, b"a\nbb\nc\n"), (9, b"a\nbb\nc\n")],
)
def test_the_last_lines_begin_where_they_are_asked_for(
    tmp_path: Path, lines: int, told: bytes
) -> None:
    writer = Writer(tmp_path)
    for data in (b"a\nb", b"b\n", b"c\n"):
        writer.write(STDOUT, data)
    part = log.read(tmp_path, log.last_lines(tmp_path, lines), 100)
    assert b"".join(one.data for one in part.chunks) == told


def test_a_program_that_is_started_again_goes_on_in_its_log_also_behind_a_torn_chunk(
    tmp_path: Path,
) -> None:
    Writer(tmp_path).write(STDOUT, b"before\n")
    with next(tmp_path.iterdir()).open("ab") as file:
        file.write(b"\x01\x00\x00\x00\xfftorn")
    Writer(tmp_path).write(STDOUT, b"after\n")
    assert [one.data for one in log.read(tmp_path, 0, 100).chunks] == [b"before\n", b"after\n"]


def test_there_is_nothing_of_a_program_that_never_wrote(tmp_path: Path) -> None:
    assert log.read(tmp_path / "no", 0, 10) == Part(0, 0, [])
    assert log.last_lines(tmp_path / "no", 3) == 0


def test_where_the_disk_takes_nothing_output_is_lost_and_the_program_goes_on(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "log"
    writer = Writer(folder)
    writer.write(STDOUT, b"before\n")
    shutil.rmtree(folder)
    folder.write_text("in the way")
    for _ in range(3):
        writer.write(STDOUT, b"x" * (log.SEGMENT_BYTES // 2))
    folder.unlink()
    writer.write(STDOUT, b"after\n")
    assert [one.data for one in log.read(folder, 0, 100).chunks] == [b"after\n"]
    (tmp_path / "file").write_text("no folder")
    Writer(tmp_path / "file").write(STDOUT, b"nowhere")
