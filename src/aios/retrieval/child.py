"""The indexing process: `python -m aios.retrieval.child FD SPEC`. Knows one index, and its orders.

One thread, which yields the processor to whoever else wants it: a search or a write goes first. It
ends with its parent, and leaves ctrl-C and a polite kill to it.
"""

import ctypes
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress

import msgspec
import numpy as np

from aios.errors import AiosError, Damaged
from aios.retrieval import orders
from aios.retrieval.writing import IndexWriter, Writer, WriterSpec

NICENESS = 10
_PR_SET_PDEATHSIG = 1


def main(fd: int, spec_json: str) -> int:
    """Obey until the other side is gone."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)  # A service manager sends these to the kernel too.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(NICENESS)
    os.set_inheritable(fd, False)
    spec = msgspec.json.decode(spec_json, type=WriterSpec)
    # A broken pipe: the kernel is gone, and with it everybody who would want to know.
    with socket.socket(fileno=fd) as pipe, suppress(ConnectionError):
        serve(pipe, spec)
    return 0


def serve(pipe: socket.socket, spec: WriterSpec) -> None:
    """Open the index at the first order, since whoever cannot open it must be told why."""
    writer: IndexWriter | None = None
    while (order := orders.next_order(pipe)) is not None:
        try:
            writer = writer or IndexWriter(spec)
            answer: orders.Answer = _obeyed(writer, spec, order)
        except AiosError as problem:
            answer = orders.Refused(problem.code, problem.message)
        except Exception as problem:  # One document that breaks the writer must not end it.
            traceback.print_exc()
            answer = orders.Refused(Damaged.code, f"{type(problem).__name__}: {problem}")
        orders.send(pipe, answer)
    if writer is not None:
        writer.close()


def _obeyed(writer: Writer, spec: WriterSpec, order: orders.Order) -> orders.Done:
    match order:
        case orders.Put(documents):
            return orders.Done(list(writer.put(documents)))
        case orders.PutVectors(ids, vectors):
            table = np.frombuffer(vectors, np.float32).reshape(len(ids), spec.dimensions)
            return orders.Done(list(writer.put_vectors(ids, table)))
        case orders.Remove(ids):
            return orders.Done(list(writer.remove(ids)))
        case _:
            return orders.Done(is_more=writer.tidy())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
