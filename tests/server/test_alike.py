"""Every syscall of the table, in process and over HTTP: on twin kernels the same comes of it."""

import re
from pathlib import Path
from typing import Any

import msgspec

from aios.errors import AiosError, Conflict
from aios.sdk import Client, Transport
from aios.sdk.http import HttpTransport
from aios.syscalls import Spawn, note
from aios.syscalls.table import SYSCALLS
from tests.kernel.guard.test_matrix import Thing, call_of
from tests.server.full_house import full_house
from tests.server.house import House, lived

LAST = {"process.exit", "llm.stream"}  # ends the caller; is told as a stream
Outcome = tuple[str, Any]


def plain(value: Any) -> Any:
    """What is the same on twins: no times, and no ids that a room draws by itself."""
    if isinstance(value, float):
        return 0.0
    if isinstance(value, str):
        value = re.sub(r"-?\d+\.\d+(e-\d+)?", "TIME", value)
        return re.sub(r"[0-9a-f]{12,}", "ID", value)
    if isinstance(value, dict) and "up_s" in value:
        return sorted(value)  # A reading of the machine is of its moment.
    if isinstance(value, dict) and "pending" in value:
        return "as far as it is indexed"
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


async def outcome(transport: Transport, token: str, call: Any) -> Outcome:
    try:
        reply = await transport.call(token, call)
    except AiosError as error:
        versions = (error.base, error.current) if isinstance(error, Conflict) else ()
        return error.code, (plain(error.message), versions)
    return f"reply {type(reply).__name__}", plain(msgspec.to_builtins(reply))


async def all_outcomes(home: House, transport: Transport) -> dict[str, list[Outcome]]:
    """Each syscall twice: what it does first, and what of it then."""
    client = Client(transport, home.token)
    child = await client.spawn("child")
    kept = await client.call(note.Add(text="alpha"))
    await client.files.write("thing", "alpha")
    await client.files.write("thing", "alpha\nmore")
    found = {}
    for verb in (one for one in SYSCALLS if one not in LAST):
        name = str(child.pid) if "pid" in SYSCALLS[verb].__struct_fields__ else "thing"
        name = kept.id if verb.startswith("note.") else name
        call = call_of(verb, Thing(owner="agent", name=name, other="other"), "agent")
        found[verb] = [await outcome(transport, home.token, call) for _ in range(2)]
    stranger = await home.kernel.call(home.kernel.token, Spawn(name="stranger"))
    exit = call_of("process.exit", Thing(owner="", name=""), "")
    found["process.exit"] = [await outcome(transport, stranger.token, exit) for _ in range(2)]
    return found


def test_every_syscall_comes_to_the_same_over_both(tmp_path: Path) -> None:
    async def main() -> None:
        async with full_house(tmp_path / "one") as home:
            here = await all_outcomes(home, home.kernel)
        async with (
            full_house(tmp_path / "two") as home,
            HttpTransport(home.url) as transport,
        ):
            there = await all_outcomes(home, transport)
        assert here == there
        done = [verb for verb, ends in here.items() if ends[0][0].startswith("reply")]
        assert len(done) >= 40
        families = {verb.partition(".")[0] for verb in done}
        assert families >= {"llm", "process", "file", "memory", "history", "note", "tool", "access"}

    lived(main)
