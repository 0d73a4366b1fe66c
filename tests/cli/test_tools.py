"""`aios tools show`: all that a hash covers, for whoever is to accept it."""

import asyncio

import pytest

from aios.cli import tools
from aios.cli.remote import Form
from aios.testing.journal import InlineJournal
from aios.tools.base import Terms, Touch
from tests.kernel.tool_house import Changing, far, given
from tests.server.house import house, lived


def test_a_definition_is_shown_whole_and_what_changed_since_it_was_accepted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        source = Changing("far", far("far/say"))
        async with house(journal=InlineJournal(), tools=given(source)) as home:
            monkeypatch.setenv("AIOS_TOKEN", home.kernel.token)

            async def told() -> list[str]:
                await asyncio.to_thread(tools.show_, "far/say", Form.TABLE, home.url)
                return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

            ready = await told()
            assert ready[0] == "far/say is ready"
            pin = ready[1].removeprefix("hash ")
            assert ready[2] == f"accepted {pin}"
            assert {'description "as it was"', "terms.timeout_s 300.0"} <= set(ready)
            terms = Terms(touches=(Touch("file:a", "write"),))
            source.offered = (far("far/say", "sends\x1b[2J mail", terms),)
            changed = await told()
            assert changed[0] == "far/say is changed"
            assert changed[2] == f"accepted {pin}"
            assert changed[-3] == "CHANGED ACCEPTED NOW"
            assert changed[-2] == 'description "as it was" "sends\\u001b[2J mail"'
            assert changed[-1] == 'terms.touches [] [{"mode": "write", "resource": "file:a"}]'

    lived(main)
