"""Python and a shell: sandboxed, each agent's own, and what a shell changed comes back."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from aios.kernel.hands import open_hands
from aios.sandbox.base import Bounds, File, Job, Outcome, Whose
from aios.syscalls.file import ReadFile, Versions, WriteFile
from aios.tools.builtin import python
from aios.tools.builtin.python import Sessions
from tests.tools.builtin.house import House, house
from tests.tools.played import PlayedSandbox, ended


def sandboxed(folder: Path, main: Callable[[House], Awaitable[None]]) -> None:
    async def body() -> None:
        async with open_hands() as hands:
            assert hands.sandbox is not None, hands.why
            async with house(folder, host=hands.sandbox) as one:
                await main(one)

    asyncio.run(body())


def test_variables_stay_for_an_agent_and_are_its_own(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        await house.said("python", code="x = 20\nimport math")
        result = await house.call("python", code="print('hi')\nx + math.floor(22.5)")
        assert (result.text, result.sandbox) == ("hi\n42", "bubblewrap")
        other = await house.call("python", "bob", code="x")
        assert other.is_error
        assert "NameError: name 'x' is not defined" in other.text

    sandboxed(tmp_path, main)


def test_an_error_is_told_and_the_variables_stay(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        wrong = await house.call("python", code="y = 1\n1 / 0")
        assert wrong.is_error
        assert "ZeroDivisionError" in wrong.text
        assert await house.said("python", code="y") == "1"

    sandboxed(tmp_path, main)


def test_code_past_its_time_ends_and_the_next_call_begins_anew(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        await house.said("python", code="z = 1")
        late = await house.call("python", code="while True: pass", seconds=1)
        assert late.is_error
        assert "ended at its time limit" in late.text
        assert late.remarks == ("the session ended with this call: its variables are gone",)
        assert "NameError" in (await house.call("python", code="z")).text

    sandboxed(tmp_path, main)


def test_python_reaches_no_network_and_no_file_of_the_machine(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        code = "import socket; socket.create_connection(('1.1.1.1', 53), 1)"
        assert (await house.call("python", code=code)).is_error
        secret = tmp_path / "secret"
        await asyncio.to_thread(secret.write_text, "x")
        assert (await house.call("python", code=f"open({str(secret)!r}).read()")).is_error

    sandboxed(tmp_path, main)


def test_what_a_shell_changes_is_a_new_version_and_what_it_makes_is_there(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        await house.said("files_write", path="a/data.csv", text="1\n2\n3\n")
        result = await house.call(
            "shell", command="wc -l < a/data.csv; sed -i s/2/5/ a/data.csv; echo new > b.txt"
        )
        assert result.contents[0].text == "3"  # type: ignore[union-attr]
        assert {one.path for one in result.contents[1:]} == {"a/data.csv", "b.txt"}  # type: ignore[union-attr]
        assert await house.said("files_read", path="a/data.csv") == "1\n5\n3\n"
        assert await house.said("files_read", path="b.txt") == "new\n"
        assert len((await house.do(Versions(path="a/data.csv"))).versions) == 2
        assert await house.said("files_list", "bob") == "(empty)"

    sandboxed(tmp_path, main)


def test_a_shell_deletes_nothing_and_says_so(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        await house.said("files_write", path="keep", text="x")
        result = await house.call("shell", command="rm keep")
        assert result.remarks == ("still there: keep; only files_delete deletes your files",)
        assert await house.said("files_read", path="keep") == "x"

    sandboxed(tmp_path, main)


def test_a_link_that_a_shell_makes_brings_nothing_in(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        result = await house.call("shell", command="ln -s /etc/passwd mine; echo done")
        assert "done" in result.text
        assert any("a symbolic link" in one for one in result.remarks)
        assert (await house.call("files_read", path="mine")).is_error

    sandboxed(tmp_path, main)


def test_a_folder_of_ones_own_is_all_that_a_shell_sees(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        await house.said("files_write", path="in/a", text="1")
        await house.said("files_write", path="out/b", text="2")
        assert await house.said("shell", command="ls", folder="in") == "a"
        await house.said("shell", command="echo 3 > c", folder="in")
        assert await house.said("files_read", path="in/c") == "3\n"

    sandboxed(tmp_path, main)


class Meddled(PlayedSandbox):
    """While a job runs, somebody writes."""

    def __init__(self, between: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._between = between

    async def run(self, job: Job) -> Outcome:
        await self._between()
        outcome = ended(b"")
        return msgspec.structs.replace(outcome, files=(File("shared", b"by the shell"),))


def test_a_file_that_another_changed_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    async def body() -> None:
        houses: list[House] = []

        async def between() -> None:
            await houses[0].do(WriteFile(path="shared", data=b"by the other"))

        sandbox = Meddled(between)
        async with house(tmp_path, host=sandbox) as one:  # type: ignore[arg-type]  # no sessions
            houses.append(one)
            await one.do(WriteFile(path="shared", data=b"before"))
            result = await one.call("shell", command="true")
            assert any(remark.startswith("not kept: shared") for remark in result.remarks)
            assert (await one.do(ReadFile(path="shared"))).data == b"by the other"

    asyncio.run(body())


class Talk:
    """A conversation that says its number."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_over = False

    async def run(self, code: str, wall_s: float | None = None) -> Outcome:
        return ended(str(self.number).encode())

    async def close(self) -> None:
        self.is_over = True


class Talks(PlayedSandbox):
    def __init__(self) -> None:
        super().__init__()
        self.made: list[Talk] = []

    async def session(self, bounds: Bounds, idle_s: float, whose: Whose) -> Talk:
        self.made.append(Talk(len(self.made)))
        return self.made[-1]


def test_the_session_used_longest_ago_makes_room() -> None:
    async def body() -> None:
        host = Talks()
        sessions = Sessions(host)  # type: ignore[arg-type]  # it serves nothing
        for agent in range(python.SESSIONS_MAX):
            await sessions.run(f"agent{agent}", "", 1.0)
        await sessions.run("agent0", "", 1.0)
        await sessions.run("newcomer", "", 1.0)
        assert [one.number for one in host.made if one.is_over] == [1]
        outcome, _ = await sessions.run("agent0", "", 1.0)
        assert outcome.stdout == b"0"
        await sessions.close()
        assert all(one.is_over for one in host.made)

    asyncio.run(body())
