"""Trains pocket from nothing: `python -m aios.models.pocket.train --out FOLDER`.

Several one-thread processes average their gradients; time decides the schedule, or steps do.
Stopped runs go on from their checkpoint. Knows nothing of how tasks are made.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from tokenizers import Tokenizer
from torch.multiprocessing.spawn import spawn

from aios.models.pocket.data import Batch, batches, collate, rows_of
from aios.models.pocket.model import loss_of, new_model, optimisers, right_rows, save_model
from aios.models.pocket.tasks import MIX, WEIGHTS, Mix, tasks
from aios.models.pocket.tokenizer import save_tokenizer, train_tokenizer

_WARM_UP_STEPS = 50
_FLAT = 0.4  # share of the run at the full rate; then it falls in a line
_LAST_RATE = 0.02
_SINGLE = 0.08  # share of the run with one request to a conversation: copying comes first
_CLIP = 1.0
_QUICK = 60  # tasks in each quick look at success


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that decides a run."""

    out: Path
    minutes: float
    steps: int | None
    processes: int
    tokens: int
    rate: float
    seed: int
    save_s: float
    mix: Mix


@dataclass(slots=True)
class Progress:
    """How far a run has come; survives in the checkpoint."""

    step: int = 0
    tokens: int = 0
    elapsed_s: float = 0.0

    def share(self, plan: Plan) -> float:
        if plan.steps is not None:
            return self.step / plan.steps
        return self.elapsed_s / (60 * plan.minutes)


def main(arguments: list[str]) -> None:
    """Train, and leave weights and tokenizer in the folder `--out`."""
    plan = _plan(arguments)
    plan.out.mkdir(parents=True, exist_ok=True)
    if not (plan.out / "tokenizer.json").exists():
        save_tokenizer(train_tokenizer(plan.seed), plan.out)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    meeting = plan.out / f"meeting-{os.getpid()}"
    spawn(_work, args=(plan, meeting), nprocs=plan.processes)  # type: ignore[no-untyped-call]
    meeting.unlink(missing_ok=True)


