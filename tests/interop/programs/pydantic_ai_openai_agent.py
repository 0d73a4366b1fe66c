"""Pydantic AI over OpenAI's protocol: a typed answer from an agent with a tool."""

from pydantic import BaseModel
from pydantic_ai import Agent


class Product(BaseModel):
    value: int


agent = Agent("openai-chat:gpt-4o-mini", output_type=Product)


@agent.tool_plain
def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


def main() -> str:
    return str(agent.run_sync("What is 123 * 47?").output.value)


if __name__ == "__main__":
    print(main())
