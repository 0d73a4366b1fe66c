"""CrewAI: a crew of one, with a tool."""

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool


@tool("calculator")
def calculator(expr: str) -> str:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return str(int(left) * int(right))


def main() -> str:
    clerk = Agent(
        role="clerk",
        goal="Compute what is asked",
        backstory="You compute with the calculator.",
        tools=[calculator],
        llm=LLM(model="openai/gpt-4o-mini"),
    )
    task = Task(description="What is 123 * 47?", expected_output="the number", agent=clerk)
    return str(Crew(agents=[clerk], tasks=[task]).kickoff())


if __name__ == "__main__":
    print(main())
