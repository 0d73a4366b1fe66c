"""Which calls the scheduler is told belong together."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.scheduler import RoundRobin
from aios.scheduler.base import Job
from aios.server.programs import Hints, Programs, trace_of
from aios.server.shares import Shares
from aios.syscalls import Generate, Message, Spawn
from tests.server.house import House, house, lived

NOTHING = Hints()
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
Ask = Callable[..., Awaitable[tuple[Any, str]]]
words = st.lists(st.text(max_size=5), min_size=1, max_size=6)


def talk(*said: str) -> Generate:
    roles = ("user", "assistant")
    return Generate(
        messages=tuple(
            Message(role=roles[at % 2], content=text)  # type: ignore[arg-type]  # both are
            for at, text in enumerate(said)
        )
    )


@given(words, words)
def test_a_conversation_that_goes_on_is_one_program(before: list[str], after: list[str]) -> None:
    programs = Programs()
    first = programs.recognised(1, NOTHING, talk(*before))
    assert programs.recognised(1, NOTHING, talk(*before, *after)) == first
    assert programs.recognised(1, NOTHING, talk(*before)) == first
    assert programs.recognised(2, NOTHING, talk("other", *before)) != first


@given(words, words)
def test_conversations_that_part_are_two(one: list[str], other: list[str]) -> None:
    programs = Programs()
    mine, theirs = ["same opening", "a", *one], ["same opening", "b", *other]
    assert programs.recognised(1, NOTHING, talk(*mine)) != programs.recognised(
        1, NOTHING, talk(*theirs)
    )


@given(st.text(min_size=300, max_size=2_000), st.text(max_size=600))
def test_a_text_that_grows_is_one_program(before: str, after: str) -> None:
    programs = Programs()
    first = programs.recognised(1, NOTHING, Generate(prompt=before))
    assert programs.recognised(1, NOTHING, Generate(prompt=before + after)) == first


def test_token_ids_that_grow_are_one_program() -> None:
    programs = Programs()
    ids = tuple(range(700))
    first = programs.recognised(1, NOTHING, Generate(token_ids=ids))
    assert programs.recognised(1, NOTHING, Generate(token_ids=(*ids, *ids))) == first
    assert programs.recognised(1, NOTHING, Generate(token_ids=ids[::-1])) != first


def test_a_trace_joins_conversations_and_a_conversation_traces() -> None:
    programs = Programs()
    first = programs.recognised(1, Hints(trace=TRACE), talk("plan"))
    assert programs.recognised(1, Hints(trace=TRACE), talk("something else")) == first
    assert programs.recognised(1, NOTHING, talk("something else", "yes", "go on")) == first
    assert programs.recognised(2, NOTHING, talk("plan")) != first


def test_an_answer_is_gone_on_from_whatever_is_said_then() -> None:
    programs = Programs()
    first = programs.recognised(1, Hints(answer="resp_1"), talk("a"))
    assert programs.recognised(1, Hints(follows="resp_1", answer="resp_2"), talk("b")) == first
    assert programs.recognised(1, Hints(follows="resp_2"), talk("c")) == first
    assert programs.recognised(2, Hints(follows="resp_2"), talk("c")) != first


def test_a_name_wins_and_is_remembered() -> None:
    programs = Programs()
    assert programs.recognised(1, Hints(name="crew"), talk("a")) == "crew"
    assert programs.recognised(1, NOTHING, talk("a", "b", "c")) == "crew"


@pytest.mark.parametrize(
    "header", ["", "x", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", TRACE.upper(), TRACE[:-3], "é"]
)
def test_what_is_no_trace_says_nothing(header: str) -> None:
    assert trace_of(header) == ""
    assert trace_of(TRACE) == TRACE.split("-")[1]
    assert trace_of(f"{TRACE}-later") == TRACE.split("-")[1]


def test_what_is_remembered_is_bounded_and_a_flood_is_the_floods_own_loss() -> None:
    programs = Programs(most=100, of_one=50)
    mine = programs.recognised(1, Hints(trace=TRACE), talk("mine"))
    for number in range(10_000):
        programs.recognised(2, NOTHING, talk(f"flood {number}"))
    assert len(programs) <= 100
    assert programs.recognised(1, NOTHING, talk("mine", "and", "more")) == mine


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 8), st.booleans())))
def test_shares_keep_what_was_used_last(steps: list[tuple[int, int, bool]]) -> None:
    shares: Shares[int, int] = Shares(most=6, of_one=3)
    model: OrderedDict[tuple[int, int], int] = OrderedDict()
    for owner, key, is_kept in steps:
        if is_kept:
            mine = [one for one in model if one[0] == owner]
            if (owner, key) not in model and len(mine) >= 3:
                del model[mine[0]]
            elif (owner, key) not in model and len(model) >= 6:
                model.popitem(last=False)
            model[owner, key] = key
            model.move_to_end((owner, key))
            shares.keep(owner, key, key)
        else:
            assert shares.find(owner, key) == model.get((owner, key))
            if (owner, key) in model:
                model.move_to_end((owner, key))
    assert len(shares) == len(model)
    assert shares.oldest() == (
        None if not model else (*next(iter(model)), model[next(iter(model))])
    )


class Watching(RoundRobin):
    """A policy that remembers the jobs it was told of."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Job] = []

    def ready(self, job: Job) -> None:
        self.jobs.append(job)
        super().ready(job)


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[House, Ask]]:
    """A server, and a way to ask it that tells of which program the scheduler thinks that was."""
    policy = Watching()
    async with house(lambda _: "yes", policy=lambda: policy) as home:

        async def ask(path: str, body: Any, token: str = "", **more: str) -> tuple[Any, str]:
            headers = {name.replace("_", "-"): value for name, value in more.items()}
            headers |= {"authorization": f"Bearer {token}"} if token else {}
            async with home.http.post(path, json=body, headers=headers) as told:
                assert told.status == 200, await told.text()
                return await told.json(), policy.jobs[-1].program

        yield home, ask


