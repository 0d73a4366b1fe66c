"""The whole system on the shipped model: kernel, engine process, block pool, tiers."""

import asyncio
import os
import shutil
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from aios.cores.process import ProcessCore
from aios.cores.torch.settings import Settings
from aios.errors import AiosError, InvalidArgument, ShuttingDown
from aios.kernel import Kernel, boot
from aios.models import pocket
from aios.sdk import Client
from aios.syscalls import Beams, Completion, Decoding, Generate, Message, Pause, Resume, Spawn
from aios.telemetry import events

ROOMY = Settings(model=str(pocket.PATH), name="pocket", kv_bytes=64 << 20)
TIGHT = Settings(model=str(pocket.PATH), name="pocket", kv_bytes=3 << 20, lanes=8)
DECODINGS = {
    "greedy": Decoding(temperature=0.0, max_tokens=150),
    "sampled": Decoding(temperature=0.9, top_p=0.95, seed=5, max_tokens=150),
    "two samples": Decoding(temperature=0.8, seed=6, n=2, max_tokens=100),
    "beams": Decoding(beams=Beams(width=3), max_tokens=60),
    "json": Decoding(
        temperature=1.0,
        seed=7,
        max_tokens=120,
        schema={
            "type": "object",
            "properties": {"a": {"type": "array", "items": {"type": "integer"}}},
        },
    ),
}


def count(start: int, **options: object) -> Generate:
    decoding = options.pop("decoding", DECODINGS["greedy"])
    text = f"Count from {start} to {start + 40}."
    return Generate(
        messages=(Message("user", text),),
        decoding=decoding,  # type: ignore[arg-type]
        **options,  # type: ignore[arg-type]
    )


def tokens(completion: Completion) -> list[tuple[int, ...]]:
    return [choice.token_ids for choice in completion.choices]


_known: dict[str, list[tuple[int, ...]]] = {}  # an engine takes seconds to start


async def alone(call: Generate) -> list[tuple[int, ...]]:
    """What the call yields on an engine that serves nobody else."""
    text = call.messages[0].content or ""
    assert call.decoding == DECODINGS["greedy"]
    if text not in _known:
        async with boot(ROOMY, policy="fifo") as kernel:
            _known[text] = tokens(await kernel.call(kernel.token, call))
    return _known[text]


async def started(kernel: Kernel, after: Callable[[], Awaitable[object]]) -> asyncio.Task[object]:
    """A call that is on its lanes by now, and a few tokens into its answer."""
    begun = asyncio.Event()

    def listen(event: object) -> None:
        if isinstance(event, events.Started):
            begun.set()

    forget = kernel.bus.listen(listen)
    task = asyncio.ensure_future(after())
    await begun.wait()
    forget()
    return task


def test_under_memory_pressure_every_kind_of_generation_equals_itself_alone() -> None:
    async def main() -> None:
        calls = [count(10, decoding=decoding) for decoding in DECODINGS.values()]
        async with boot(ROOMY, policy="fifo") as kernel:
            expected = [tokens(await kernel.call(kernel.token, call)) for call in calls]
        async with boot(TIGHT, policy="rr") as kernel:
            flood = [kernel.call(kernel.token, count(number)) for number in range(20, 32)]
            got, _ = await asyncio.gather(
                asyncio.gather(*(kernel.call(kernel.token, call) for call in calls)),
                asyncio.gather(*flood),
            )
        assert [tokens(one) for one in got] == expected
        assert sum(one.timing.switches for one in got) > 0
        assert all(one.exact for one in got)

    asyncio.run(main())


def test_a_killed_engine_is_replaced_and_its_generations_go_on() -> None:
    async def main() -> None:
        expected = await alone(count(10))
        async with boot(ROOMY) as kernel:
            core = kernel.loops[0].core
            assert isinstance(core, ProcessCore)
            task = await started(kernel, lambda: kernel.call(kernel.token, count(10)))
            os.kill(core.pid, signal.SIGKILL)
            completion = await task
            assert isinstance(completion, Completion)
            assert tokens(completion) == expected

    asyncio.run(main())


