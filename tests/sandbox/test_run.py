"""A job runs as it was told to, alone with what it was given, and its outcome is the truth."""

import os
from pathlib import Path

import pytest

from aios.errors import Denied, InvalidArgument
from aios.sandbox.base import Bounds, File, Job
from tests.sandbox.house import House, bounded


def test_a_python_job_says_what_it_prints_and_how_it_ended(house: House) -> None:
    done = house.python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (done.ended, done.code) == ("exited", 3)
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")
    assert done.tier == house.tier


def test_a_command_runs_with_its_arguments_and_its_stdin(house: House) -> None:
    done = house.run(Job(argv=("sh", "-c", 'cat; echo "$1"', "sh", "a b"), stdin=b"in\n"))
    assert (done.ended, done.code, done.stdout) == ("exited", 0, b"in\na b\n")


def test_stdin_of_a_python_job_is_given_and_ends(house: House) -> None:
    done = house.run(Job(python="import sys; print(len(sys.stdin.read()))", stdin=b"x" * 300_000))
    assert done.stdout == b"300000\n"


def test_stdin_is_at_its_end_where_none_is_given(house: House) -> None:
    assert house.python("print(repr(input()))").stderr.splitlines()[-1].startswith(b"EOFError")
    assert house.shell("cat; echo end").stdout == b"end\n"


def test_a_traceback_shows_the_programs_own_lines_alone(house: House) -> None:
    told = house.python("def f():\n    return 1 / 0\nf()\n").stderr.decode()
    assert "return 1 / 0" in told
    assert "worker" not in told
    assert "<string>" not in told


def test_a_command_that_is_not_there_is_told_as_a_shell_tells_it(house: House) -> None:
    done = house.run(Job(argv=("no-such-program",)))
    assert (done.ended, done.code) == ("exited", 127)
    assert b"no-such-program" in done.stderr


def test_the_end_by_a_signal_names_the_signal(house: House) -> None:
    done = house.shell("kill -TERM $$")
    assert (done.ended, done.code) == ("signalled", 15)


def test_nothing_of_the_callers_environment_is_inherited(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOS_TOKEN", "secret")
    done = house.run(Job(argv=("env",), environment={"MINE": "1"}))
    names = {line.split(b"=")[0] for line in done.stdout.splitlines()}
    assert b"MINE" in names
    assert names <= {b"MINE", b"PATH", b"LANG", b"HOME", b"TMPDIR", b"PWD", b"LD_LIBRARY_PATH"}


def test_files_are_there_and_the_ones_asked_for_come_back(house: House) -> None:
    source = "data = open('in/a.txt').read()\nopen('out.txt', 'w').write(data * 2)\n"
    job = Job(python=source, files=(File("in/a.txt", b"ab"),), collect=("*.txt", "none"))
    done = house.run(job)
    assert done.files == (File("out.txt", b"abab"),)
    assert done.not_collected == ("none: there is no such file",)


def test_every_job_begins_in_an_empty_workspace(house: House) -> None:
    for _ in range(4):
        assert house.shell("ls -A; echo x > left; ls /tmp | grep -c left").stdout == b"0\n"


def test_packages_of_the_machines_python_can_be_imported(house: House) -> None:
    assert house.python("import msgspec; print('ok')").stdout == b"ok\n"


def test_a_program_that_forks_ends_once(house: House) -> None:
    done = house.python("import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)\nprint('x')")
    assert done.stdout == b"x\nx\n"


@pytest.mark.parametrize(
    "job",
    [
        Job(),
        Job(argv=("a",), python="b"),
        Job(python="x", files=(File("../out", b""),)),
        Job(python="x", files=(File("/etc/x", b""),)),
        Job(python="x", files=(File("a/\0", b""),)),
        Job(python="x", files=(File("a", b"12"),), bounds=Bounds(disk_bytes=1)),
        Job(python="\ud800"),
        Job(argv=("a\0b",)),
        Job(python="x", environment={"A=B": "c"}),
        Job(python="x", bounds=Bounds(wall_s=0)),
    ],
)
def test_what_no_sandbox_could_do_is_refused_before_one_is_made(house: House, job: Job) -> None:
    with pytest.raises(InvalidArgument, match="expected"):
        house.run(job)


def test_a_folder_of_the_machine_is_the_workspace_where_the_tier_can(
    house: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("shared")
    (folder / "in").write_text("hello")
    job = Job(argv=("sh", "-c", "cat in; echo kept > out"), folder=folder, collect=("out",))
    if house.tier == "landlock" and os.getuid() == 0:
        with pytest.raises(Denied, match="folder"):
            house.run(job)
        return
    done = house.run(job)
    assert done.stdout == b"hello"
    assert (folder / "out").read_text() == "kept\n"
    assert done.files == (File("out", b"kept\n"),)


def test_more_of_the_machine_can_be_read_but_never_written(
    house: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("library")
    (folder / "book").write_text("text")
    for above in (folder, folder.parent):
        above.chmod(0o755)
    line = f"cat {folder}/book; echo x > {folder}/new || echo refused"
    done = house.run(Job(argv=("sh", "-c", line), readable=(folder,), bounds=bounded()))
    if house.tier == "bubblewrap":
        assert done.stdout == b"textrefused\n"
    assert not (folder / "new").exists()


def test_a_path_that_is_not_there_cannot_be_shown(house: House) -> None:
    with pytest.raises(InvalidArgument, match="No such file"):
        house.run(Job(python="x", readable=(Path("/no/such"),)))
