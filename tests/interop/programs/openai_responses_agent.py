"""OpenAI's SDK: responses, each going on from the one before, with a tool."""

import json
from typing import Any

from openai import OpenAI

TOOL: Any = {
    "type": "function",
    "name": "calculator",
    "description": "Compute a product, such as 12 * 7.",
    "parameters": {
        "type": "object",
        "properties": {"expr": {"type": "string"}},
        "required": ["expr"],
    },
}


def calculator(expr: str) -> str:
    left, right = expr.split("*")
    return str(int(left) * int(right))


def main() -> str:
    client = OpenAI()
    answer = client.responses.create(model="gpt-4o-mini", input="What is 123 * 47?", tools=[TOOL])
    while calls := [item for item in answer.output if item.type == "function_call"]:
        results: list[Any] = [
            {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": calculator(**json.loads(call.arguments)),
            }
            for call in calls
        ]
        answer = client.responses.create(
            model="gpt-4o-mini", input=results, tools=[TOOL], previous_response_id=answer.id
        )
    return answer.output_text


if __name__ == "__main__":
    print(main())
