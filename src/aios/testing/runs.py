"""One scripted generation inside a core: how far it is, what it holds, what it still owes.

All branches advance in step, so two numbers say where it stands: the prompt tokens that are to be
prefilled yet and the answer tokens that are done. Knows no core and no time.
"""

from collections.abc import Sequence

from aios.cores.base import Generation
from aios.syscalls.llm import Choice, Delta
from aios.testing.answers import Spoken
from aios.testing.store import Place


class Run:
    """Invariant: `delivered` <= `done` <= `length`, and nothing is produced while `todo` > 0."""

    def __init__(self, generation: Generation, spoken: Sequence[Spoken]) -> None:
        self.generation = generation
        self.id = generation.id
        self.length = max(len(branch.token_ids) for branch in spoken)
        self.todo = len(generation.prompt)
        self.done = 0
        self.delivered = 0
        self.recomputed = ""
        self._spoken = spoken

    def restore(self, place: Place, delivered: int) -> None:
        """Go on from `place`; delivered tokens beyond it are replayed, which costs as prefill."""
        replayed = max(0, self._produced(delivered) - self._produced(place.done))
        self.todo = place.todo + replayed
        self.done = max(place.done, delivered)
        self.delivered = delivered
        self.recomputed = self.recomputed or place.recomputed

    def check(self, produced: Sequence[Sequence[int]]) -> None:
        """Assert that the kernel was delivered exactly what this generation has said so far."""
        assert max(map(len, produced), default=0) == self.delivered, (
            f"{self.id}: {self.delivered} tokens were delivered, told of {produced}"
        )
        for spoken, told in zip(self._spoken, produced, strict=False):
            said = spoken.token_ids[: self.delivered]
            assert said == tuple(told), f"{self.id}: delivered {said}, told of {told}"

    def place(self) -> Place:
        return Place(todo=self.todo, done=self.done, recomputed=self.recomputed)

    def kv_tokens(self, block: int, prefill: int = 0, ahead: int = 0) -> int:
        """KV held, in whole blocks, once `prefill` more prompt tokens and a step are done."""
        prompt, todo = len(self.generation.prompt), self.todo - prefill
        if todo:
            held = prompt + self._produced(self.done) - todo
            return -(-held // block) * block
        shared = prompt // block * block if len(self._spoken) > 1 else 0
        done = min(self.done + ahead, self.length)
        own = (prompt - shared + min(done, len(branch.token_ids)) for branch in self._spoken)
        return shared + sum(-(-tokens // block) * block for tokens in own)

    def produce(self, tokens: int) -> int:
        """Every branch that has not ended gains `tokens`; tells how many that are in all."""
        before = self._produced(self.done)
        self.done = min(self.done + tokens, self.length)
        return self._produced(self.done) - before

    def delivery(self) -> tuple[Delta, ...]:
        """What was produced and not delivered yet."""
        start, self.delivered = self.delivered, self.done
        return tuple(
            Delta(index, branch.text(start, self.done), branch.token_ids[start : self.done])
            for index, branch in enumerate(self._spoken)
            if len(branch.token_ids) > start < self.done
        )

    def choices(self) -> tuple[Choice, ...]:
        return tuple(branch.choice(index) for index, branch in enumerate(self._spoken))

    def _produced(self, done: int) -> int:
        return sum(min(done, len(branch.token_ids)) for branch in self._spoken)
