"""smolagents: an agent that writes its actions as code."""

import os

from smolagents import CodeAgent, OpenAIModel, tool


@tool
def calculator(expr: str) -> int:
    """Compute a product.

    Args:
        expr: such as 12 * 7
    """
    left, right = expr.split("*")
    return int(left) * int(right)


def main() -> str:
    model = OpenAIModel(model_id="gpt-4o-mini", api_base=os.environ["OPENAI_BASE_URL"])
    agent = CodeAgent(tools=[calculator], model=model, max_steps=5, verbosity_level=0)
    return str(agent.run("What is 123 * 47?"))


if __name__ == "__main__":
    print(main())
