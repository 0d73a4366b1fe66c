"""Log lines: one an entry, for people or as JSON. Knows no server and no event."""

import json
import logging
from datetime import UTC, datetime
from enum import StrEnum
from typing import IO

ROOT = "aios"
FACTS = "facts"  # the attribute of a record that holds its fields


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"


class Level(StrEnum):
    DEBUG = "debug"  # each request too
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def configure(form: Form, level: Level, stream: IO[str]) -> None:
    """Send everything of ours, and others' warnings, to `stream`. Once, before anything is told."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Json() if form is Form.JSON else _Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(ROOT).setLevel(level.upper())


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {key}={value}" for key, value in getattr(record, FACTS, {}).items())
        severity = f"{record.levelname.lower()}: " if record.levelno > logging.WARNING else ""
        line = f"aios: {severity}{record.getMessage()}{facts}".replace("\n", "\\n")
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return f"{line}\n{trace}" if trace else line


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FACTS, {}),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)
