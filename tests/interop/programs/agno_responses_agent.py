"""Agno over OpenAI's responses: a typed answer."""

from agno.agent import Agent
from agno.models.openai import OpenAIResponses
from pydantic import BaseModel


class Product(BaseModel):
    value: int


def calculator(expr: str) -> str:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return str(int(left) * int(right))


def main() -> str:
    model = OpenAIResponses(id="gpt-4o")
    agent = Agent(model=model, tools=[calculator], output_schema=Product)
    return str(agent.run("What is 123 * 47?").content.value)


if __name__ == "__main__":
    print(main())
