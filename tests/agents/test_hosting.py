"""Agents as processes of a kernel: spawned by name, waited for."""

import msgspec

from aios.agents import Outcome, ReAct
from aios.kernel import Kernel
from aios.sdk import Agent, Client, hosted, tool
from aios.syscalls import Exited, Generate, Message, ProcessState, ToolCall
from tests.house import on_a_kernel


@tool(inline=True)
def double(n: int) -> int:
    """Twice a number."""
    return 2 * n


def doubler(asked: Generate) -> str | Message:
    """Doubles the number it is asked for."""
    last = asked.messages[-1]
    if last.role == "tool":
        return f"It is {last.content}."
    call = ToolCall("1", "double", f'{{"n": {last.content}}}')
    return Message("assistant", tool_calls=(call,))


def spawned_and_waited_for(argument: str) -> Exited:
    async def main(kernel: Kernel) -> Exited:
        client = Client(kernel, kernel.token)
        child = await client.spawn("one", program="doubler", argument=argument)
        return await client.wait(child.pid, timeout_s=60)

    react = ReAct(Agent("doubler", tools=[double], max_tokens=64))
    return on_a_kernel(main, doubler, programs={"doubler": hosted(react)})


def test_a_hosted_agent_ends_with_its_outcome_as_the_processs_result() -> None:
    ended = spawned_and_waited_for("21")
    outcome = msgspec.convert(msgspec.to_builtins(ended.result), Outcome)
    assert ended.state is ProcessState.EXITED
    assert (outcome.answer, outcome.succeeded) == ("It is 42.", True)


def test_many_hosted_agents_share_two_lanes_and_each_gets_its_own_answer() -> None:
    async def main(kernel: Kernel) -> list[str]:
        client = Client(kernel, kernel.token)
        children = [
            await client.spawn(f"agent {n}", program="doubler", argument=str(n)) for n in range(50)
        ]
        ended = [await client.wait(child.pid, timeout_s=600) for child in children]
        return [one.result for one in ended]

    agent = Agent("doubler", tools=[double], max_tokens=64)
    answers = on_a_kernel(main, doubler, programs={"doubler": hosted(agent)})
    assert answers == [f"It is {2 * n}." for n in range(50)]
