"""What an agent's files should be, in the simplest way: dictionaries, copied for each step."""

import copy
from dataclasses import dataclass, field

from aios.errors import Conflict, InvalidArgument, NotFound, WrongState
from aios.syscalls import file

Contents = list[tuple[int, bytes]]  # version and bytes, oldest first


@dataclass
class Model:
    """Paths to contents; None for a folder. `marks` are the numbers that are used up at a path."""

    things: dict[str, Contents | None] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    bin: list[tuple[str, dict[str, Contents | None]]] = field(default_factory=list)

    def after(self, call: object) -> "Model":
        """As it is once that call is made; raises what the call should."""
        model = copy.deepcopy(self)
        if isinstance(call, file.Transaction):
            for step in call.steps:
                model._apply(step)
        else:
            model._apply(call)
        return model

    def content(self, path: str) -> bytes:
        versions = self._file(path)
        return versions[-1][1]

    def put(self, path: str, data: bytes) -> None:
        """Write a file whoever does it."""
        thing = self.things.get(path, ...)
        if thing is None:
            raise WrongState("a folder")
        if thing is ...:
            self._free(path)
            self.things[path] = [(self.marks.get(path, 0) + 1, data)]
            return
        assert isinstance(thing, list)
        if thing[-1][1] != data:
            thing.append((max(thing[-1][0], self.marks.get(path, 0)) + 1, data))

    def trash(self, path: str) -> None:
        if path not in self.things:
            raise NotFound(path)
        taken = self._take(path)
        self.bin.insert(0, (path, taken))

    def _apply(self, call: object) -> None:  # noqa: C901 - one case a syscall
        match call:
            case file.Create(path=path, data=data):
                self._free(path)
                self.put(path, data)
            case file.WriteFile(path=path, data=data, base=base):
                self._check_base(path, base)
                self.put(path, data)
            case file.AppendFile(path=path, data=data):
                old = self.things.get(path)
                self.put(path, old[-1][1] + data if old else data)
            case file.MakeFolder(path=path):
                if path not in self.things:
                    self._free(path)
                self._folder(path)
            case file.Move(path=path, to=to):
                self._move(path, to)
            case file.Copy(path=path, to=to):
                self._copy(path, to)
            case file.Delete(path=path):
                self.trash(path)
            case file.RollbackFile(path=path, steps=int(steps)):
                versions = self._file(path)
                if steps >= len(versions):
                    raise NotFound("so old a version")
                self.put(path, versions[-1 - steps][1])
            case _:
                raise AssertionError(call)

    def restore(self, place: int, to: str | None) -> "Model":
        model = copy.deepcopy(self)
        source, taken = model.bin[place]
        target = source if to is None else to
        model._free(target)
        del model.bin[place]
        for path, thing in taken.items():
            model._settle(target + path[len(source) :], thing, path)
        return model

    def _move(self, path: str, to: str) -> None:
        if path not in self.things:
            raise NotFound(path)
        if path == to:
            return
        if _below(to, path):
            raise InvalidArgument(to)
        self._free(to)
        for old, thing in self._take(path).items():
            self._settle(to + old[len(path) :], thing, None)

    def _copy(self, path: str, to: str) -> None:
        if path not in self.things:
            raise NotFound(path)
        if _below(to, path):
            raise InvalidArgument(to)
        self._free(to)
        for old in sorted(one for one in self.things if _below(one, path)):
            thing, new = self.things[old], to + old[len(path) :]
            if thing is None:
                self.things[new] = None
            else:
                self.things[new] = [(self.marks.get(new, 0) + 1, thing[-1][1])]

    def _settle(self, path: str, thing: Contents | None, source: str | None) -> None:
        mark = self.marks.get(path, 0)
        if thing and mark >= thing[-1][0] and not (path == source and mark == thing[-1][0]):
            thing.append((mark + 1, thing[-1][1]))
        self.things[path] = thing

    def _take(self, path: str) -> dict[str, Contents | None]:
        taken = {one: self.things.pop(one) for one in list(self.things) if _below(one, path)}
        for one, thing in taken.items():
            if thing:
                self.marks[one] = max(self.marks.get(one, 0), thing[-1][0])
        return taken

    def _free(self, path: str) -> None:
        if path in self.things:
            raise Conflict(path)
        parts = path.split("/")
        for end in range(1, len(parts)):
            self._folder("/".join(parts[:end]))

    def _folder(self, path: str) -> None:
        if self.things.get(path) is not None:
            raise WrongState(path)
        self.things[path] = None

    def _file(self, path: str) -> Contents:
        if path not in self.things:
            raise NotFound(path)
        thing = self.things[path]
        if thing is None:
            raise WrongState(path)
        return thing

    def _check_base(self, path: str, base: int | None) -> None:
        thing = self.things.get(path)
        if base is not None and base != (thing[-1][0] if thing else 0):
            raise Conflict(path)


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
