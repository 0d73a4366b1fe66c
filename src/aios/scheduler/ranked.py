"""Jobs in order of a key. Knows nothing about jobs but their ids."""

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

from aios.scheduler.base import JobId

Key = TypeVar("Key")

_SLACK = 64


class Ranked(Generic[Key]):
    """A set of jobs whose first one is cheap to find: O(log n) for each change, amortised.

    A removed job leaves its entry in the heap, to be skipped when it comes up; when more than half
    of the entries are such leftovers the heap is built anew.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[Key, JobId]] = []
        self._keys: dict[JobId, Key] = {}

    def add(self, job: JobId, key: Key) -> None:
        """Put a job that is not in the set at its place. Keys of two jobs never tie."""
        assert job not in self._keys, f"{job} is in already"
        self._keys[job] = key
        heapq.heappush(self._heap, (key, job))
        if len(self._heap) > 2 * len(self._keys) + _SLACK:
            self._heap = [(kept, one) for one, kept in self._keys.items()]
            heapq.heapify(self._heap)

    def discard(self, job: JobId) -> None:
        self._keys.pop(job, None)

    def first(self) -> JobId | None:
        heap, keys = self._heap, self._keys
        while heap:
            key, job = heap[0]
            if keys.get(job) == key:
                return job
            heapq.heappop(heap)
        return None

    def key(self, job: JobId) -> Key:
        return self._keys[job]

    def pop(self) -> JobId | None:
        """Take the first job out."""
        job = self.first()
        if job is not None:
            heapq.heappop(self._heap)
            del self._keys[job]
        return job

    def __iter__(self) -> Iterator[JobId]:
        """All jobs, in no order that means anything."""
        return iter(self._keys)

    def __contains__(self, job: JobId) -> bool:
        return job in self._keys

    def __len__(self) -> int:
        return len(self._keys)
