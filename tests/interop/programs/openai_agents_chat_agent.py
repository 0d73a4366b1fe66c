"""OpenAI's Agents SDK over chat completions."""

from agents import Agent, Runner, function_tool, set_default_openai_api


@function_tool
def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


def main() -> str:
    set_default_openai_api("chat_completions")
    clerk = Agent(name="clerk", model="gpt-4o-mini", tools=[calculator])
    return str(Runner.run_sync(clerk, "What is 123 * 47?").final_output)


if __name__ == "__main__":
    print(main())
