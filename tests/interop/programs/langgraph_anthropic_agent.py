"""LangChain's agent over Anthropic's protocol, streamed."""

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool


@tool
def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


def main() -> str:
    model = ChatAnthropic(model="claude-sonnet-4-5", max_tokens=256, streaming=True)
    agent = create_agent(model, tools=[calculator])
    ended = agent.invoke({"messages": [("user", "What is 123 * 47?")]})
    return ended["messages"][-1].text


if __name__ == "__main__":
    print(main())
