"""Pydantic AI over Anthropic's protocol."""

from pydantic_ai import Agent

agent = Agent("anthropic:claude-sonnet-4-5")


@agent.tool_plain
def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


def main() -> str:
    return str(agent.run_sync("What is 123 * 47?").output)


if __name__ == "__main__":
    print(main())
