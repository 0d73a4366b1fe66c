"""The writer of an index in a process of its own."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aios.errors import CoreFailed, Damaged
from aios.retrieval.base import Embedder, Query
from aios.retrieval.beside import ChildWriter
from aios.retrieval.index import TEXT_CHARS_MAX, HybridIndex
from aios.retrieval.ngrams import NgramEmbedder
from aios.retrieval.orders import DOCUMENTS_CHARS
from aios.retrieval.writing import MakeWriter, WriterSpec
from aios.syscalls.note import SearchMode
from tests.retrieval.documents import Meanings, document


@pytest.fixture
def writers() -> list[ChildWriter]:
    return []


@pytest.fixture
def make(writers: list[ChildWriter]) -> Iterator[MakeWriter]:
    def made(spec: WriterSpec) -> ChildWriter:
        writers.append(ChildWriter(spec))
        return writers[-1]

    yield made
    for one in writers:
        one.close()


def found(index: HybridIndex, text: str, mode: SearchMode = SearchMode.HYBRID) -> list[str]:
    hits = index.search(Query(text=text, scopes=("anna",), limit=9, mode=mode))
    return [hit.id for hit in hits]


@pytest.mark.parametrize("embedder", [NgramEmbedder(64), Meanings()])
def test_another_process_writes_what_this_one_would(
    tmp_path: Path, make: MakeWriter, embedder: Embedder
) -> None:
    documents = [document(f"d{at}", f"car {at} {'stream' * (at % 3)}") for at in range(40)]
    here, there = (
        HybridIndex(tmp_path / "here", embedder),
        HybridIndex(tmp_path / "there", embedder, make),
    )
    for index in (here, there):
        index.put(documents)
        index.put([document("d3", "vehicle on the river")])
        index.remove(["d4", "d5", "never there"])
    for question in ("car 7", "vehicle", "d4 car", "streams"):
        query = Query(text=question, scopes=("anna",), limit=99)
        assert there.search(query) == here.search(query)
    assert there.count == here.count == 38
    here.close()
    there.close()


def test_texts_of_any_size_are_taken_and_searched(tmp_path: Path, make: MakeWriter) -> None:
    index = HybridIndex(tmp_path, NgramEmbedder(64), make)
    filler = "\N{MUSICAL SYMBOL G CLEF} " * TEXT_CHARS_MAX
    assert len(filler) > DOCUMENTS_CHARS
    index.put([document(word, f"{word} {filler}") for word in ("violin", "cello", "harp")])
    assert found(index, "harp", SearchMode.KEYWORD) == ["harp"]
    index.close()


def test_a_killed_writer_is_told_of_and_another_one_goes_on(
    tmp_path: Path, make: MakeWriter, writers: list[ChildWriter]
) -> None:
    index = HybridIndex(tmp_path, NgramEmbedder(64), make)
    index.put([document("a", "violin")])
    first = writers[0].pid
    os.kill(first, signal.SIGKILL)
    with pytest.raises(CoreFailed, match="started again"):
        index.put([document("b", "cello")])
    assert found(index, "violin") == ["a"]
    index.put([document("b", "cello")])
    assert found(index, "cello") == ["b"]
    assert writers[0].pid not in (0, first)
    index.close()


def test_what_the_writer_finds_damaged_is_told_and_mended_by_beginning_anew(
    tmp_path: Path, make: MakeWriter
) -> None:
    index = HybridIndex(tmp_path, NgramEmbedder(64), make)
    (tmp_path / "index.db").unlink()
    with pytest.raises(Damaged):
        index.put([document("a", "violin")])
    index.begin_anew()
    index.put([document("a", "violin")])
    assert found(index, "violin") == ["a"]
    index.close()


def test_without_work_there_is_no_process_and_after_the_close_none_is_left(
    tmp_path: Path, make: MakeWriter, writers: list[ChildWriter]
) -> None:
    index = HybridIndex(tmp_path, NgramEmbedder(64), make)
    assert not index.tend()
    assert (found(index, "violin"), writers[0].pid) == ([], 0)
    index.put([document("a", "violin")])
    pid = writers[0].pid
    index.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


_KERNEL = """
import sys
from pathlib import Path
from aios.retrieval.beside import ChildWriter
from aios.retrieval.index import HybridIndex
from aios.retrieval.ngrams import NgramEmbedder
made = []
def make(spec):
    made.append(ChildWriter(spec))
    return made[0]
index = HybridIndex(Path(sys.argv[1]), NgramEmbedder(64), make)
index.remove(["nothing"])
print(made[0].pid, flush=True)
sys.stdin.read()
"""


def test_the_process_ends_with_a_killed_kernel(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _KERNEL, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as kernel:  # fmt: skip
        assert kernel.stdout is not None
        child = os.pidfd_open(int(kernel.stdout.readline()))
        kernel.kill()
    try:
        # The end of the process, which is no child of ours: it can be waited for by its handle.
        assert select.select([child], [], [], 10)[0]
    finally:
        os.close(child)
