"""The semantic file system: real files with versions, search, links, mounts and transactions."""

from aios.storage.quota import FileLimits
from aios.storage.room import Ground, Storage
from aios.storage.search import Searcher

__all__ = ["FileLimits", "Ground", "Searcher", "Storage"]
