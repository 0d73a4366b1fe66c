"""LangGraph: a graph of a model and its tools, over OpenAI's protocol, streamed."""

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition


@tool
def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


def main() -> str:
    model = ChatOpenAI(model="gpt-4o-mini", streaming=True).bind_tools([calculator])

    def think(state: MessagesState) -> dict[str, list[object]]:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode([calculator]))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    ended = graph.compile().invoke({"messages": [("user", "What is 123 * 47?")]})
    return ended["messages"][-1].text


if __name__ == "__main__":
    print(main())
