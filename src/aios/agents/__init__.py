"""Agents that come with AIOS. Userland: they speak syscalls through the SDK and nothing else."""

from aios.agents.judge import Judge
from aios.agents.notekeeper import Notekeeper
from aios.agents.outcome import Outcome, Step
from aios.agents.react import ReAct
from aios.agents.reflexion import Evaluator, Reflexion, Verdict

__all__ = ["Evaluator", "Judge", "Notekeeper", "Outcome", "ReAct", "Reflexion", "Step", "Verdict"]
