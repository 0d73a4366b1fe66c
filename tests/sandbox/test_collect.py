"""Files come back out of a hostile workspace, and nothing else does."""

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from aios.errors import InvalidArgument
from aios.sandbox import beneath
from aios.sandbox.base import Bounds, File
from aios.sandbox.collect import REASONS_MAX, Caps, Collected, collect

SECRET = b"the operator's key"
SMALL = Caps(files=20, file_bytes=100, total_bytes=250, depth=3, path_bytes=60)


@pytest.fixture(params=["openat2", "one step at a time"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything holds with `openat2` and without it."""
    if request.param == "openat2" and not beneath._has_openat2:
        pytest.skip("this kernel has no openat2")
    monkeypatch.setattr(beneath, "_has_openat2", request.param == "openat2")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def brought(work: Path, *patterns: str, caps: Caps | None = None) -> Collected:
    root = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return collect(root, patterns, caps or Caps())
    finally:
        os.close(root)


def paths(found: Collected) -> list[str]:
    return [file.path for file in found.files]


def test_patterns_name_files_at_any_depth(work: Path) -> None:
    for path in ("a.txt", "b.png", "out/c.txt", "out/deep/er/d.txt"):
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_text(path)
    assert paths(brought(work, "*.txt")) == ["a.txt"]
    assert paths(brought(work, "**/*.txt")) == ["a.txt", "out/c.txt", "out/deep/er/d.txt"]
    assert paths(brought(work, "out/**")) == ["out/c.txt", "out/deep/er/d.txt"]
    assert paths(brought(work, "out/*", "b.png")) == ["b.png", "out/c.txt"]
    assert paths(brought(work, "**/**/er/?.txt")) == ["out/deep/er/d.txt"]
    assert brought(work, "a.txt").files == (File("a.txt", b"a.txt"),)


@pytest.mark.parametrize(
    "pattern", ["", "/etc/passwd", "../secret", "a/../../x", "a//b", "a\0b", "."]
)
def test_a_pattern_that_leads_out_is_refused(work: Path, pattern: str) -> None:
    with pytest.raises(InvalidArgument, match="names below the workspace"):
        brought(work, pattern)


def test_too_many_and_too_long_patterns_are_refused(work: Path) -> None:
    with pytest.raises(InvalidArgument, match="at most 64 patterns"):
        brought(work, *(f"{number}" for number in range(65)))
    with pytest.raises(InvalidArgument, match="at most 1024 characters"):
        brought(work, "x" * 1_025)


def test_symbolic_links_are_told_and_never_followed(work: Path) -> None:
    (work / "file").symlink_to(work.parent / "secret")
    (work / "folder").symlink_to(work.parent)
    (work / "magic").symlink_to("/proc/self/root")
    (work / "loop").symlink_to("loop")
    found = brought(work, "**", "folder/secret", "file")
    assert found.files == ()
    assert {reason.split(":")[0] for reason in found.not_collected} == {
        "file", "folder", "loop", "magic"
    }  # fmt: skip
    assert all("symbolic link" in reason for reason in found.not_collected)


def test_a_second_name_of_a_secret_is_refused(work: Path) -> None:
    os.link(work.parent / "secret", work / "result.txt")
    found = brought(work, "result.txt")
    assert found.files == ()
    assert found.not_collected == ("result.txt: has another name somewhere (a hard link)",)


def test_pipes_sockets_and_devices_are_not_opened(work: Path) -> None:
    os.mkfifo(work / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(work / "socket"))
        found = brought(work, "*")
    assert found.files == ()
    assert found.not_collected[0].endswith("not a regular file")
    assert len(found.not_collected) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_not_read(work: Path) -> None:
    os.mknod(work / "zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    assert brought(work, "zero").not_collected == ("zero: a device, not a regular file",)


def test_a_file_of_a_terabyte_of_holes_is_refused_by_its_size(work: Path) -> None:
    with (work / "holes").open("wb") as file:
        file.truncate(1 << 40)
    assert "1,099,511,627,776 bytes" in brought(work, "holes").not_collected[0]


def test_sizes_are_capped_by_file_and_in_all(work: Path) -> None:
    (work / "big").write_bytes(b"x" * 101)
    for name in "abc":
        (work / name).write_bytes(b"x" * 100)
    found = brought(work, "a", "b", "c", "big", caps=SMALL)
    assert paths(found) == ["a", "b"]
    assert "at most 100 a file" in found.not_collected[0]
    assert "beyond 250 in all" in found.not_collected[1]


def test_a_crowd_of_files_is_cut_off_and_cannot_hide_one_asked_for_by_name(work: Path) -> None:
    for number in range(500):
        (work / f"{number:03}.txt").touch()
    (work / "result").write_bytes(b"here")
    found = brought(work, "*.txt", "result", caps=SMALL)
    assert len(found.files) <= SMALL.files
    assert File("result", b"here") in found.files
    assert "*: more than 20 entries; the rest was not looked at" in found.not_collected


def test_folders_are_entered_to_a_depth_only(work: Path) -> None:
    deep = work / "a/b/c/d/e"
    deep.mkdir(parents=True)
    (work / "a/b/c/near").touch()
    (deep / "far").touch()
    found = brought(work, "**", caps=SMALL)
    assert paths(found) == ["a/b/c/near"]
    assert found.not_collected == ("a/b/c/d: more than 3 folders deep",)


def test_a_tree_deeper_than_a_path_can_be_long_is_survived(work: Path) -> None:
    here = os.open(work, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    found = brought(work, "**")
    assert found.files == ()
    assert len(found.not_collected) == 1
    assert "its path is longer than 1,024 bytes" in found.not_collected[0]
    _remove(work)


def _remove(work: Path) -> None:
    """Step by step upward: the standard library's own removal recurses too deep."""
    here = os.open(work, os.O_RDONLY)
    opened = [here]
    while names := os.listdir(opened[-1]):
        opened.append(os.open(names[0], os.O_RDONLY, dir_fd=opened[-1]))
    for above, below in zip(opened[-2::-1], opened[:0:-1], strict=True):
        os.close(below)
        os.rmdir("d" * 200, dir_fd=above)
    os.close(here)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"a\nb", "control characters"),
        (b"\x1b[31mred", "control characters"),
        ("left\u202egpj.exe".encode(), "control characters"),
        ("line\u2028end".encode(), "control characters"),
        (b"x" * 61, "longer than 60 bytes"),
    ],
)
def test_names_that_lie_to_a_terminal_are_refused_and_shown_escaped(
    work: Path, name: bytes, why: str
) -> None:
    (Path(os.fsdecode(os.fsencode(work) + b"/" + name))).touch()
    found = brought(work, "*", caps=SMALL)
    assert found.files == ()
    assert why in found.not_collected[0]
    assert found.not_collected[0].isprintable()


