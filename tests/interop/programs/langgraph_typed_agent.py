"""LangChain's agent with a typed answer."""

from langchain.agents import create_agent
from langchain_core.tools import tool
from pydantic import BaseModel


class Product(BaseModel):
    """The product of two numbers."""

    value: int


@tool
def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


def main() -> str:
    agent = create_agent("openai:gpt-4o-mini", tools=[calculator], response_format=Product)
    ended = agent.invoke({"messages": [("user", "What is 123 * 47?")]})
    return str(ended["structured_response"].value)


if __name__ == "__main__":
    print(main())
