"""The model family: models that a running kernel serves besides its first one. Pure data."""

from typing import Annotated

from msgspec import Meta

from aios.syscalls.base import Ok, Syscall
from aios.syscalls.llm import ModelInfo

Name = Annotated[str, Meta(min_length=1, max_length=128)]


class AddModel(Syscall[ModelInfo], frozen=True, tag="model.add"):
    """Start an engine with a further model; the reply comes when it serves.

    `source` is "pocket", a folder of a model or a hub id; `name` what calls it by, empty: the last
    part of the source. `device` is auto, cpu, cuda or cuda:N; empty: what suits the model. It is
    served until it is removed or the kernel stops.
    """

    source: Annotated[str, Meta(min_length=1, max_length=4_096)]
    name: Annotated[str, Meta(max_length=128, pattern=r"^\S*$")] = ""
    device: Annotated[str, Meta(max_length=32)] = ""


class RemoveModel(Syscall[Ok], frozen=True, tag="model.remove"):
    """End a model's engine. Calls that it has not answered fail with `core_failed`.

    The default model stays: calls that name none are its.
    """

    name: Name
