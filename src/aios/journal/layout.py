"""Where things lie in a journal's folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of one journal, or of a backup of one."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "journal.db"

    @property
    def log(self) -> Path:
        return self.folder / "journal.db-wal"  # SQLite's name for it

    @property
    def witness(self) -> Path:
        return self.folder / "witness"

    @property
    def reserve(self) -> Path:
        return self.folder / "reserve"

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"
