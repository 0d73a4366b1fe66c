"""CrewAI: a crew of two, streamed, whose last answer is typed."""

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from pydantic import BaseModel


class Product(BaseModel):
    value: int


@tool("calculator")
def calculator(expr: str) -> str:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return str(int(left) * int(right))


def main() -> str:
    model = LLM(model="openai/gpt-4o-mini", stream=True)
    clerk = Agent(
        role="clerk", goal="Compute", backstory="You compute.", tools=[calculator], llm=model
    )
    teller = Agent(role="teller", goal="Tell", backstory="You tell.", tools=[calculator], llm=model)
    compute = Task(description="What is 123 * 47?", expected_output="a number", agent=clerk)
    tell = Task(
        description="Check it: 123 * 47",
        expected_output="a number",
        agent=teller,
        output_pydantic=Product,
    )
    done = Crew(agents=[clerk, teller], tasks=[compute, tell]).kickoff()
    return str(done.pydantic.value)


if __name__ == "__main__":
    print(main())
