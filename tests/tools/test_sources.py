"""Where tools come from: functions, commands with a manifest, installed packages."""

import asyncio
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from aios.errors import Denied, InvalidArgument, NotFound
from aios.kernel.tools.sources import ways
from aios.sandbox.base import Bounds, Egress, File, Job, Outcome, Whose
from aios.sdk import tool
from aios.syscalls.base import Syscall
from aios.syscalls.file import FileData, FileInfo, ReadFile, WriteFile
from aios.syscalls.tool import AddServer, FileRef, Json, Text
from aios.tools import packages
from aios.tools.base import Ran, Tool, Touch
from aios.tools.commands import Commands
from aios.tools.functions import THREADS, Functions
from aios.tools.manifest import read_manifest
from tests.tools.played import PlayedSandbox, ended

MANIFEST = b"""
[grep]
description = "Find lines."
argv = ["grep", ["-m", "{most}"], "-e={pattern}", "--", "{pattern}", "{paths}"]
files = ["{paths}"]
reads = ["file:{paths}"]
repeatable = true
timeout_s = 7
[grep.parameters]
required = ["pattern"]
properties.pattern = { type = "string" }
properties.paths = { type = "array", items = { type = "string" } }
properties.most = { type = "integer" }

[render]
description = "Make a picture."
argv = ["render", "{name}"]
stdin = "{name}"
collect = ["*.txt"]
output = "json"
network = ["example.org:443"]
secrets = ["KEY"]
[render.parameters]
properties.name = { type = "string" }
"""


class Caller:
    """An `Outside` with files and a secret."""

    pid = 1
    agent = "init"
    key = ""

    def __init__(self) -> None:
        self.files = {"a.txt": b"one", "b.txt": b"two"}

    async def call(self, call: Syscall[Any]) -> Any:
        if isinstance(call, ReadFile):
            data = self.files[call.path]
            return FileData(data=data, version=1, total_bytes=len(data))
        assert isinstance(call, WriteFile)
        self.files[call.path] = call.data
        return FileInfo

    def secret(self, name: str) -> str:
        return f"the {name}"


def of_manifest(sandbox: PlayedSandbox) -> dict[str, Tool]:
    commands = Commands("text", read_manifest(MANIFEST, "here"), sandbox)
    return {one.info.name: one for one in asyncio.run(commands.tools())}


def ran(one: Tool, caller: Caller, **arguments: Any) -> Ran:
    result: object = asyncio.run(one.run(arguments, caller))  # type: ignore[arg-type]
    assert isinstance(result, Ran)
    return result


def test_a_function_brings_its_schema_and_its_terms() -> None:
    @tool(reads="file:{path}", writes=("log",), exclusive="printer", repeatable=True, retries=2)
    def print_file(path: str) -> str:
        """Print a file."""
        return path

    made = asyncio.run(Functions([print_file]).tools())[0]
    assert made.info.name == "local/print_file"
    assert made.info.description == "Print a file."
    assert made.terms.touches == (
        Touch("file:{path}", "read"), Touch("log", "write"), Touch("printer", "write"),
    )  # fmt: skip
    assert (made.terms.repeatable, made.terms.retries) == (True, 2)
    assert made.terms.instances == THREADS


def test_what_a_function_gives_becomes_contents_and_what_is_no_data_is_refused() -> None:
    @tool(inline=True)
    def give(what: str) -> Any:
        values = {"text": "a", "data": {"n": [1]}, "none": None, "own": [Text("x"), Json(1)]}
        return values.get(what, object())

    made = asyncio.run(Functions([give]).tools())[0]

    def given(what: str) -> Any:
        return asyncio.run(made.run({"what": what}, Caller()))  # type: ignore[arg-type]

    assert given("text") == (Text("a"),)
    assert given("data") == (Json({"n": [1]}),)
    assert given("none") == (Json(None),)
    assert given("own") == (Text("x"), Json(1))
    with pytest.raises(InvalidArgument, match="no data"):
        given("odd")


def test_a_touch_of_what_is_no_parameter_is_refused_at_once() -> None:
    @tool(writes="file:{pth}")
    def write(path: str) -> str:
        return path

    with pytest.raises(InvalidArgument, match=r"one of \['path'\]"):
        Functions([write])


def test_a_command_is_one_job_with_the_arguments_in_their_places() -> None:
    sandbox, caller = PlayedSandbox(), Caller()
    grep = of_manifest(sandbox)["text/grep"]
    found = ran(grep, caller, pattern="-x", paths=["a.txt", "b.txt"])
    assert sandbox.jobs[-1] == Job(
        argv=("grep", "-e=-x", "--", "-x", "a.txt", "b.txt"),
        files=(File("a.txt", b"one"), File("b.txt", b"two")),
        bounds=Bounds(wall_s=7, cpu_s=7),
        whose=Whose("init", 1, "text/grep"),
    )
    assert found.contents == (Text("grep\n-e=-x\n--\n-x\na.txt\nb.txt"),)
    assert found.sandbox == "played"
    ran(grep, caller, pattern="x", most=3)
    assert sandbox.jobs[-1].argv == ("grep", "-m", "3", "-e=x", "--", "x")
    assert grep.info.parameters["additionalProperties"] is False
    assert grep.info.source == "text/grep"


