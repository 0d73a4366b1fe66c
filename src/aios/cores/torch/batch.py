"""One token boundary of everybody who runs: what it takes, the pass, and what each gains.

Decode rows of all branches and chunks of prompts go through the model together. Knows groups and
the pool; knows no order, no tier and no event but `Advanced`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from aios.cores.base import Advanced
from aios.cores.torch.forward import Forward
from aios.cores.torch.plan import Rows, Span
from aios.cores.torch.sampling import Chosen, Draw, choose
from aios.cores.torch.sequence import Branch, Group
from aios.cores.torch.settings import BLOCK_TOKENS, Settings
from aios.errors import AiosError, CoreFailed
from aios.syscalls.llm import Delta

Ints = npt.NDArray[np.int64]
Probe = Callable[[str, int, int, torch.Tensor], None]  # generation, branch, position, logits


@dataclass(slots=True)
class Step:
    """A decode row: one branch moves on by one token, known or about to be chosen."""

    group: Group
    branch: Branch
    row: int
    wanted: bool


@dataclass(slots=True)
class Stretch:
    """Prompt tokens of a group from what is computed up to `end`."""

    group: Group
    row: int
    end: int
    wanted: bool


@dataclass(slots=True)
class Turn:
    """What one forward pass is to do."""

    steps: list[Step]
    stretches: list[Stretch]
    rows: Ints  # of the steps
    positions: Ints
    unready: Ints  # indices of steps that need a block before they write


@dataclass(slots=True)
class _Gain:
    """What a group has gained since its last event."""

    group: Group
    prefilled: int = 0
    produced: int = 0
    deltas: list[Delta] = field(default_factory=list)


@dataclass(slots=True)
class _Pick:
    """A token to be chosen from row `source` of the logits."""

    gain: _Gain
    branch: Branch
    position: int
    source: int


class Batch:
    """Computes turns. `probe` is shown each row of logits that a token was chosen from."""

    def __init__(self, forward: Forward, settings: Settings, probe: Probe | None) -> None:
        self._forward = forward
        self._pool = forward.pool
        self._lanes = settings.lanes
        self._chunk = settings.chunk_tokens
        self._prefill = settings.prefill_tokens_per_step
        self._probe = probe
        self._gains: dict[str, _Gain] = {}
        self._failures: dict[str, AiosError] = {}
        self._ending: dict[str, Group] = {}  # some branch ended

    def turn(self, groups: Iterable[Group]) -> Turn:
        """The oldest groups, as many as the lanes hold, and as many chunks as a step may take."""
        steps: list[Step] = []
        stretches: list[Stretch] = []
        lanes, prefill = self._lanes, self._prefill
        for group in groups:
            lanes -= group.lanes
            if lanes < 0:
                break
            if not group.is_prefilling:
                steps += [_step(group, branch) for branch in group.active]
            elif prefill > 0:
                stretch = self._stretch(group, prefill)
                stretches.append(stretch)
                prefill -= stretch.end - group.computed
        rows = np.array([step.row for step in steps], dtype=np.int64)
        positions = np.array([step.branch.length for step in steps], dtype=np.int64)
        return Turn(steps, stretches, rows, positions, self._pool.unready(rows, positions))

    def need(self, turn: Turn) -> int:
        """Blocks that the turn may take from the pool."""
        need = sum(self._pool.missing(one.row, one.end) for one in turn.stretches)
        return need + len(turn.unready)

    def compute(self, turn: Turn) -> list[Advanced]:
        """One forward pass; there is room for its KV.

        Raises `CoreFailed` where the device has no memory for the rest: nobody has moved on then.
        """
        logits = self._forward.run(self._rows(turn))
        picks: list[_Pick] = []
        beams: list[tuple[_Gain, torch.Tensor]] = []
        source = self._moved_on(turn.steps, logits, picks, beams)
        for stretch in turn.stretches:
            self._computed(stretch)
            if stretch.wanted:
                self._open(stretch.group, logits[source : source + 1], source, picks, beams)
                source += 1
        for gain, scores in beams:
            self._grow(gain, scores)
        self._choose(picks, logits)
        gains, self._gains = self._gains, {}
        return [self._told(gain) for gain in gains.values()]

    def close(self, branch: Branch) -> None:
        """The branch holds nothing in the pool any more."""
        if branch.row is not None:
            self._pool.close(branch.row)
            branch.row = None

    def owe(self, group: Group, deltas: Sequence[Delta]) -> None:
        """Deltas of tokens that a snapshot holds and that were never delivered."""
        if deltas:
            gain = self._gain(group)
            gain.deltas += deltas
            gain.produced += sum(len(delta.token_ids) for delta in deltas)

    def paid(self, group: Group) -> list[Advanced]:
        """What is owed to a group that ends without another step."""
        gain = self._gains.pop(group.id, None)
        return [self._told(gain)] if gain else []

    def take_ended(self) -> list[Group]:
        """Groups with nothing left to compute, told once."""
        ending, self._ending = self._ending, {}
        return [group for group in ending.values() if not group.active]

    def take_failures(self) -> list[tuple[str, AiosError]]:
        """Groups that cannot go on, told once."""
        failures, self._failures = self._failures, {}
        return list(failures.items())

    # The pass.

    def _stretch(self, group: Group, tokens: int) -> Stretch:
        trunk = group.branches[0]
        if trunk.row is None:
            trunk.row = self._pool.open()
            # The last prompt token is always computed: its logits are what the answer begins with.
            cached = self._pool.cache.find(group.prompt[:-1])
            self._pool.append(trunk.row, cached)
            group.computed = group.cached = len(cached) * BLOCK_TOKENS
        whole = max(1, tokens // self._chunk) * self._chunk
        end = min(len(group.prompt), group.computed + whole)
        wanted = end == len(group.prompt) and (
            group.tree is not None or any(group.is_open(branch, 0) for branch in group.active)
        )
        return Stretch(group, trunk.row, end, wanted)

    def _rows(self, turn: Turn) -> Rows:
        rows, positions = turn.rows[turn.unready], turn.positions[turn.unready]
        self._pool.make_ready(rows.tolist(), positions.tolist())
        for stretch in turn.stretches:
            self._pool.grow(stretch.row, stretch.end)
        return Rows(
            rows=turn.rows,
            tokens=np.array([_next_token(step) for step in turn.steps], dtype=np.int64),
            positions=turn.positions,
            wanted=np.array([step.wanted for step in turn.steps], dtype=np.bool_),
            spans=[
                Span(
                    row=one.row,
                    start=one.group.computed,
                    tokens=one.group.prompt[one.group.computed : one.end],
                    wanted=one.wanted,
                )
                for one in turn.stretches
            ],
        )

    # What came of it.

    def _moved_on(
        self,
        steps: Sequence[Step],
        logits: torch.Tensor,
        picks: list[_Pick],
        beams: list[tuple[_Gain, torch.Tensor]],
    ) -> int:
        """Note each decode row's progress; returns how many rows of logits they had."""
        source = 0
        for step in steps:
            group, branch = step.group, step.branch
            gain = self._gain(group)
            branch.length += 1
            if not step.wanted:
                gain.prefilled += 1
                continue
            if group.tree is None:
                position = branch.length - len(group.prompt)
                picks.append(_Pick(gain, branch, position, source))
            elif branch.index == 0:
                beams.append((gain, logits[source : source + len(group.active)]))
            source += 1
        return source

    def _computed(self, stretch: Stretch) -> None:
        group = stretch.group
        self._gain(group).prefilled += stretch.end - group.computed
        group.computed = stretch.end
        self._pool.cache.keep(group.prompt[: stretch.end], self._pool.blocks(stretch.row))
        if not group.is_prefilling:
            for branch in group.active:
                branch.length = stretch.end
                if branch.row is None:
                    branch.row = self._pool.fork(stretch.row)
            if group.branches[0] not in group.active:
                self.close(group.branches[0])  # It ended before; it only lent its row.

    def _open(
        self,
        group: Group,
        logits: torch.Tensor,
        source: int,
        picks: list[_Pick],
        beams: list[tuple[_Gain, torch.Tensor]],
    ) -> None:
        """The prompt's last logits are every branch's first."""
        gain = self._gain(group)
        if group.tree is not None:
            beams.append((gain, logits))
            return
        open_ = [branch for branch in group.active if group.is_open(branch, 0)]
        picks += [_Pick(gain, branch, 0, source) for branch in open_]

    def _grow(self, gain: _Gain, logits: torch.Tensor) -> None:
        group = gain.group
        if self._probe is not None:
            for branch, row in zip(group.active, logits, strict=True):
                self._probe(group.id, branch.index, len(branch.produced), row)
        try:
            move = group.grow_tree(logits)
        except AiosError as problem:
            self._failures[group.id] = problem
            return
        gain.produced += len(logits)
        if move.done:
            for branch in group.branches:
                self.close(branch)
            self._ending[group.id] = group
            return
        rows: list[int | None] = [*self._pool.reparent(group.rows, move.parents)]
        rows += [None] * (len(group.branches) - len(rows))
        for branch, row in zip(group.branches, rows, strict=True):
            branch.row = row

    def _choose(self, wanted: Sequence[_Pick], logits: torch.Tensor) -> None:
        picks: list[_Pick] = []
        draws: list[Draw] = []
        for pick in wanted:
            try:
                draws.append(pick.gain.group.draw(pick.branch, pick.position, logits.shape[1]))
            except AiosError as problem:  # Its grammar cannot go on; the others' can.
                self._failures[pick.gain.group.id] = problem
            else:
                picks.append(pick)
        if not picks:
            return
        sources = [pick.source for pick in picks]
        if sources != list(range(len(logits))):
            logits = logits.index_select(0, torch.tensor(sources, device=logits.device))
        if self._probe is not None:
            for pick, row in zip(picks, logits, strict=True):
                self._probe(pick.gain.group.id, pick.branch.index, pick.position, row)
        for at, chosen in enumerate(self._chosen(logits, draws)):
            pick = picks[at]
            try:
                self._accept(pick, _in_grammar(pick, chosen, logits[at : at + 1]))
            except AiosError as problem:
                self._failures[pick.gain.group.id] = problem

    def _chosen(self, logits: torch.Tensor, draws: Sequence[Draw]) -> Sequence[Chosen | CoreFailed]:
        """All at once; where one row cannot be chosen from, row by row to find out which."""
        try:
            return choose(logits, draws)
        except CoreFailed:
            return [_try_choose(logits[at : at + 1], draw) for at, draw in enumerate(draws)]

    def _accept(self, pick: _Pick, chosen: Chosen | CoreFailed) -> None:
        if isinstance(chosen, CoreFailed):
            raise chosen
        gain, branch = pick.gain, pick.branch
        delta = gain.group.accept(branch, pick.position, chosen)
        if delta is None:
            gain.prefilled += 1
        else:
            gain.produced += 1
            gain.deltas.append(delta)
        if branch.finish is not None and branch not in gain.group.active:
            self.close(branch)
            self._ending[gain.group.id] = gain.group

    def _gain(self, group: Group) -> _Gain:
        gain = self._gains.get(group.id)
        if gain is None:
            gain = self._gains[group.id] = _Gain(group)
        return gain

    def _told(self, gain: _Gain) -> Advanced:
        rows = gain.group.rows
        return Advanced(
            id=gain.group.id,
            prefilled=gain.prefilled,
            produced=gain.produced,
            kv_tokens=self._pool.held_blocks(rows) * BLOCK_TOKENS,
            deltas=tuple(gain.deltas),
        )


def _step(group: Group, branch: Branch) -> Step:
    assert branch.row is not None, "a branch that decodes has a row"
    wanted = group.tree is not None or group.is_open(branch, branch.length + 1 - len(group.prompt))
    return Step(group, branch, branch.row, wanted)


def _next_token(step: Step) -> int:
    return step.branch.produced[step.branch.length - len(step.group.prompt)]


def _in_grammar(
    pick: _Pick, chosen: Chosen | CoreFailed, logits: torch.Tensor
) -> Chosen | CoreFailed:
    """What was chosen, or the choice among what the grammar allows."""
    group = pick.gain.group
    if isinstance(chosen, CoreFailed) or group.allows(pick.branch, pick.position, chosen.token):
        return chosen
    return _try_choose(logits, group.strict_draw(pick.branch, pick.position))


def _try_choose(logits: torch.Tensor, draw: Draw) -> Chosen | CoreFailed:
    try:
        return choose(logits, [draw])[0]
    except CoreFailed as problem:
        return problem
