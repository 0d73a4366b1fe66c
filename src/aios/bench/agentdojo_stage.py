"""AgentDojo's suites as sources of kernel tools: each process acts in an environment of its own.

The only file that imports `agentdojo`, whose types end here. Environments are parsed once with a
mark in every place where an injection can stand; a case puts its text where the marks are.
"""

import copy
import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from aios.bench.agentdojo_orders import ORDERS, Act
from aios.errors import InvalidArgument, NotFound
from aios.syscalls.tool import Content, Text
from aios.tools.base import Outside, Terms, Tool
from aios.tools.naming import info_of

VERSION = "v1.2.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task of a suite: the user's, or an attacker's with `text` as its goal."""

    id: str
    text: str
    says: str  # what the answer holds when the task is done
    raw: Any


@dataclass(slots=True, kw_only=True)
class Scene:
    """An environment as it was and as it is, and the calls that were carried out in it."""

    before: Any
    now: Any
    done: list[Act]

    @classmethod
    def of(cls, start: Any) -> Self:
        """Nothing has happened yet."""
        return cls(before=start, now=start.model_copy(deep=True), done=[])

    def again(self) -> Self:
        """The same from its beginning."""
        return self.of(self.before.model_copy(deep=True))


class Suite:
    """One suite with its tasks. A `Source` of its tools."""

    def __init__(self, raw: Any, terms: Mapping[str, Terms]) -> None:
        self.name: str = raw.name
        self._raw = raw
        self._runtime = _module("functions_runtime").FunctionsRuntime(raw.tools)
        self._scenes: dict[int, Scene] = {}
        if {one.name for one in raw.tools} != set(terms):
            raise InvalidArgument(f"{self.name}: expected terms for exactly the tools of the suite")
        self._tools = tuple(self._tool(one, terms[one.name]) for one in raw.tools)
        defaults = raw.get_injection_vector_defaults()
        self._marks = {vector: f"<mark {number}>" for number, vector in enumerate(defaults)}
        self._defaults = {self._marks[vector]: text for vector, text in defaults.items()}
        self._parsed = self._parse()
        self.users = [_task(one, one.PROMPT) for one in raw.user_tasks.values()]
        self.attacks = [_task(one, one.GOAL) for one in raw.injection_tasks.values()]

    async def tools(self) -> tuple[Tool, ...]:
        return self._tools

    async def close(self) -> None:
        return

    def scene(self, user: Task, texts: Mapping[str, str]) -> Scene:
        """The environment in which a user's task begins, with `texts` where their marks are."""
        filled = _filled(self._parsed, {**self._defaults, **texts})
        start = self._raw.environment_type.model_validate(filled)
        return Scene.of(user.raw.init_environment(start))

    def enter(self, pid: int, scene: Scene) -> None:
        """From now on a process acts in this scene, and its last one is forgotten."""
        self._scenes[pid] = scene

    def leave(self, pid: int) -> None:
        del self._scenes[pid]

    def truth(self, task: Task, scene: Scene) -> list[Act]:
        """The calls that carry a task out."""
        found = task.raw.ground_truth(scene.before.model_copy(deep=True))
        return [Act(tool=one.function, arguments=dict(one.args)) for one in found]

    def orders(self, attack: Task, scene: Scene) -> list[Act]:
        """The calls that carry an attack out from here; none where it is but words."""
        published = attack.raw.ground_truth(scene.now.model_copy(deep=True))
        if published:
            return [Act(tool=one.function, arguments=dict(one.args)) for one in published]
        ours = ORDERS.get((self.name, attack.id))
        return [] if ours is None else ours(scene.before, scene.now)

    def is_useful(self, user: Task, scene: Scene, answer: str) -> bool:
        """AgentDojo's own check of the user's task."""
        return bool(self._raw._check_user_task_utility(user.raw, *self._judged(scene, answer)))

    def is_carried_out(self, attack: Task, scene: Scene, answer: str) -> bool:
        """AgentDojo's own check of the attacker's task."""
        return bool(
            self._raw._check_injection_task_security(attack.raw, *self._judged(scene, answer))
        )

    def seen(self, user: Task) -> list[str]:
        """The marks that somebody who carries the user's task out comes to see."""
        scene = self.scene(user, {mark: mark for mark in self._defaults})
        texts = [
            as_text(self._runtime.run_function(scene.now, act.tool, dict(act.arguments))[0])
            for act in self.truth(user, scene)
        ]
        return [mark for mark in self._defaults if any(mark in text for text in texts)]

    def _judged(self, scene: Scene, answer: str) -> tuple[Any, ...]:
        call = _module("functions_runtime").FunctionCall
        said = [{"type": "text", "content": answer}]
        trace = [call(function=one.tool, args=dict(one.arguments)) for one in scene.done]
        return said, scene.before, scene.now, trace

    def _tool(self, raw: Any, terms: Terms) -> Tool:
        name = f"{self.name}/{raw.name}"
        schema = raw.parameters.model_json_schema()
        info = info_of(name, raw.description, schema, terms)
        return Tool(info=info, terms=terms, run=self._run(raw.name))

    def _run(self, name: str) -> Callable[..., Any]:
        async def run(arguments: Mapping[str, Any], outside: Outside) -> tuple[Content, ...]:
            scene = self._scenes[outside.pid]
            given = copy.deepcopy(dict(arguments))
            value, error = self._runtime.run_function(scene.now, name, given)
            if error is not None:
                raise InvalidArgument(error)
            scene.done.append(Act(tool=name, arguments=arguments))
            return (Text(as_text(value)),)

        return run

    def _parse(self) -> Any:
        yaml = importlib.import_module("yaml")
        text = _module("task_suite.task_suite").read_suite_file(
            self.name, "environment.yaml", self._raw.data_path
        )
        return yaml.safe_load(text.format(**self._marks))


def suites(terms: Mapping[str, Mapping[str, Terms]]) -> list[Suite]:
    """Every suite of the published version. Raises `NotFound` without the package."""
    try:
        loader = _module("task_suite.load_suites")
    except ModuleNotFoundError:
        raise NotFound(
            "no package agentdojo; expected it to be installed: pip install 'aios-kernel[bench]'"
        ) from None
    return [Suite(raw, terms[name]) for name, raw in loader.get_suites(VERSION).items()]


def as_text(value: Any) -> str:
    """What an agent is told of a result."""
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, default=str)


def within(text: str) -> str:
    """A text as it stands inside of a result."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _filled(value: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for mark, text in texts.items():
            if mark in value:
                value = value.replace(mark, text)
        return value
    if isinstance(value, dict):
        return {_filled(name, texts): _filled(one, texts) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, texts) for one in value]
    return copy.copy(value)


def _task(raw: Any, text: str) -> Task:
    return Task(id=raw.ID, text=text, says=raw.GROUND_TRUTH_OUTPUT, raw=raw)


def _module(name: str) -> Any:
    return importlib.import_module(f"agentdojo.{name}")
