"""Files, searching them, and notes: each agent's own, as its own."""

import asyncio
from pathlib import Path

import pytest

from aios.syscalls.file import ReadFile, Versions, WriteFile
from aios.syscalls.tool import CallTool, CallTools
from tests.tools.builtin.house import House, lived


def test_what_is_written_is_read_listed_and_kept_as_versions(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        assert await house.said("files_write", path="a/plan.md", text="one") == (
            "a/plan.md: 3 bytes, version 1"
        )
        await house.said("files_write", path="a/plan.md", text=" and two", append=True)
        assert await house.said("files_read", path="a/plan.md") == "one and two"
        await house.said("files_edit", path="a/plan.md", old="two", new="three")
        assert await house.said("files_list", deep=True) == ("a/\na/plan.md  13 bytes, version 3")
        versions = await house.do(Versions(path="a/plan.md"))
        assert len(versions.versions) == 3

    lived(tmp_path, main)


def test_another_agent_sees_none_of_it(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        await house.said("files_write", path="secret.txt", text="mine")
        assert await house.said("files_list", "bob") == "(empty)"
        missing = await house.call("files_read", "bob", path="secret.txt")
        assert missing.is_error
        assert "not_found" in missing.text

    lived(tmp_path, main)


@pytest.mark.parametrize("path", ["../ann/x", "/etc/passwd", "a/../../x", "a\0b"])
def test_no_path_leads_out(tmp_path: Path, path: str) -> None:
    async def main(house: House) -> None:
        assert (await house.call("files_read", path=path)).is_error
        assert (await house.call("files_write", path=path, text="x")).is_error

    lived(tmp_path, main)


def test_long_and_binary_files_are_told_as_such(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        await house.said("files_write", path="long", text="äö" * 100)
        part = await house.said("files_read", path="long", bytes=9)
        assert part == "äöäö\n[bytes 0 to 8 of 400; read on at offset 8]"
        rest = await house.said("files_read", path="long", offset=8, bytes=5)
        assert rest.startswith("äö")
        await house.do(WriteFile(path="bin", data=b"\xff\xfe\x00"))
        assert "it is binary" in (await house.call("files_read", path="bin")).text

    lived(tmp_path, main)


def test_moved_and_deleted_things_are_where_they_should_be(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        await house.said("files_write", path="old", text="x")
        assert await house.said("files_move", path="old", to="new") == "moved to new"
        assert "in the bin" in await house.said("files_delete", path="new")
        assert await house.said("files_list") == "(empty)"

    lived(tmp_path, main)


def test_calls_on_one_file_in_a_batch_keep_their_order(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        calls = tuple(
            CallTool(
                name="aios/files_write",
                arguments=f'{{"path": "log", "text": "{n} ", "append": true}}',
            )
            for n in range(10)
        )
        await house.do(CallTools(calls=calls))
        assert (await house.do(ReadFile(path="log"))).data == b"0 1 2 3 4 5 6 7 8 9 "

    lived(tmp_path, main)


def test_files_are_found_by_what_is_in_them(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        await house.said("files_write", path="soup.txt", text="a recipe for tomato soup")
        await house.said("files_write", path="car.txt", text="how to change a tyre")
        async with asyncio.timeout(10):
            while "pending" in (found := await house.said("search", query="tomato", limit=1)) or (  # noqa: ASYNC110 - another program's doing
                "soup.txt" not in found
            ):
                await asyncio.sleep(0.02)
        assert found.startswith("soup.txt\n")
        assert "soup" not in await house.said("search", "bob", query="tomato")

    lived(tmp_path, main)


def test_notes_are_remembered_changed_and_forgotten(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        made = await house.said("notes_add", text="Ann likes tea.", tags=["food"])
        number = made.removeprefix("remembered as ")
        await house.said("notes_update", id=number, text="Ann likes coffee.")
        assert await house.said("notes_search") == f"{number} (food): Ann likes coffee."
        assert await house.said("notes_search", "bob") == "nothing is remembered"
        await house.said("notes_remove", id=number)
        assert await house.said("notes_search", tags=["food"]) == "nothing is remembered"

    lived(tmp_path, main)
