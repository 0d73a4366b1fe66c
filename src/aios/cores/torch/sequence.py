"""A generation under way: its branches, what each has said, and how a chosen token changes it.

Everything here but the rows of the pool is a function of token ids, so a snapshot holds token ids
and no text or grammar state. Knows no tensor of the model and no tier.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import xxhash

from aios.cores.base import Finished, Generation
from aios.cores.torch.beam import BeamMove, BeamTree, advance, harvest, plant
from aios.cores.torch.grammar import Grammar
from aios.cores.torch.language import Language
from aios.cores.torch.sampling import Chosen, Draw
from aios.cores.torch.text import TextStream
from aios.syscalls.llm import Choice, Decoding, Delta, FinishReason, TokenLogprob

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(slots=True, kw_only=True, eq=False)
class Branch:
    """One answer in the making. `length` tokens of prompt and answer have their KV computed."""

    index: int
    text: TextStream
    grammar: Grammar | None
    row: int | None = None  # in the pool's tables; None before the fork and after the end
    length: int = 0
    produced: list[int] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    finish: FinishReason | None = None


class Group:
    """All branches of one generation: samples of their own, or the beams of a tree."""

    def __init__(self, generation: Generation, language: Language, eos: frozenset[int]) -> None:
        decoding = generation.decoding
        self.id = generation.id
        self.prompt = generation.prompt
        self.decoding = decoding
        self.computed = 0  # prompt tokens whose KV is there
        self.cached = 0  # of these, found in the prefix cache
        self.recomputed = ""  # why a snapshot could not be used
        self.tree: BeamTree | None = None
        self._language = language
        self._eos = eos
        self._limit = language.limits.answer_tokens(len(self.prompt), decoding)
        self._penalised = _reads_context(decoding)
        self.branches = [
            Branch(index=i, text=language.stream(decoding), grammar=language.grammar(decoding))
            for i in range(decoding.branches)
        ]
        self._seed = decoding.seed or 0
        # A greedy choice reads the logits alone, so one draw does for all positions: the best of
        # all tokens, where the grammar allows it, is the best of those that the grammar allows.
        self._plain: Draw | None = None
        if decoding.temperature == 0 and not self._penalised:
            self._plain = self._draw(self.branches[0], 0, None)
        if decoding.beams:
            self.tree = plant(decoding.beams, len(self.prompt), self._limit, decoding.n, eos)

    @property
    def is_prefilling(self) -> bool:
        return self.computed < len(self.prompt)

    @property
    def active(self) -> list[Branch]:
        """Branches with something left to compute; of beams, the live ones."""
        if self.tree:
            return [] if self.tree.done else self.branches[: len(self.tree.live)]
        return [branch for branch in self.branches if branch.finish is None or self._lacks(branch)]

    @property
    def lanes(self) -> int:
        """Lanes that it takes, now or as soon as its prompt is computed."""
        return len(self.branches) if self.tree or self.is_prefilling else len(self.active)

    @property
    def rows(self) -> list[int]:
        """Rows of the pool that it holds."""
        return [branch.row for branch in self.branches if branch.row is not None]

    def is_open(self, branch: Branch, position: int) -> bool:
        """Whether the logits at answer index `position` are needed."""
        return position >= len(branch.produced) or (
            self.decoding.logprobs is not None and position >= len(branch.logprobs)
        )

    def draw(self, branch: Branch, position: int, vocab_size: int) -> Draw:
        """What decides the token at `position` besides the logits; a known token is forced.

        Where the grammar does not allow what comes of it, `strict_draw` decides.
        """
        if position < len(branch.produced):
            return self._draw(
                branch, position, torch.arange(vocab_size) == branch.produced[position]
            )
        return self._plain or self.strict_draw(branch, position)

    def strict_draw(self, branch: Branch, position: int) -> Draw:
        """The same, from the tokens that the grammar allows."""
        return self._draw(branch, position, branch.grammar.mask() if branch.grammar else None)

    def allows(self, branch: Branch, position: int, token: int) -> bool:
        """Whether the grammar allows what `draw` led to."""
        if self._plain is None or branch.grammar is None or position < len(branch.produced):
            return True
        return branch.grammar.allows(token)

    def accept(self, branch: Branch, position: int, chosen: Chosen) -> Delta | None:
        """The branch gains a token; what a reader may be shown, None where it was known."""
        if chosen.logprob is not None:
            branch.logprobs.append(chosen.logprob)
        if position < len(branch.produced):
            return None
        branch.produced.append(chosen.token)
        text = self._read(branch, (chosen.token,))
        return Delta(
            index=branch.index,
            text=text,
            token_ids=(chosen.token,),
            logprobs=(chosen.logprob,) if chosen.logprob else (),
        )

    def tell(self, branch: Branch, tokens: Sequence[int]) -> str:
        """Append tokens that were chosen before; the text they add."""
        branch.produced.extend(tokens)
        return self._read(branch, tokens)

    def grow_tree(self, logits: torch.Tensor) -> BeamMove:
        """All live beams gain a token, from one row of logits each; says who descends from whom."""
        assert self.tree is not None
        # A copy begins where memory is aligned. On a GPU the order of a sum follows the alignment,
        # and where the rows lie in the batch is the company's doing.
        scores = torch.log_softmax(logits.clone(), dim=-1)
        for beam, branch in enumerate(self.active):
            if branch.grammar:
                scores[beam].masked_fill_(~branch.grammar.mask().to(scores.device), -torch.inf)
        self.tree, move = advance(self.tree, scores)
        if not move.done:
            self._reparent(move)
        return move

    def finished(self) -> Finished:
        """The event that ends it."""
        choices = self._hypotheses() if self.tree else map(self._choice, self.branches)
        return Finished(
            id=self.id,
            choices=tuple(choices),
            cached_tokens=self.cached,
            recomputed=self.recomputed,
        )

    def _draw(self, branch: Branch, position: int, mask: torch.Tensor | None) -> Draw:
        return Draw(
            decoding=self.decoding,
            seed=self._seed,
            branch=branch.index,
            position=position,
            context=(*self.prompt, *branch.produced[:position]) if self._penalised else (),
            prompt_tokens=len(self.prompt),
            mask=mask,
        )

    def _read(self, branch: Branch, tokens: Sequence[int]) -> str:
        """Move text and grammar of a branch on, and end it where these tokens end it."""
        ended = bool(tokens) and tokens[-1] in self._eos
        words = tokens[:-1] if ended else tokens
        text = branch.text.push(words) if words else ""
        if branch.grammar:
            branch.grammar.replay(words)
        done = (
            ended or branch.text.stopped or (branch.grammar is not None and branch.grammar.is_done)
        )
        if done:
            branch.finish = "stop"
        elif len(branch.produced) >= self._limit:
            branch.finish = "length"
        return text + branch.text.flush() if branch.finish else text

    def _lacks(self, branch: Branch) -> bool:
        """Ended, but its log-probabilities were lost and are computed again."""
        return self.decoding.logprobs is not None and len(branch.logprobs) < len(branch.produced)

    def _reparent(self, move: BeamMove) -> None:
        children = Counter(move.parents)
        old = [(branch.produced, branch.grammar, branch.length) for branch in self.branches]
        for branch, parent, token in zip(self.branches, move.parents, move.tokens, strict=False):
            produced, grammar, branch.length = old[parent]
            children[parent] -= 1
            # The last child takes its parent's grammar, the others a copy each.
            branch.grammar = grammar.fork() if grammar and children[parent] else grammar
            branch.produced = [*produced, token]
        for branch, token in zip(self.branches, move.tokens, strict=False):
            if branch.grammar:
                branch.grammar.accept(token)

    def _choice(self, branch: Branch) -> Choice:
        assert branch.finish is not None
        message = self._language.message(
            branch.text.text, self.decoding, self._call_prefix(branch.index)
        )
        return Choice(
            index=branch.index,
            message=message,
            finish_reason="tool_calls" if message.tool_calls else branch.finish,
            token_ids=tuple(branch.produced),
            logprobs=tuple(branch.logprobs),
        )

    def _call_prefix(self, index: int) -> str:
        """Four letters and digits that depend on the generation and the choice alone."""
        number = xxhash.xxh32_intdigest(f"{self.id} {index}".encode())
        return "".join(
            _DIGITS[number // len(_DIGITS) ** place % len(_DIGITS)] for place in range(4)
        )

    def _hypotheses(self) -> list[Choice]:
        assert self.tree is not None
        choices = []
        for index, best in enumerate(harvest(self.tree)):
            stream = self._language.stream(self.decoding)
            words = [token for token in best.token_ids if token not in self._eos]
            text = stream.push(words) + stream.flush()
            message = self._language.message(text, self.decoding, self._call_prefix(index))
            reason: FinishReason = "stop" if best.finished else "length"
            choices.append(
                Choice(
                    index=index,
                    message=message,
                    finish_reason="tool_calls" if message.tool_calls else reason,
                    token_ids=tuple(best.token_ids),
                    score=best.score,
                )
            )
        return choices


def _reads_context(decoding: Decoding) -> bool:
    return (
        decoding.repetition_penalty != 1
        or decoding.presence_penalty != 0
        or decoding.frequency_penalty != 0
    )
