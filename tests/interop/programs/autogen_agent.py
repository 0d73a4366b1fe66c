"""AutoGen: an assistant with a tool, whose words are streamed."""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient


def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


async def answer() -> str:
    model = OpenAIChatCompletionClient(model="gpt-4o-mini")
    clerk = AssistantAgent(
        "clerk",
        model_client=model,
        tools=[calculator],
        reflect_on_tool_use=True,
        model_client_stream=True,
    )
    result = await clerk.run(task="What is 123 * 47?")
    await model.close()
    return result.messages[-1].to_text()


def main() -> str:
    return asyncio.run(answer())


if __name__ == "__main__":
    print(main())
