"""Every example runs, on a model that says what the example hopes for, and stays small."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from aios.access.policy import PERSONAL
from aios.kernel.guard.accounts import Accounts
from aios.kernel.guard.parts import Fence
from aios.syscalls import Generate, Message, ToolCall
from aios.testing.journal import InlineJournal
from tests.house import on_a_kernel

EXAMPLES = Path(__file__).parent.parent / "examples"
LINES_MAX = 60

Speech = Callable[[Generate], str | Message]


def call(name: str, arguments: str) -> Message:
    return Message("assistant", tool_calls=(ToolCall("1", name, arguments),))


def talker(asked: Generate) -> str:
    """Says back what it was told last."""
    return f"you said {asked.messages[-1].content}"


def clerk(asked: Generate) -> str | Message:
    """Calls the calculator, then writes the note, then answers."""
    turn = sum(one.role == "tool" for one in asked.messages)
    result = asked.messages[-1].content
    plan: list[str | Message] = [
        call("calculator", '{"expr": "12 * 7"}'),
        call("note_write", f'{{"name": "answer", "text": "{result}"}}'),
        "Done.",
    ]
    return plan[turn]


def adder(asked: Generate) -> str | Message:
    """Adds the numbers of the question by the calculator."""
    if asked.messages[-1].role == "tool":
        return f"The result is {asked.messages[-1].content}."
    expression = (asked.messages[-1].content or "").removeprefix("What is ").removesuffix("?")
    return call("calculator", f'{{"expr": "{expression}"}}')


def butler(asked: Generate) -> str | Message:
    """Keeps what it is told to remember, and looks up what it is asked for."""
    last = asked.messages[-1].content or ""
    if asked.messages[-1].role == "tool":
        return "I will remember that." if last == "ok" else f"The gate is {last}."
    if last.startswith("Remember"):
        return call("memory_set", '{"key": "gate", "value": "B12"}')
    return call("memory_get", '{"key": "gate"}')


def teller(asked: Generate) -> str | Message:
    """Moves the coins, then says so."""
    if asked.messages[-1].role == "tool":
        return f"Done: {asked.messages[-1].content}."
    return call("local/transfer", '{"payer": "ann", "payee": "bob", "amount": "30"}')


CASES: dict[str, tuple[Speech, list[str]]] = {
    "first_chat": (talker, ["you said Hello, who are you?"]),
    "agent_with_tools": (clerk, ["Done.", "notes: {'answer': '84'}"]),
    "many_agents": (adder, ["agent 1: The result is 2.", "agent 20: The result is 40."]),
    "streaming": (talker, ["you said Tell me what you can do."]),
    "two_agents": (talker, ["Who are you? you said Who are you?"]),
    "remembers": (butler, ["butler: I will remember that.", "Now run this again."]),
    "approval": (
        talker,
        [
            "tidy asks: the memory block diary is lost for good. No.",
            "diary stays: Rome by train, 3 days",
            "tidy asks: the memory block plan is lost for good. Yes.",
            "plan is gone",
        ],
    ),
    "tool": (
        teller,
        [
            "accounts: {'ann': 70, 'bob': 50}",
            "bad arguments for local/transfer: `amount` is missing: integer; "
            "`amout` is unknown, did you mean `amount`?",
        ],
    ),
    "pause_and_resume": (talker, ["paused", "running", "you said Tell me what you can do."]),
}
ASKING = {"approval"}  # which a person answers


@pytest.fixture
def journal() -> Iterator[InlineJournal]:
    opened = InlineJournal()
    yield opened
    opened.close()


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tried_here() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_an_example_is_short_and_starts_with_what_it_shows(name: str) -> None:
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) < LINES_MAX
    assert load(name).__doc__


@pytest.mark.parametrize("policy", ["fifo", "rr"])
@pytest.mark.parametrize("name", CASES)
def test_an_example_runs_and_prints_what_it_promises(
    name: str, policy: str, journal: InlineJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    speech, expected = CASES[name]
    fence = Fence(policy=PERSONAL, fittings=(Accounts(),)) if name in ASKING else None
    example = load(name)
    tools = [example.transfer] if name == "tool" else []
    on_a_kernel(example.main, speech, policy=policy, journal=journal, fence=fence, tools=tools)
    printed = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in expected if line not in printed] == []


def test_the_second_run_of_an_agent_that_remembers_answers_from_memory(
    journal: InlineJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2):
        on_a_kernel(load("remembers").main, butler, journal=journal, seed=seed)
    assert capsys.readouterr().out.splitlines()[-1] == "butler: The gate is B12."
