"""What must hold in a kernel between any two steps, for tests and simulation. Costs O(all)."""

from collections.abc import Iterator

from aios.kernel.generations import GenerationState
from aios.kernel.kernel import Kernel
from aios.syscalls.process import ProcessState


def violations(kernel: Kernel) -> list[str]:
    """Every broken invariant in words; empty when all is well."""
    return [*_accounts(kernel), *_processes(kernel), *_generations(kernel), *_lanes(kernel)]


def _accounts(kernel: Kernel) -> Iterator[str]:
    processes = kernel.table.all(ended=True)
    open_calls = sum(process.live_calls for process in processes)
    if open_calls != kernel.gate.live:
        yield f"the gate counts {kernel.gate.live} open calls, the processes {open_calls}"
    if len(kernel.waits) > kernel.gate.live:
        yield f"{len(kernel.waits)} waits for {kernel.gate.live} open calls"
    if kernel.gate.live > kernel.limits.calls_max:
        yield f"{kernel.gate.live} open calls, more than the limit {kernel.limits.calls_max}"


def _processes(kernel: Kernel) -> Iterator[str]:
    for process in kernel.table.all(ended=True):
        if process.has_ended != (process.exited is not None):
            yield f"process {process.pid} is {process.state} with exit {process.exited}"
        if process.has_ended and (process.mail or process.children):
            yield f"ended process {process.pid} still owns mail or children"
        if process.has_ended and kernel.waits.of(process.pid):
            yield f"ended process {process.pid} waits for {kernel.waits.of(process.pid)}"
        for child in process.children or ():
            if kernel.table.find(child).parent != process.pid:
                yield f"process {child} is not its parent's child"
        if len(process.mail or ()) > kernel.limits.mail_max:
            yield f"the mailbox of process {process.pid} is over its bound"


def _generations(kernel: Kernel) -> Iterator[str]:
    for loop in kernel.loops:
        for live in loop.live:
            process = kernel.table.find(live.job.pid)
            paused = process.state is ProcessState.PAUSED
            blocked = live.state is GenerationState.BLOCKED
            if live.reply.done() and not live.reply.cancelled():
                yield f"{live.job.id} is live and has been answered"
            if process.has_ended:
                yield f"{live.job.id} outlives its process"
            if paused != blocked and not kernel.gate.is_closed:
                yield f"{live.job.id} is {live.state} while its process is {process.state}"
            if (process.generations or {}).get(live.call_id) != live.job.id:
                yield f"{live.job.id} is not among its process's generations"
            if any(len(tokens) > live.job.tokens_max for tokens in live.produced):
                yield f"{live.job.id} was given more than {live.job.tokens_max} tokens"


def _lanes(kernel: Kernel) -> Iterator[str]:
    for loop in kernel.loops:
        running = [live for live in loop.live if live.state is GenerationState.RUNNING]
        lanes = sum(live.job.branches for live in running)
        if lanes > loop.machine.lanes:
            yield f"{lanes} branches run on {loop.machine.lanes} lanes"