def test_ordinary_names_of_all_scripts_come_back(work: Path) -> None:
    names = ["ein Brief.txt", "übung.txt", "報告.csv", "-rf", "family👨‍👩‍👧.png"]
    for name in names:
        (work / name).touch()
    assert paths(brought(work, "*")) == sorted(names)


def test_what_was_asked_for_by_name_and_is_missing_is_told(work: Path) -> None:
    (work / "out").mkdir()
    found = brought(work, "result.txt", "out/x.txt", "gone/y.txt", "*/z.txt", "*.png", "out")
    assert set(found.not_collected) == {
        "result.txt: there is no such file",
        "out/x.txt: there is no such file",
        "gone/y.txt: there is no such file",
        "out: a folder, not a regular file",
    }


def test_reasons_are_bounded(work: Path) -> None:
    for number in range(REASONS_MAX + 30):
        (work / f"{number}").symlink_to("/etc/passwd")
    found = brought(work, "*")
    assert len(found.not_collected) == REASONS_MAX + 1
    assert found.not_collected[-1] == "...: and 30 more"


@pytest.mark.parametrize("flags", [0, os.O_DIRECTORY])
def test_what_became_a_link_after_it_was_looked_at_is_not_opened(work: Path, flags: int) -> None:
    (work / "link").symlink_to(work.parent if flags else work.parent / "secret")
    root = os.open(work, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match=r"Too many levels|Not a directory"):
            os.close(beneath.open_beneath(root, "link", flags))
    finally:
        os.close(root)


def test_a_link_swapped_in_while_collecting_never_gives_the_secret(work: Path) -> None:
    """The program still runs and trades the file for a link between look and open."""
    over = threading.Event()
    (work / "plain").write_bytes(b"plain")
    (work / "link").symlink_to(work.parent / "secret")

    def trade() -> None:
        while not over.is_set():
            for one in ("plain", "link"):
                os.link(work / one, work / "next", follow_symlinks=False)
                (work / "next").rename(work / "result")

    trader = threading.Thread(target=trade)
    trader.start()
    try:
        seen = [brought(work, "result") for _ in range(300)]
    finally:
        over.set()
        trader.join()
    assert all(file.data != SECRET for found in seen for file in found.files)
    assert all(found.files or found.not_collected for found in seen)


def test_a_folder_swapped_for_a_link_while_collecting_leads_nowhere(work: Path) -> None:
    over = threading.Event()
    (work / "real").mkdir()
    (work / "real" / "secret").write_bytes(b"mine")
    (work / "link").symlink_to(work.parent)

    def trade() -> None:
        while not over.is_set():
            for one in ("real", "link"):
                (work / one).rename(work / "folder")
                (work / "folder").rename(work / one)

    trader = threading.Thread(target=trade)
    trader.start()
    try:
        seen = [brought(work, "folder/secret") for _ in range(300)]
    finally:
        over.set()
        trader.join()
    assert {file.data for found in seen for file in found.files} <= {b"mine"}


def test_a_bound_of_the_job_bounds_what_comes_back() -> None:
    caps = Caps.of(Bounds(files=7, disk_bytes=1_000))
    assert (caps.files, caps.file_bytes, caps.total_bytes) == (7, 1_000, 1_000)
    assert Caps.of(Bounds()).file_bytes == Caps().file_bytes