def said(*texts: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    turns = [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]
    return {"messages": turns, "max_tokens": 20}


def test_the_scheduler_is_told_of_a_conversation_in_any_protocol() -> None:
    async def main() -> None:
        async with watched() as (_, ask):
            _, first = await ask("/v1/chat/completions", said("hi"))
            assert (await ask("/v1/messages", said("hi", "yes", "go on")))[1] == first
            assert (await ask("/v1/chat/completions", said("other")))[1] != first

    lived(main)


def test_the_scheduler_is_told_of_responses_that_follow_each_other() -> None:
    async def main() -> None:
        async with watched() as (_, ask):
            reply, crew = await ask("/v1/responses", {"input": "new"}, x_aios_program="crew")
            assert crew.endswith(" crew")
            more = {"input": "on", "instructions": "be brief", "previous_response_id": reply["id"]}
            assert (await ask("/v1/responses", more))[1] == crew

    lived(main)


def test_the_scheduler_is_told_of_a_trace_within_a_tree_of_processes() -> None:
    async def main() -> None:
        async with watched() as (home, ask):
            child = await home.kernel.call(home.token, Spawn(name="child"))
            stranger = await home.kernel.call(home.kernel.token, Spawn(name="stranger"))
            path = "/v1/chat/completions"
            _, traced = await ask(path, said("x"), traceparent=TRACE)
            assert (await ask(path, said("y"), child.token, traceparent=TRACE))[1] == traced
            assert (await ask(path, said("y"), stranger.token, traceparent=TRACE))[1] != traced

    lived(main)


def test_a_syscall_names_its_program_or_is_part_of_its_tree() -> None:
    async def main() -> None:
        async with watched() as (home, ask):
            child = await home.kernel.call(home.token, Spawn(name="child"))
            pid = home.kernel.table.by_token(home.token).pid
            path = "/api/syscalls/llm.generate"
            named = {"prompt": "hi", "program": "mine"}
            assert (await ask(path, named, child.token))[1] == f"{pid} mine"
            assert (await ask(path, {"prompt": "hi"}, child.token))[1] == f"{pid}"

    lived(main)


def test_a_name_that_is_too_long_is_refused() -> None:
    async def main() -> None:
        async with house(lambda _: "yes") as home:
            headers = {"x-aios-program": "x" * 200}
            path = "/v1/chat/completions"
            async with home.http.post(path, json=said("a"), headers=headers) as told:
                assert told.status == 400
                assert "program" in (await told.json())["error"]["message"]

    lived(main)


def test_a_key_is_one_call_whatever_work_it_is_part_of() -> None:
    async def main() -> None:
        async with house(lambda _: "yes") as home:
            bodies = []
            for name in ("one", "two"):
                headers = {"idempotency-key": "K", "x-aios-program": name}
                asked = {"messages": [{"role": "user", "content": "hi"}]}
                async with home.http.post(
                    "/v1/chat/completions", json=asked, headers=headers
                ) as told:
                    assert told.status == 200
                    bodies.append((await told.json())["choices"])
            assert bodies[0] == bodies[1]

    lived(main)


def test_a_name_that_is_too_long_is_refused_and_not_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[Hints] = []
    monkeypatch.setattr(Programs, "recognised", lambda _, owner, hints, call: heard.append(hints))

    async def main() -> None:
        async with house(lambda _: "yes") as home:
            body = {"messages": [{"role": "user", "content": "hi"}]}
            headers = {"x-aios-program": "p" * 129}
            for path in ("/v1/chat/completions", "/v1/messages"):
                async with home.http.post(
                    path, json=body | {"max_tokens": 5}, headers=headers
                ) as r:
                    assert r.status == 400
                    assert "128" in await r.text()
        assert heard == []

    lived(main)
