"""`aios/spawn_agent`, `message`, `inbox` and `wait`: agents calling agents."""

from collections.abc import Mapping
from typing import Any

import msgspec

from aios.clock import Clock
from aios.errors import DeadlineExceeded
from aios.syscalls import process
from aios.syscalls.tool import Text
from aios.tools.base import Outside, Run, Terms, Tool
from aios.tools.builtin.base import fields, number, say, text, tool, whole

WAIT_S_MAX = 3_600.0
PID_MAX = 1 << 53
TEXT_MAX = 100_000


async def spawn(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    call = process.Spawn(
        name=arguments["name"], program=arguments["program"], argument=arguments.get("task", "")
    )
    made: process.Spawned = await outside.call(call)
    # Its token stays here: whoever has it speaks as that agent.
    return say(f"started as process {made.pid}; wait for it with wait, pid {made.pid}")


async def message(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    await outside.call(process.Send(pid=arguments["pid"], body=arguments["text"]))
    return say("sent")


async def inbox(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    try:
        mail: process.Mail = await outside.call(
            process.Receive(timeout_s=arguments.get("seconds", 0.0))
        )
    except DeadlineExceeded:
        return say("no message")
    return say(f"from process {mail.sender}: {_told(mail.body)}")


def waiting(clock: Clock) -> Run:
    """Waits for a process, or only for a while."""

    async def wait(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
        pid, seconds = arguments.get("pid"), arguments.get("seconds", 60.0)
        if pid is None:
            await clock.sleep(seconds)
            return say(f"{seconds:g} seconds have passed")
        try:
            ended: process.Exited = await outside.call(process.Wait(pid=pid, timeout_s=seconds))
        except DeadlineExceeded:
            return say(f"process {pid} still runs after {seconds:g} seconds")
        if ended.error:
            return say(f"process {pid} {ended.state.value}: {ended.error}")
        return say(f"process {pid} {ended.state.value}: {_told(ended.result)}")

    return wait


def tools(clock: Clock) -> tuple[Tool, ...]:
    pid = whole("The number of the process.", 1, PID_MAX)
    long = Terms(timeout_s=WAIT_S_MAX + 10)
    return (
        tool(
            "spawn_agent",
            "Start another agent on a task of its own. It works beside you; wait for its result.",
            fields(
                name=text("A short name for it.", minLength=1, maxLength=128, pattern="^[^/]+$"),
                program=text("Which kind of agent, as you were told.", minLength=1),
                task=text("All that it needs to know.", maxLength=TEXT_MAX, default=""),
            ),
            spawn,
        ),
        tool(
            "message",
            "Send a message to another agent.",
            fields(pid=pid, text=text("What to say.", minLength=1, maxLength=TEXT_MAX)),
            message,
        ),
        tool(
            "inbox",
            "Take the oldest message that another agent sent you.",
            fields(
                seconds=number("How long to wait for one.", 0, WAIT_S_MAX, default=0),
            ),
            inbox,
            long,
        ),
        tool(
            "wait",
            "Wait until an agent that you started has ended, and get its result; or just wait.",
            fields(
                pid={**pid, "default": None, "type": ["integer", "null"]},
                seconds=number("How long at most.", 0, WAIT_S_MAX, default=60),
            ),
            waiting(clock),
            long,
        ),
    )


def _told(body: Any) -> str:
    return body if isinstance(body, str) else msgspec.json.encode(body).decode()
