"""pocket: a very small tool-calling model of our own, its tools, and tasks with known answers.

Importing this needs neither torch nor transformers: the weights are a path.
"""

from pathlib import Path

from aios.models.pocket.tasks import Task, Turn, tasks
from aios.models.pocket.tools import TOOLS, State, Tool, call

PATH = Path(__file__).parent / "weights"

__all__ = ["PATH", "TOOLS", "State", "Task", "Tool", "Turn", "call", "tasks"]
