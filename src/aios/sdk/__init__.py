"""What an agent's author uses: a client, tools, and the agent made of both."""

from aios.sdk.agent import Agent
from aios.sdk.blocking import SyncClient
from aios.sdk.client import Client
from aios.sdk.generation import Options, Prompt
from aios.sdk.program import Program, hosted
from aios.sdk.tool import Tool, tool
from aios.sdk.toolbox import Toolbox
from aios.sdk.transport import Transport

__all__ = [
    "Agent", "Client", "Options", "Program", "Prompt", "SyncClient", "Tool", "Toolbox",
    "Transport", "hosted", "tool",
]  # fmt: skip
