"""Who answers for others: an approver does, and not for its own tree."""

import asyncio
from pathlib import Path

import pytest

from aios.access.policy import PERSONAL, STRICT, Policy
from aios.errors import Denied
from tests.kernel.guard.yes_house import Till, shop

APPROVER = ("agent", "approver")


@pytest.mark.parametrize("policy", [PERSONAL, STRICT])
def test_an_approvers_answer_is_not_itself_a_question(tmp_path: Path, policy: Policy) -> None:
    async def main() -> None:
        till = Till()
        async with shop(tmp_path, till.tools(), policy) as (human, ada):
            boss = human.client.of(await human.client.spawn("boss", groups=APPROVER))
            paying = asyncio.ensure_future(ada.tools.call("local/pay", {"to": "ann"}))
            (one,) = await human.asked()
            async with asyncio.timeout(5):
                await boss.approvals.answer(one.id, one.digest, True)
                await paying
            assert till.paid == ["ann"]

    asyncio.run(main())


def test_an_approver_answers_for_nobody_below_or_above_it(tmp_path: Path) -> None:
    async def main() -> None:
        till = Till()
        async with shop(tmp_path, till.tools()) as (human, _):
            first = human.client
            boss = first.of(await first.spawn("boss", groups=APPROVER))
            helper = boss.of(await boss.spawn("helper"))
            for count, (asker, answerer) in enumerate(
                [(helper, boss), (boss, helper), (boss, boss)]
            ):
                call = asker.tools.call("local/pay", {"to": str(count)})
                asking = asyncio.ensure_future(call)
                one = (await human.asked())[-1]
                with pytest.raises(Denied, match="does not work"):
                    await answerer.approvals.answer(one.id, one.digest, True)
                await first.approvals.answer(one.id, one.digest, True)
                await asking

    asyncio.run(main())
