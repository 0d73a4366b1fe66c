"""DSPy: a ReAct module with a tool."""

import os

import dspy


def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


def main() -> str:
    dspy.configure(
        lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["OPENAI_BASE_URL"], cache=False)
    )
    clerk = dspy.ReAct("question -> answer", tools=[calculator], max_iters=4)
    return str(clerk(question="What is 123 * 47?").answer)


if __name__ == "__main__":
    print(main())
