"""OpenAI's Agents SDK: one agent hands over to another, whose answer is typed."""

from pydantic import BaseModel

from agents import Agent, ModelSettings, Runner, function_tool


class Product(BaseModel):
    value: int


@function_tool
def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


def main() -> str:
    clerk = Agent(name="clerk", model="gpt-4o-mini", tools=[calculator], output_type=Product)
    desk = Agent(
        name="desk",
        model="gpt-4o-mini",
        handoffs=[clerk],
        model_settings=ModelSettings(tool_choice="required"),
    )
    ended = Runner.run_sync(desk, "What is 123 * 47?")
    return f"{ended.last_agent.name}: {ended.final_output.value}"


if __name__ == "__main__":
    print(main())
