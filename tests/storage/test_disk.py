"""The real disk: links lead nowhere, not even when they appear between a check and its use."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from aios.errors import Denied
from aios.storage import disk
from aios.storage.disk import RealDisk, Root
from aios.storage.paths import FilePath

SECRET = b"root:x:0:0"
DISK = RealDisk()


@pytest.fixture
def root(tmp_path: Path) -> Root:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(SECRET)
    (tmp_path / "root").mkdir()
    return Root(str(tmp_path / "root"), ours=True)


def put(root: Root, path: str, data: bytes = b"data", before: str = "") -> bool:
    DISK.stage(root, "aside", data)
    DISK.make_folder(root, FilePath(path.rpartition("/")[0]))
    return DISK.place(root, "aside", FilePath(path), before) is not None


def link(root: Root, name: str, target: str) -> None:
    os.symlink(target, Path(root.folder) / name)


def test_what_is_put_is_there_and_the_stamp_tells_a_change(root: Root) -> None:
    assert put(root, "a/b")
    first = DISK.look(root, FilePath("a/b"))
    assert first is not None
    (Path(root.folder) / "a/b").write_bytes(b"more")
    os.utime(Path(root.folder) / "a/b", ns=(0, int(first.stamp.split(":")[2])))
    second = DISK.look(root, FilePath("a/b"))
    assert second is not None
    assert second.stamp != first.stamp


@pytest.mark.parametrize(
    "use",
    [
        lambda root: DISK.read(root, FilePath("in/secret"), 1_000),
        lambda root: DISK.look(root, FilePath("in/secret")),
        lambda root: DISK.names(root, FilePath("in")),
        lambda root: DISK.place(root, "aside", FilePath("in/new"), ""),
        lambda root: DISK.make_folder(root, FilePath("in/new")) or None,
        lambda root: DISK.rename(root, FilePath("in/secret"), FilePath("mine")) or None,
        lambda root: DISK.rename(root, FilePath("file"), FilePath("in/new")) or None,
        lambda root: DISK.remove(root, FilePath("in/secret"), "any") and None,
        lambda root: DISK.remove_folder(root, FilePath("in/secret")) and None,
    ],
)
def test_nothing_is_reached_through_a_link(root: Root, use: Callable[[Root], object]) -> None:
    DISK.stage(root, "aside", b"data")
    (Path(root.folder) / "file").write_bytes(b"mine")
    link(root, "in", "../outside")
    assert use(root) is None
    outside = Path(root.folder).parent / "outside"
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_bytes() == SECRET


@pytest.mark.parametrize("target", ["../outside/secret", "/etc/passwd", "file", "/proc/self/root"])
def test_a_link_as_the_file_itself_is_seen_and_never_followed(root: Root, target: str) -> None:
    (Path(root.folder) / "file").write_bytes(b"mine")
    link(root, "link", target)
    seen = DISK.look(root, FilePath("link"))
    assert seen is not None
    assert seen.kind == "other"
    assert DISK.read(root, FilePath("link"), 1_000) is None
    assert not put(root, "link")


def test_a_pipe_stops_nobody(root: Root) -> None:
    os.mkfifo(Path(root.folder) / "pipe")
    assert DISK.read(root, FilePath("pipe"), 1_000) is None


def test_a_root_that_became_a_link_is_not_followed(root: Root) -> None:
    real = Path(root.folder)
    real.rename(real.with_name("elsewhere"))
    os.symlink("outside", real)
    assert DISK.names(root, FilePath("")) is None
    with pytest.raises(Denied, match="gone or a link"):
        DISK.stage(root, "aside", b"data")


def test_a_folder_that_keeps_turning_into_a_link_leads_nowhere(root: Root) -> None:
    """Somebody swaps a folder for a link and back, all the time, while files are put and read."""
    real, outside = Path(root.folder), Path(root.folder).parent / "outside"
    (real / "a").mkdir()
    link(root, "trap", "../outside")
    is_over = threading.Event()

    def swap() -> None:
        while not is_over.is_set():
            (real / "a").rename(real / "b")
            (real / "trap").rename(real / "a")
            (real / "a").rename(real / "trap")
            (real / "b").rename(real / "a")

    swapper = threading.Thread(target=swap)
    swapper.start()
    read = set()
    try:
        for number in range(400):
            DISK.stage(root, f"{number}", b"data")
            DISK.place(root, f"{number}", FilePath(f"a/{number}"), "")
            content = DISK.read(root, FilePath("a/secret"), 1_000)
            read.add(content.data if content else None)
    finally:
        is_over.set()
        swapper.join()
    assert read == {None}
    assert [path.name for path in outside.iterdir()] == ["secret"]
    placed = len(list((real / "a").iterdir()))
    assert 0 < placed < 400, "the swapper and the writer never met"


def test_a_file_that_is_not_what_was_expected_is_neither_replaced_nor_removed(root: Root) -> None:
    (Path(root.folder) / "file").write_bytes(b"somebody's")
    assert not put(root, "file", before="")
    DISK.drop(root, "aside")
    assert not put(root, "file", before="1:2:3:4")
    assert not DISK.remove(root, FilePath("file"), "1:2:3:4")
    assert (Path(root.folder) / "file").read_bytes() == b"somebody's"


def test_a_replaced_file_keeps_its_mode(root: Root) -> None:
    put(root, "tool")
    real = Path(root.folder) / "tool"
    real.chmod(0o750)
    seen = DISK.look(root, FilePath("tool"))
    assert seen is not None
    assert put(root, "tool", b"new", seen.stamp)
    assert real.stat().st_mode & 0o777 == 0o750


def test_names_that_no_path_can_have_are_not_listed(root: Root) -> None:
    put(root, "good")
    os.close(os.open(os.fsencode(root.folder) + b"/bad\xff", os.O_CREAT | os.O_WRONLY))
    assert DISK.names(root, FilePath("")) is not None
    assert list(DISK.names(root, FilePath("")) or ()) == ["good"]


def test_leftovers_are_cleared_but_for_ones_own(root: Root) -> None:
    DISK.stage(root, "old-1", b"x")
    DISK.stage(root, "new-1", b"x")
    DISK.clear(root, "new")
    assert [path.name for path in (Path(root.folder) / ".aios").iterdir()] == ["new-1"]


def test_no_descriptor_is_left_open(root: Root) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        put(root, "a/b/c")
        DISK.clear(root, "none")
        DISK.read(root, FilePath("a/b/missing/x"), 10)
        DISK.names(root, FilePath("nowhere"))
    assert len(os.listdir("/proc/self/fd")) == before


class Raced(RealDisk):
    """Right after each look at a name, somebody outside does something there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
        real = disk._stamp_at
        acts = [act]

        def look(folder: int, name: str) -> str:
            stamp = real(folder, name)
            if name == "b" and acts:
                acts.pop()()
            return stamp

        monkeypatch.setattr(disk, "_stamp_at", look)


def test_a_rename_replaces_no_file_that_came_after_the_look(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(root.folder)
    (folder / "a").write_bytes(b"agent")
    raced = Raced(monkeypatch, lambda: (folder / "b").write_bytes(b"a person's"))
    assert not raced.rename(root, FilePath("a"), FilePath("b"))
    assert (folder / "a").read_bytes() == b"agent"
    assert (folder / "b").read_bytes() == b"a person's"


def test_a_file_that_was_replaced_after_the_look_stays(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(root.folder)
    assert put(root, "b", b"old")
    seen = DISK.look(root, FilePath("b"))
    assert seen is not None

    def edit() -> None:
        (folder / "new").write_bytes(b"a person's")
        os.replace(folder / "new", folder / "b")

    DISK.stage(root, "aside", b"agent's")
    raced = Raced(monkeypatch, edit)
    assert raced.place(root, "aside", FilePath("b"), seen.stamp) is None
    assert (folder / "b").read_bytes() == b"a person's"
