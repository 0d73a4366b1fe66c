"""Streams of uses for the tests of eviction."""

from random import Random


def popular(seed: int, keys: int = 1_000, uses: int = 20_000) -> list[int]:
    """Some keys are used much more often than others."""
    weights = [1 / (rank + 1) for rank in range(keys)]
    return Random(seed).choices(range(keys), weights, k=uses)


def popular_with_scans(seed: int) -> list[int]:
    """As `popular`, with stretches of keys that are used once."""
    chance = Random(seed)
    uses, fresh = [], 1_000_000
    for key in popular(seed):
        uses.append(key)
        if chance.random() < 0.005:
            uses += range(fresh, fresh + 200)
            fresh += 200
    return uses


def loop(length: int, rounds: int) -> list[int]:
    """The same keys in the same order, again and again."""
    return list(range(length)) * rounds


def log(writes: int, rounds: int) -> list[int]:
    """New keys, of which only the last few are used again."""
    uses: list[int] = []
    for number in range(rounds):
        end = (number + 1) * writes
        uses += [*range(end - writes, end), *range(end - writes // 8, end)]
    return uses


def turns(seed: int, agents: int = 12, rounds: int = 400) -> list[int]:
    """Agents in no order, each reading all of its pages at each turn and adding one."""
    chance = Random(seed)
    pages = [list(range(agent * 10_000, agent * 10_000 + 20)) for agent in range(agents)]
    uses: list[int] = []
    for _ in range(rounds):
        mine = chance.choice(pages)
        mine.append(mine[-1] + 1)
        uses += mine
    return uses


def short_lives(seed: int, agents: int = 800, at_once: int = 16) -> list[int]:
    """Agents in no order: most take two turns over 15 pages, a third of those two or three more."""
    chance = Random(seed)
    uses: list[int] = []
    live: list[tuple[range, int]] = []
    for number in range(agents):
        turns = 2 if chance.random() < 0.67 else chance.randint(4, 5)
        live.append((range(number * 100, number * 100 + 15), turns))
        while len(live) == at_once:
            pages, left = live.pop(chance.randrange(at_once))
            uses += pages
            if left > 1:
                live.append((pages, left - 1))
    return uses
