"""LlamaIndex: an agent that reasons in lines of text (ReAct), streamed."""

import asyncio
import os

from llama_index.core.agent.workflow import ReActAgent
from llama_index.llms.openai_like import OpenAILike


def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


async def answer() -> str:
    model = OpenAILike(
        model="gpt-4o-mini",
        api_base=os.environ["OPENAI_BASE_URL"],
        is_chat_model=True,
        is_function_calling_model=False,
    )
    return str(await ReActAgent(tools=[calculator], llm=model).run("What is 123 * 47?"))


def main() -> str:
    return asyncio.run(answer())


if __name__ == "__main__":
    print(main())
