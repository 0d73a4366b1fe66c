"""An index's writer in a process of its own: started when there is work, and again where it died.

Knows no search. Every call blocks its thread until the process has answered, so that no more than
one order is ever under way. A process that died has changed nothing, or all of one order; either
way its caller does it again, and doing it twice changes nothing.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import msgspec
import numpy as np

from aios.errors import CoreFailed, Damaged, error_from
from aios.retrieval import orders
from aios.retrieval.base import Document, Vectors
from aios.retrieval.writing import WriterSpec

ANSWER_S = 300.0  # for one order, of a bounded size
CLOSE_S = 10.0  # to exit when nobody asks any more


class ChildWriter:
    """Implements `Writer`."""

    def __init__(self, spec: WriterSpec) -> None:
        self._spec = spec
        self._pipe: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process's number; 0 while there is none."""
        return self._process.pid if self._process else 0

    def put(self, documents: Sequence[Document]) -> Sequence[int]:
        return [number for order in orders.puts(documents) for number in self._ask(order).numbers]

    def put_vectors(self, ids: Sequence[str], vectors: Vectors) -> Sequence[int]:
        data = np.ascontiguousarray(vectors, np.float32).tobytes()
        return self._ask(orders.PutVectors(list(ids), data)).numbers

    def remove(self, ids: Sequence[str]) -> Sequence[int]:
        return self._ask(orders.Remove(list(ids))).numbers

    def tidy(self) -> bool:
        # Nothing was put since the start, so there is nothing to start a process for.
        return self._pipe is not None and self._ask(orders.Tidy()).is_more

    def close(self) -> None:
        """Let the process end, or make it; a later call starts another."""
        pipe, process = self._pipe, self._process
        self._pipe = self._process = None
        if pipe is not None:
            pipe.close()
        if process is not None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(CLOSE_S)
            process.kill()
            process.wait()

    def _ask(self, order: orders.Order) -> orders.Done:
        pipe = self._pipe or self._started()
        try:
            orders.send(pipe, order)
            answer = orders.next_answer(pipe)
        except (OSError, Damaged) as problem:
            self._lost(f"{problem}")
        if answer is None:
            self._lost("it closed its pipe")
        if isinstance(answer, orders.Refused):
            raise error_from(answer.code, answer.message)
        return answer

    def _started(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.settimeout(ANSWER_S)
        spec = msgspec.json.encode(self._spec).decode()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    (
                        sys.executable,
                        "-P",
                        "-m",
                        "aios.retrieval.child",
                        f"{theirs.fileno()}",
                        spec,
                    ),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                )
            except OSError as problem:
                ours.close()
                raise CoreFailed(f"the indexing process cannot be started: {problem}") from None
        self._pipe = ours
        return ours

    def _lost(self, why: str) -> NoReturn:
        process = self._process
        if process is not None:
            process.kill()
        self.close()
        code = process.returncode if process is not None else None
        raise CoreFailed(f"the indexing process ended ({why}; exit {code}); it is started again")
