"""Every syscall is an act: what it does to what, and whose that is."""

import inspect
import sys

import pytest

from aios.access.acts import ACTS, VERBS, act_of, object_of, strongest
from aios.access.base import Act, Effect
from aios.access.standing import PARTS
from aios.syscalls import file, history, llm, memory, process
from aios.syscalls.base import Syscall, name_of
from aios.syscalls.table import SYSCALLS


def declared() -> list[type[Syscall[object]]]:
    """Every syscall of every family, whether some kernel answers it yet or not."""
    modules = [one for name, one in sys.modules.items() if name.startswith("aios.syscalls.")]
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Syscall) and value is not Syscall
    }
    return sorted(found, key=name_of)


def test_every_syscall_has_a_row_under_its_own_name() -> None:
    assert set(SYSCALLS.values()) <= set(declared()) == set(ACTS)
    assert {row.verb for row in ACTS.values()} == {name_of(kind) for kind in declared()}
    assert set(VERBS) == {name_of(kind) for kind in declared()}


@pytest.mark.parametrize("kind", declared(), ids=name_of)
def test_a_syscall_with_a_field_owner_names_whose_thing_it_is_about(
    kind: type[Syscall[object]],
) -> None:
    row, fields = ACTS[kind], kind.__struct_fields__
    if row.verb.partition(".")[0] == "access":  # Theirs are those of the right that is meant.
        return
    assert ("owner" in fields) <= (row.owner is not None)
    assert ("pid" in fields) == row.by_pid
    assert ("to" in fields) == (row.second is not None)


def test_a_call_names_its_object_and_without_an_owner_it_is_the_caller_s() -> None:
    call = file.ReadFile(path="a/b.txt")
    assert act_of(ACTS[file.ReadFile], call, "ada") == Act(
        "file.read", "ada", "a/b.txt", Effect.READ
    )
    assert object_of(ACTS[process.Kill], process.Kill(pid=7)) == "7"
    assert object_of(ACTS[memory.Blocks], memory.Blocks()) == ""
    asked = llm.Stream(generate=llm.Generate(prompt="x", model="pocket"))
    assert object_of(ACTS[llm.Stream], asked) == "pocket"


def test_what_loses_something_for_ever_is_final() -> None:
    final = {ACTS[kind].effect for kind in (file.Delete, memory.Write, history.Drop, process.Kill)}
    assert final == {Effect.FINAL}
    assert ACTS[file.WriteFile].effect is Effect.CHANGE  # it has versions
    assert strongest([Effect.READ, Effect.FINAL, Effect.OUTSIDE]) is Effect.FINAL


def test_calls_that_contain_calls_say_which() -> None:
    assert {kind for kind, row in ACTS.items() if row.parts is not None} == set(PARTS)
