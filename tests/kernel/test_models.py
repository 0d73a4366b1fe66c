"""Models that come and go while the kernel runs."""

import asyncio
import dataclasses
import random

import pytest

from aios.cores.base import Died
from aios.errors import Cancelled, CoreFailed, InvalidArgument, NotFound, ShuttingDown, WrongState
from aios.kernel.environment import Environment
from aios.kernel.invariants import violations
from aios.kernel.kernel import Kernel
from aios.scheduler import make
from aios.sdk import Client
from aios.syscalls import Generate
from aios.syscalls.model import AddModel
from aios.testing.cores import ScriptedCore
from aios.testing.loop import VirtualClock
from aios.testing.script import Script
from aios.testing.store import ScriptedStore
from tests.kernel.house import ask, lived, soon

SCRIPT = Script(answer_tokens=(40, 40))


def core(name: str) -> ScriptedCore:
    script = dataclasses.replace(SCRIPT, model=name, fingerprint=f"print of {name}")
    return ScriptedCore(script, clock=VirtualClock(), rng=random.Random(1), store=ScriptedStore())


class Engines:
    """Starts scripted engines, as fast as a test lets them."""

    def __init__(self) -> None:
        self.started: dict[str, ScriptedCore] = {}
        self.may_start = asyncio.Event()
        self.may_start.set()

    async def launch(self, call: AddModel, name: str) -> ScriptedCore:
        if call.source == "broken":
            raise InvalidArgument("no model in there")
        await self.may_start.wait()
        self.started[name] = core(name)
        return self.started[name]


def opened(engines: Engines) -> Kernel:
    given = Environment(clock=VirtualClock(), random=random.Random(1))
    return Kernel([core("first")], lambda: make("rr"), environment=given, launch=engines.launch)


def on(model: str, tokens: int = 40) -> Generate:
    return ask(tokens=tokens, model=model)


def test_a_model_that_was_added_is_listed_and_answers() -> None:
    async def main() -> None:
        engines = Engines()
        async with opened(engines) as kernel:
            client = Client(kernel, kernel.token)
            info = await client.add_model("models/second", device="cpu")
            assert info.name == "second"
            assert [one.name for one in (await client.models()).models] == ["first", "second"]
            assert (await client.call(on("second"))).model == "second"
            assert (await client.call(on(""))).model == "first"
            assert [one.number for one in (await client.stats()).cores] == [0, 1]
            assert violations(kernel) == []

    lived(main)


def test_calls_on_a_model_that_is_removed_fail_with_its_name_and_others_go_on() -> None:
    async def main() -> None:
        engines = Engines()
        async with opened(engines) as kernel:
            client = Client(kernel, kernel.token)
            await client.add_model("second")
            gone = asyncio.ensure_future(client.call(on("second")))
            stays = asyncio.ensure_future(client.call(on("first")))
            await soon(lambda: kernel.loops[1].tally.produced > 0)
            await client.remove_model("second")
            with pytest.raises(CoreFailed, match="'second' was removed"):
                await gone
            assert (await stays).model == "first"
            with pytest.raises(NotFound, match="second"):
                await client.call(on("second"))
            assert len(kernel.loops) == 1
            await client.add_model("second")
            assert (await client.call(on("second"))).model == "second"
            assert [one.number for one in (await client.stats()).cores] == [0, 2]
            assert violations(kernel) == []

    lived(main)


def test_the_default_model_stays_and_what_is_not_there_is_told() -> None:
    async def main() -> None:
        async with opened(Engines()) as kernel:
            client = Client(kernel, kernel.token)
            with pytest.raises(WrongState, match="default"):
                await client.remove_model("first")
            with pytest.raises(NotFound, match="first"):
                await client.remove_model("nix")

    lived(main)


def test_a_name_that_is_taken_and_a_source_that_is_none_are_refused() -> None:
    async def main() -> None:
        engines = Engines()
        async with opened(engines) as kernel:
            client = Client(kernel, kernel.token)
            for source, name in (("x/first", ""), ("http://host/v1", "x"), ("broken", "")):
                with pytest.raises(InvalidArgument):
                    await client.add_model(source, name)
            engines.may_start.clear()
            one = asyncio.ensure_future(client.add_model("second"))
            await asyncio.sleep(0.01)
            with pytest.raises(InvalidArgument, match="already"):
                await client.add_model("elsewhere/second")
            engines.may_start.set()
            assert (await one).name == "second"
            assert kernel.models == ("first", "second")

    lived(main)


def test_who_goes_away_while_an_engine_starts_leaves_nothing_behind() -> None:
    async def main() -> None:
        engines = Engines()
        async with opened(engines) as kernel:
            client = Client(kernel, kernel.token)
            engines.may_start.clear()
            task = asyncio.ensure_future(client.add_model("second"))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises((asyncio.CancelledError, Cancelled)):
                await task
            engines.may_start.set()
            assert kernel.models == ("first",)
            assert (await client.add_model("second")).name == "second"

    lived(main)


def test_a_kernel_that_stops_does_not_wait_for_an_engine() -> None:
    async def main() -> None:
        engines = Engines()
        engines.may_start.clear()
        kernel = opened(engines)
        async with kernel:
            task = asyncio.ensure_future(Client(kernel, kernel.token).add_model("second"))
            await asyncio.sleep(0.01)
        with pytest.raises(ShuttingDown):
            await task

    lived(main)


def test_a_kernel_that_can_start_no_engine_says_so() -> None:
    async def main() -> None:
        given = Environment(clock=VirtualClock(), random=random.Random(1))
        async with Kernel([core("first")], lambda: make("rr"), environment=given) as kernel:
            with pytest.raises(WrongState, match="no engines"):
                await Client(kernel, kernel.token).add_model("second")

    lived(main)


def test_a_core_that_dies_as_it_is_removed_takes_no_more_calls() -> None:
    async def main() -> None:
        engines = Engines()
        async with opened(engines) as kernel:
            client = Client(kernel, kernel.token)
            await client.add_model("second")
            loop = kernel.loops[1]
            await client.remove_model("second")
            loop._died(Died(reason="it was told to end", final=False))
            with pytest.raises(CoreFailed, match="was removed"):
                loop.check_usable()

    lived(main)
