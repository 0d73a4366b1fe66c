"""Every syscall says what becomes of labels."""

from typing import Any

import pytest

from aios.access.acts import ACTS
from aios.access.carries import CARRIES, STEPS, TOOLS, UNLABELLED, Done, carried, is_labelled
from aios.syscalls import file
from aios.syscalls.base import Syscall, name_of

KINDS: list[type[Syscall[Any]]] = sorted(ACTS, key=lambda kind: ACTS[kind].verb)


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_every_syscall_is_in_exactly_one_table(kind: type[Syscall[Any]]) -> None:
    tables = (CARRIES, UNLABELLED, TOOLS, {file.Transaction})
    assert sum(kind in table for table in tables) == 1
    assert is_labelled(kind) == (kind not in UNLABELLED)


def test_every_step_of_a_transaction_has_a_row() -> None:
    assert set(CARRIES) >= STEPS
    call = file.Transaction(steps=(file.Create(path="a"), file.Delete(path="b")))
    assert len(list(carried(Done(2, "ada", call, file.FileList(()))))) == 2
