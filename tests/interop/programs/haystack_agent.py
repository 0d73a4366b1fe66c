"""Haystack: an agent component with a tool, streamed."""

from typing import Annotated

from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import tool


@tool
def calculator(expr: Annotated[str, "such as 12 * 7"]) -> int:
    """Compute a product."""
    left, right = expr.split("*")
    return int(left) * int(right)


def main() -> str:
    agent = Agent(
        chat_generator=OpenAIChatGenerator(model="gpt-4o-mini"),
        tools=[calculator],
        streaming_callback=lambda chunk: None,
    )
    result = agent.run(messages=[ChatMessage.from_user("What is 123 * 47?")])
    return str(result["messages"][-1].text)


if __name__ == "__main__":
    print(main())
