"""Rules that say which block leaves RAM next. Pure: they know keys, no bytes, clock or chance."""

from aios.memory.eviction.adaptive import Adaptive
from aios.memory.eviction.base import Key, Rule
from aios.memory.eviction.leaving import Leaving
from aios.memory.eviction.lru import Lru
from aios.memory.eviction.lru_k import LruK

__all__ = ["Adaptive", "Key", "Leaving", "Lru", "LruK", "Rule"]
