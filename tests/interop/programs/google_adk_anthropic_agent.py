"""Google's ADK, through its LiteLLM model, over Anthropic's protocol."""

import asyncio

from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types


def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


async def answer() -> str:
    model = LiteLlm(model="anthropic/claude-sonnet-4-5")
    runner = InMemoryRunner(
        agent=LlmAgent(name="clerk", model=model, tools=[calculator]), app_name="clerk"
    )
    session = await runner.session_service.create_session(app_name="clerk", user_id="me")
    asked = types.Content(role="user", parts=[types.Part(text="What is 123 * 47?")])
    said = ""
    async for event in runner.run_async(user_id="me", session_id=session.id, new_message=asked):
        for part in (event.content.parts or []) if event.content else []:
            said = part.text or said
    await runner.close()
    return said


def main() -> str:
    return asyncio.run(answer())


if __name__ == "__main__":
    print(main())
