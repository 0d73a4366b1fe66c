"""Secrets by name: kept in a file, or found in the environment or in files; hidden wherever seen.

The file is for its user alone to read, and not encrypted: its key would have to lie beside it. It
is read again when it changed, so that a running kernel knows what was set a moment ago. Hiding is
by exact value: a tool that turns a secret around, or encodes it, gets it past. Give secrets to
tools that you trust with them.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from aios.errors import AiosError, Damaged, InvalidArgument, NotFound
from aios.kernel.guard.audit_place import write_private
from aios.syscalls.tool import Content, Image, Json, Text, ToolResult

FILE = "vault.json"  # in a home
ENV, FROM_FILE = "env:", "file:"
VALUE_MIN = 8  # characters: a shorter one could not be told from ordinary text
VALUE_MAX = 64 << 10
NAME = re.compile("[A-Za-z0-9_-]{1,64}")
DEPTH_MAX = 100  # of a JSON result that is looked through

Stamp = tuple[int, int, int]


class Hider(Protocol):
    """Keeps secrets out of what others read."""

    def text(self, text: str) -> str: ...


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value, or where it is to be found: `env:NAME`, `file:PATH`."""

    value: str = ""
    source: str = ""


class Vault:
    """Names and values. `environment` is the process's, read when a secret is asked for."""

    def __init__(self, path: Path | None, environment: Mapping[str, str]) -> None:
        self._path = path
        self._environment = environment
        self._stamp: Stamp | None = None
        self._entries: dict[str, _Entry] = {}
        self._values: dict[str, str] = {}  # what is hidden, by what stands in its place

    def names(self) -> list[str]:
        """In order; never a value."""
        self._refresh()
        return sorted(self._entries)

    def sources(self) -> dict[str, str]:
        """Where each comes from: the vault itself, or a source by its name."""
        self._refresh()
        return {name: entry.source or "vault" for name, entry in sorted(self._entries.items())}

    def secret(self, name: str) -> str:
        """The value. Raises `NotFound`, and never tells a value in an error."""
        self._refresh()
        if name not in self._entries:
            raise NotFound(f"no secret {name!r} in the vault; `aios secrets set {name}` makes one")
        value = self._resolved(name, self._entries[name])
        self._hide(name, value)
        return value

    def set(self, name: str, value: str) -> None:
        """Keep a value."""
        if not VALUE_MIN <= len(value) <= VALUE_MAX:
            raise InvalidArgument(
                f"value: expected {VALUE_MIN} to {VALUE_MAX} characters, got {len(value)}; what is "
                "shorter could not be told from ordinary text, and so not be hidden"
            )
        self._put(name, _Entry(value=value))

    def refer(self, name: str, source: str) -> None:
        """Keep where a value is to be found, `env:NAME` or `file:PATH`."""
        if not source.startswith((ENV, FROM_FILE)):
            raise InvalidArgument(f"source: expected env:NAME or file:PATH, got {source!r}")
        self._put(name, _Entry(source=source))

    def remove(self, name: str) -> None:
        with self._writing() as entries:
            if name not in entries:
                there = ", ".join(sorted(entries)) or "none"
                raise NotFound(f"no secret {name!r} in the vault; there is {there}")
            del entries[name]

    def _put(self, name: str, entry: _Entry) -> None:
        if not NAME.fullmatch(name):
            raise InvalidArgument(f"name: expected 1 to 64 of A-Z, a-z, 0-9, _ and -, got {name!r}")
        with self._writing() as entries:
            entries[name] = entry

    # Hiding.

    def text(self, text: str) -> str:
        """The text with every known value replaced by its secret's name."""
        self._refresh()
        for value, name in self._values.items():
            if value in text:
                text = text.replace(value, name)
        return text

    def data(self, data: bytes) -> bytes:
        self._refresh()
        for value, name in self._values.items():
            if value.encode() in data:
                data = data.replace(value.encode(), name.encode())
        return data

    def error(self, error: AiosError) -> AiosError:
        """The same kind of error, that tells no secret."""
        hidden = self.text(error.message)
        if hidden == error.message:
            return error
        other = type(error)(hidden)
        vars(other).update(vars(error))
        return other

    def result(self, result: ToolResult) -> ToolResult:
        """A tool's result before any agent sees it."""
        return msgspec.structs.replace(
            result,
            contents=tuple(map(self._content, result.contents)),
            remarks=tuple(map(self.text, result.remarks)),
        )

    def _content(self, content: Content) -> Content:
        if isinstance(content, Text):
            return Text(self.text(content.text))
        if isinstance(content, Json):
            return Json(self._plain(content.value, DEPTH_MAX))
        if isinstance(content, Image):
            return Image(self.data(content.data), self.text(content.media_type))
        return msgspec.structs.replace(content, path=self.text(content.path))

    def _plain(self, value: Any, depth: int) -> Any:
        if not depth:
            raise InvalidArgument(f"expected a result nested at most {DEPTH_MAX} deep")
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self._plain(one, depth - 1) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._plain(one, depth - 1) for one in value]
        return value

    # The file.

    def _refresh(self) -> None:
        """Read the file, if it is another than it was."""
        stamp = self._seen()
        if stamp == self._stamp:
            return
        self._entries = self._read() if stamp is not None else {}
        self._stamp = stamp
        for name, entry in self._entries.items():
            try:  # What was known stays hidden, also when it was removed.
                self._hide(name, self._resolved(name, entry))
            except AiosError:
                continue  # Its source is not there; whoever asks for it is told.

    def _hide(self, name: str, value: str) -> None:
        """From now on, also as it stands in JSON; the longest first, of which others are a part."""
        if value in self._values:
            return
        in_json = msgspec.json.encode(value)[1:-1].decode()
        self._values |= dict.fromkeys((value, in_json), f"[secret {name}]")
        self._values = dict(sorted(self._values.items(), key=lambda one: -len(one[0])))

    def _seen(self) -> Stamp | None:
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> dict[str, _Entry]:
        assert self._path is not None
        if self._path.stat().st_mode & 0o077:
            raise InvalidArgument(f"{self._path}: others may read it; `chmod 600` it first")
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, _Entry])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Damaged(f"{self._path}: expected JSON, names and values") from None

    def _resolved(self, name: str, entry: _Entry) -> str:
        source = entry.source
        if not source:
            return entry.value
        if source.startswith(ENV):
            value = self._environment.get(source.removeprefix(ENV), "")
        else:
            value = _content(Path(source.removeprefix(FROM_FILE)))
        if not VALUE_MIN <= len(value) <= VALUE_MAX:
            raise NotFound(
                f"secret {name!r}: expected {VALUE_MIN} to {VALUE_MAX} characters in {source}, "
                f"found {len(value)}"
            )
        return value

    @contextmanager
    def _writing(self) -> Iterator[dict[str, _Entry]]:
        """The entries, written when the block ends; nobody else writes meanwhile."""
        if self._path is None:
            raise InvalidArgument("expected a home: without one there is no vault")
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self._path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = self._read() if self._path.exists() else {}
            yield entries
            write_private(self._path, msgspec.json.encode(entries))
        finally:
            os.close(lock)


def _content(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
