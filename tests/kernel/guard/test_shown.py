"""What a human is asked to allow can be seen: in the list each part of it, in full everything."""

import asyncio
import json
from pathlib import Path

from aios.syscalls.tool import CallTool
from tests.kernel.guard.yes_house import Till, shop

LONG = "lunch " * 1_000


def hiding(to: str) -> dict[str, str]:
    """A name in the middle of much."""
    return {"memo": LONG, "to": to, "memo2": LONG}


def test_a_name_between_long_texts_is_shown_and_in_full_everything(tmp_path: Path) -> None:
    async def main() -> None:
        async with shop(tmp_path, Till().tools()) as (human, ada):
            asking = asyncio.ensure_future(ada.tools.call("local/pay", hiding("mallory")))
            (one,) = await human.asked()
            shown = json.loads(one.arguments)["arguments"]
            assert shown["to"] == "mallory"
            assert f"of {len(LONG)} characters left out" in shown["memo2"]
            full = await human.client.approvals.show(one.id)
            assert json.loads(full.arguments)["arguments"] == hiding("mallory")
            await human.client.approvals.answer(one.id, one.digest, False)
            await asyncio.wait([asking])
            assert asking.exception() is not None

    asyncio.run(main())


def test_so_is_each_part_of_a_batch_over_a_restart_too(tmp_path: Path) -> None:
    calls = [CallTool(name="local/pay", arguments=json.dumps(hiding(f"m{n}"))) for n in range(20)]

    async def main() -> None:
        async with shop(tmp_path, Till().tools()) as (human, ada):
            asking = asyncio.ensure_future(ada.tools.batch(calls))
            (one,) = await human.asked()
            parts = json.loads(one.arguments)["calls"]
            assert [part["arguments"]["to"] for part in parts] == [f"m{n}" for n in range(20)]
        await asyncio.wait([asking])
        assert asking.exception() is not None
        async with shop(tmp_path, Till().tools()) as (human, ada):
            full = json.loads((await human.client.approvals.show(one.id)).arguments)["calls"]
            assert [part["arguments"] for part in full] == [hiding(f"m{n}") for n in range(20)]

    asyncio.run(main())


def test_what_was_kept_of_a_question_goes_when_it_is_over(tmp_path: Path) -> None:
    async def main() -> None:
        till = Till()
        async with shop(tmp_path, till.tools()) as (human, ada):
            asking = asyncio.ensure_future(ada.tools.call("local/pay", hiding("ann")))
            await human.says_yes()
            await asking
            full = await human.client.approvals.show(1)
            assert "characters left out" in full.arguments

    asyncio.run(main())