def test_a_paused_agent_goes_on_in_the_middle_of_its_sentence() -> None:
    async def main() -> None:
        expected = await alone(count(10))
        async with boot(ROOMY) as kernel:
            agent = await kernel.call(kernel.token, Spawn(name="agent"))
            task = await started(kernel, lambda: kernel.call(agent.token, count(10)))
            await kernel.call(kernel.token, Pause(pid=agent.pid))
            await kernel.call(kernel.token, count(50))
            assert not task.done()
            await kernel.call(kernel.token, Resume(pid=agent.pid))
            completion = await task
            assert isinstance(completion, Completion)
            assert tokens(completion) == expected
            assert completion.exact

    asyncio.run(main())


def test_a_call_goes_on_in_the_next_kernel_after_a_shutdown(tmp_path: Path) -> None:
    async def main() -> None:
        call = count(10, call_id="trip")
        expected = await alone(call)
        async with boot(ROOMY, state=tmp_path) as kernel:
            task = await started(kernel, lambda: kernel.call(kernel.token, call))
        with pytest.raises(ShuttingDown, match="goes on later"):
            await task
        async with boot(ROOMY, state=tmp_path) as kernel:
            completion = await kernel.call(kernel.token, call)
            assert tokens(completion) == expected
            assert completion.exact

    asyncio.run(main())


def damaged_weights(folder: Path) -> str:
    copy = folder / "cut"
    shutil.copytree(pocket.PATH, copy)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    return str(copy)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (lambda folder: Settings(model=str(folder / "nothing"), kv_bytes=1 << 24), "nothing"),
        (lambda folder: Settings(model=damaged_weights(folder), kv_bytes=1 << 24), "cut"),
        (lambda folder: Settings(model=str(pocket.PATH), kv_bytes=1 << 10), "kv_bytes"),
    ],
)
def test_an_engine_that_cannot_serve_says_why(
    tmp_path: Path, settings: Callable[[Path], Settings], says: str
) -> None:
    async def main() -> None:
        async with boot(settings(tmp_path)):
            pass

    with pytest.raises(AiosError, match=says):
        asyncio.run(main())


def test_bad_calls_are_refused_and_running_work_is_unharmed() -> None:
    async def main() -> None:
        expected = await alone(count(10))
        async with boot(ROOMY) as kernel:
            task = await started(kernel, lambda: kernel.call(kernel.token, count(10)))
            bad = [
                Generate(prompt="one two " * 3_000),
                count(1, decoding=Decoding(schema={"type": "rocket"})),
                count(1, decoding=Decoding(logit_bias={10**6: 1.0})),
                count(1, decoding=Decoding(max_tokens=100_000)),
            ]
            for call in bad:
                with pytest.raises(InvalidArgument):
                    await kernel.call(kernel.token, call)
            completion = await task
            assert isinstance(completion, Completion)
            assert tokens(completion) == expected

    asyncio.run(main())


def test_a_second_model_comes_and_goes_while_the_first_generates() -> None:
    async def main() -> None:
        async with boot(ROOMY) as kernel:
            client = Client(kernel, kernel.token)
            call = count(3)
            under_way = asyncio.ensure_future(client.call(call))
            added = await client.add_model("pocket", "second", "cpu")
            assert added.name == "second"
            second = await client.call(msgspec.structs.replace(call, model="second"))
            first = await under_way
            assert (first.model, second.model) == ("pocket", "second")
            assert tokens(first) == tokens(second)
            engine = (await client.stats()).cores[1].engine_pid
            await client.remove_model("second")
            with pytest.raises(ProcessLookupError):
                os.kill(engine, 0)
            assert [one.name for one in (await client.models()).models] == ["pocket"]

    asyncio.run(main())