def test_a_value_that_would_be_an_option_is_refused_and_so_is_nul() -> None:
    render = of_manifest(PlayedSandbox())["text/render"]
    with pytest.raises(InvalidArgument, match="would be an option"):
        ran(render, Caller(), name="--output=/etc/passwd")
    with pytest.raises(InvalidArgument, match="NUL"):
        ran(render, Caller(), name="a\0b")


def test_what_a_command_leaves_is_kept_and_its_secrets_and_network_are_those_declared() -> None:
    def play(job: Job) -> Outcome:
        made = ended(b'{"pages": 2}')
        return Outcome(
            ended=made.ended, code=0, stdout=made.stdout, stderr=b"", tier="played", wall_s=0.1,
            files=(File("out.txt", b"picture"),), not_collected=("big.txt: too large",),
        )  # fmt: skip

    sandbox, caller = PlayedSandbox(play), Caller()
    result = ran(of_manifest(sandbox)["text/render"], caller, name="x")
    assert result.contents == (Json({"pages": 2}), FileRef("out.txt", 7))
    assert result.remarks == ("not kept: big.txt: too large",)
    assert caller.files["out.txt"] == b"picture"
    job = sandbox.jobs[0]
    assert (job.environment, job.egress, job.stdin) == (
        {"KEY": "the KEY"}, Egress(("example.org:443",)), b"x",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (ended(b"half", code=2, stderr=b"no such file\n"), "it exited with status 2: no such file"),
        (ended(b"", code=1), "it exited with status 1"),
        (
            Outcome(ended="timeout", code=9, stdout=b"", stderr=b"", tier="played", wall_s=7.0),
            "it was ended at its time limit",
        ),
    ],
)
def test_a_command_that_fails_says_how(outcome: Outcome, told: str) -> None:
    result = ran(
        of_manifest(PlayedSandbox(lambda job: outcome))["text/grep"], Caller(), pattern="x"
    )
    assert (result.is_error, result.contents) == (True, (Text(told),))


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (b"", "a table for each tool, got none"),
        (b"[x", "expected TOML"),
        (b"\xff", "expected TOML"),
        (b"[x]\nargv = ['a']", "missing required field `description`"),
        (b"[x]\ndescription = ''\nargv = []", "length >= 1"),
        (b"[x]\ndescription = ''\nargv = ['a']\nsandbox = false", "unknown field `sandbox`"),
        (b"[x]\ndescription = ''\nargv = ['{a}']", "a parameter in braces"),
    ],
)
def test_a_manifest_that_is_none_says_where(manifest: bytes, told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        Commands("x", read_manifest(manifest, "here"), PlayedSandbox())


def test_commands_are_added_by_a_file_and_never_without_a_sandbox(tmp_path: Path) -> None:
    place = tmp_path / "tools.toml"
    place.write_bytes(MANIFEST)
    call = AddServer(name="text", manifest=str(place))
    source = asyncio.run(_by(call, "manifest", PlayedSandbox()))
    assert len(asyncio.run(source.tools())) == 2
    with pytest.raises(Denied, match="in a sandbox only"):
        asyncio.run(_by(call, "manifest", None))
    with pytest.raises(Denied):
        asyncio.run(
            _by(AddServer(name="t", manifest="x", sandboxed=False), "manifest", PlayedSandbox())
        )
    with pytest.raises(InvalidArgument, match="expected a manifest"):
        asyncio.run(_by(AddServer(name="t", manifest="/nowhere"), "manifest", PlayedSandbox()))


async def _by(call: AddServer, way: str, sandbox: PlayedSandbox | None) -> Any:
    return await ways(sandbox)[way](call)


@tool
def of_a_package() -> str:
    """Comes with a package."""
    return "hello"


TOOLS = [of_a_package]
NOT_TOOLS = 5


def test_a_package_is_taken_by_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {
        name: EntryPoint(name, f"{__name__}:{value}", packages.GROUP)
        for name, value in {"good": "TOOLS", "bad": "NOT_TOOLS", "gone": "MISSING"}.items()
    }
    monkeypatch.setattr(packages, "installed", lambda: there)
    source = packages.load("good", "server")
    assert [one.info.name for one in asyncio.run(source.tools())] == ["server/of_a_package"]
    with pytest.raises(NotFound, match="no entry point 'other'"):
        packages.load("other", "server")
    with pytest.raises(InvalidArgument, match="expected a list of tools"):
        packages.load("bad", "server")
    with pytest.raises(InvalidArgument, match="cannot be imported"):
        packages.load("gone", "server")
