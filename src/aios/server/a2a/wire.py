"""A2A's words, 1.0 and 0.3: what a message says, and how a task is told. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import msgspec

from aios.errors import InvalidArgument
from aios.server.a2a.task import Task, Update
from aios.server.rpc import PARAMS, Body, Problem

VERSIONS = ("1.0", "0.3")
METHODS = {  # as 1.0 and 0.3 call them
    "SendMessage": "send", "message/send": "send",
    "SendStreamingMessage": "stream", "message/stream": "stream",
    "GetTask": "get", "tasks/get": "get",
    "CancelTask": "cancel", "tasks/cancel": "cancel",
    "SubscribeToTask": "follow", "tasks/resubscribe": "follow",
}  # fmt: skip


class _Part(msgspec.Struct):
    text: str | None = None
    data: Any = None


class _Message(msgspec.Struct, rename="camel"):
    parts: list[_Part]
    task_id: str = ""
    context_id: Annotated[str, msgspec.Meta(max_length=256)] = ""


class _Configuration(msgspec.Struct, rename="camel"):
    return_immediately: bool = False  # 1.0
    blocking: bool = True  # 0.3


class Asked(msgspec.Struct, rename="camel"):
    """The parameters of a message that is sent."""

    message: _Message
    configuration: _Configuration = msgspec.field(default_factory=_Configuration)

    @property
    def waits(self) -> bool:
        return self.configuration.blocking and not self.configuration.return_immediately

    @property
    def body(self) -> Body:
        """What the agent is told: text, and data where there is some."""
        parts = self.message.parts
        data = [one.data for one in parts if one.data is not None]
        texts = [one.text for one in parts if one.text is not None]
        if len(texts) + len(data) < len(parts) or not parts:
            raise InvalidArgument("expected parts of text or data")
        return {"text": "\n".join(texts)} | ({"data": data} if data else {})


def asked(params: Body) -> Asked:
    """A message, or what is wrong with it."""
    try:
        found = msgspec.convert(params, Asked)
        assert found.body
    except (msgspec.ValidationError, InvalidArgument, RecursionError) as problem:
        raise Problem(PARAMS, str(problem)) from None
    return found


def card(name: str, about: str, base: str, version: str) -> Body:
    """Who the agent is and how it is reached, for clients of either version."""
    url = f"{base}/a2a/{quote(name)}"
    modes = ["text/plain", "application/json"]
    return {
        "name": name,
        "description": about,
        "version": version,
        "url": url,
        "preferredTransport": "JSONRPC",
        "protocolVersion": "0.3.0",
        "supportedInterfaces": [
            {"url": url, "protocolBinding": "JSONRPC", "protocolVersion": one} for one in VERSIONS
        ],
        "capabilities": {"streaming": True, "pushNotifications": False},
        "defaultInputModes": modes,
        "defaultOutputModes": modes,
        "securitySchemes": {"token": {"httpAuthSecurityScheme": {"scheme": "Bearer"}}},
        "securityRequirements": [{"schemes": {"token": {}}}],
        "skills": [{"id": name, "name": name, "description": about, "tags": ["aios"]}],
    }


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version's way to tell of tasks."""

    is_old: bool

    def task(self, task: Task, at: int = -1) -> Body:
        """All there is to know of it, as it was at one of its updates."""
        update = task.updates[at]
        told: Body = {"id": task.id, "contextId": task.context}
        told["status"] = self._status(task, update)
        if update.state == "completed":
            told["artifacts"] = [self._artifact(task)]
        return self._kind("task", told)

    def sent(self, task: Task, at: int = -1) -> Body:
        """The answer to a message."""
        told = self.task(task, at)
        return told if self.is_old else {"task": told}

    def events(self, task: Task, update: Update) -> list[Body]:
        """What a stream tells of one change."""
        ids = {"taskId": task.id, "contextId": task.context}
        told: list[Body] = []
        if update.state == "completed":
            done = ids | {"artifact": self._artifact(task), "lastChunk": True}
            told.append(self._event("artifact-update", "artifactUpdate", done))
        changed: Body = ids | {"status": self._status(task, update)}
        changed |= {"final": update.is_final} if self.is_old else {}
        return [*told, self._event("status-update", "statusUpdate", changed)]

    def _status(self, task: Task, update: Update) -> Body:
        old = update.state
        state = old if self.is_old else f"TASK_STATE_{old.upper().replace('-', '_')}"
        when = datetime.fromtimestamp(update.at, UTC)
        told: Body = {"state": state, "timestamp": f"{when:%Y-%m-%dT%H:%M:%S.%fZ}"}
        if update.text and old != "completed":
            told["message"] = self._message(task, update)
        return told

    def _message(self, task: Task, update: Update) -> Body:
        said = {
            "messageId": f"{task.id}-{task.updates.index(update)}",
            "taskId": task.id,
            "contextId": task.context,
            "role": "agent" if self.is_old else "ROLE_AGENT",
            "parts": [self._part(update.text)],
        }
        return self._kind("message", said)

    def _artifact(self, task: Task) -> Body:
        return {"artifactId": f"{task.id}-result", "parts": [self._part(task.result)]}

    def _part(self, value: Any) -> Body:
        kind = "text" if isinstance(value, str) else "data"
        return self._kind(kind, {kind: value})

    def _kind(self, kind: str, told: Body) -> Body:
        return {"kind": kind, **told} if self.is_old else told

    def _event(self, old: str, new: str, told: Body) -> Body:
        return {"kind": old, **told} if self.is_old else {new: told}
