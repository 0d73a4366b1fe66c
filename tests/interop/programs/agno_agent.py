"""Agno: an agent with a tool, streamed."""

from agno.agent import Agent
from agno.models.openai import OpenAIChat


def calculator(expr: str) -> str:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return str(int(left) * int(right))


def main() -> str:
    agent = Agent(model=OpenAIChat(id="gpt-4o-mini"), tools=[calculator])
    return "".join(event.content or "" for event in agent.run("What is 123 * 47?", stream=True))


if __name__ == "__main__":
    print(main())