class _Run:
    """One process's part of a run."""

    def __init__(self, rank: int, plan: Plan) -> None:
        self.rank, self.plan, self.progress = rank, plan, Progress()
        self.tokenizer = Tokenizer.from_file(str(plan.out / "tokenizer.json"))
        torch.manual_seed(plan.seed)
        self.model = new_model(self.tokenizer)
        self.optimisers = optimisers(self.model, plan.rate)
        self.held = self._quick_set(held_out=True)
        self.seen = self._quick_set(held_out=False)
        self.loss = 0.0
        self.last_step_s = 0.0
        self._load()

    def go(self) -> None:
        """Take steps until the plan is fulfilled."""
        stages = {turns: self._batches(turns) for turns in (1, None)}
        saved_at = self.progress.elapsed_s
        while self.progress.share(self.plan) < 1.0:
            single = self.progress.share(self.plan) < _SINGLE
            self._step(next(stages[1 if single else None]))
            if self.progress.elapsed_s - saved_at > self.plan.save_s:
                saved_at = self.progress.elapsed_s
                self._report()
        self._report()

    def _batches(self, turns: int | None) -> Iterator[Batch]:
        seed = f"{self.plan.seed} {self.rank} {self.progress.step}"
        return batches(self.tokenizer, seed, self.plan.tokens, self.plan.mix, turns=turns)

    def _step(self, batch: Batch) -> None:
        began = time.perf_counter()
        rate = self.plan.rate * _rate(self.progress.step, self.progress.share(self.plan))
        loss = loss_of(self.model, batch)
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
            for group in optimiser.param_groups:
                group["lr"] = rate
        loss.backward()  # type: ignore[no-untyped-call]
        # The last step's time is shared too: every process must see the same schedule.
        extra = [loss.item(), float(batch.ids.numel()), self.last_step_s]
        mean_loss, tokens, spent_s = self._average(extra)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _CLIP)
        for optimiser in self.optimisers:
            optimiser.step()
        self.loss = 0.98 * self.loss + 0.02 * mean_loss if self.loss else mean_loss
        self.progress.step += 1
        self.progress.tokens += round(tokens * self.plan.processes)
        self.progress.elapsed_s += spent_s
        self.last_step_s = time.perf_counter() - began

    def _average(self, extra: list[float]) -> list[float]:
        """Average all gradients over the processes, and a few numbers with them."""
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        flat = torch.cat([*(gradient.flatten() for gradient in gradients), torch.tensor(extra)])
        dist.all_reduce(flat)
        flat /= self.plan.processes
        at = 0
        for gradient in gradients:
            gradient.copy_(flat[at : at + gradient.numel()].view_as(gradient))
            at += gradient.numel()
        return flat[at:].tolist()

    def _quick_set(self, *, held_out: bool) -> list[Batch]:
        drawn = list(tasks(f"quick {self.plan.seed}", _QUICK, held_out=held_out, turns=1))
        rows = sorted(rows_of(self.tokenizer, drawn), key=lambda row: len(row.ids))
        return [collate(self.tokenizer, rows[at : at + 15]) for at in range(0, _QUICK, 15)]

    def _report(self) -> None:
        if self.rank != 0:
            return
        scores = [
            sum(right_rows(self.model, batch) for batch in quick) / _QUICK
            for quick in (self.seen, self.held)
        ]
        at = self.progress
        print(
            f"{at.elapsed_s / 60:6.1f} min  step {at.step:6d}  {at.tokens / 1e6:6.2f} M tokens  "
            f"loss {self.loss:.4f}  values {scores[0]:.3f}  held phrasing {scores[1]:.3f}",
            flush=True,
        )
        self._save()

    def _save(self) -> None:
        at = self.progress
        kept = {
            "model": self.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "progress": (at.step, at.tokens, at.elapsed_s),
        }
        fresh = self.plan.out / "checkpoint.new"
        torch.save(kept, fresh)
        fresh.replace(self.plan.out / "checkpoint.pt")
        save_model(self.model, self.plan.out)

    def _load(self) -> None:
        path = self.plan.out / "checkpoint.pt"
        if not path.exists():
            return
        kept = torch.load(path, weights_only=True)
        self.model.load_state_dict(kept["model"])
        for optimiser, state in zip(self.optimisers, kept["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.progress = Progress(*kept["progress"])


def _work(rank: int, plan: Plan, meeting: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting.resolve()}", rank=rank, world_size=plan.processes
    )
    _Run(rank, plan).go()
    dist.destroy_process_group()


def _rate(step: int, share: float) -> float:
    warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
    falling = max(0.0, (min(share, 1.0) - _FLAT) / (1 - _FLAT))
    return warm * (1.0 - (1.0 - _LAST_RATE) * falling)


def _plan(arguments: list[str]) -> Plan:
    parser = argparse.ArgumentParser(prog="python -m aios.models.pocket.train")
    parser.add_argument("--out", type=Path, default=Path("pocket-run"))
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the whole run")
    parser.add_argument("--steps", type=int, help="length in steps instead of minutes")
    parser.add_argument("--processes", type=int, default=2, help="one thread each")
    parser.add_argument("--tokens", type=int, default=1400, help="per step and process")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save-s", type=float, default=180.0, help="between checkpoints")
    parser.add_argument(
        "--weight", action="append", default=[], metavar="KIND=W", help="change the mix of tasks"
    )
    parser.add_argument("--missing", type=float, default=MIX.missing, help="needed tool unlisted")
    parser.add_argument("--conversations", type=float, default=MIX.conversations)
    parser.add_argument("--blurred", type=float, default=0.1, help="frames with an unknown word")
    given = vars(parser.parse_args(arguments))
    changed = dict(WEIGHTS)
    for entry in given.pop("weight"):
        kind, _, weight = entry.partition("=")
        changed[kind] = float(weight)
    shares = {name: given.pop(name) for name in ("missing", "conversations", "blurred")}
    mix = Mix(weights=changed, **shares)
    return Plan(**given, mix=mix)


if __name__ == "__main__":
    main(sys.argv[1:])
