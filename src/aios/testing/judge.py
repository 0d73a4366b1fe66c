"""Holds a kernel to a ledger: everything acknowledged is there, and nothing was done twice.

Asks by syscalls alone, as any client would. The clients must stand still, with no step of theirs
unheard: see `Crowd.resume`. Bytes that the kernel says are damaged are its `Damaged`, no finding.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from aios.errors import AiosError, Damaged, DeadlineExceeded, NotFound
from aios.sdk.toolbox import UNKNOWN
from aios.syscalls import Inspect, List, Receive, Wait, file, history, memory, note
from aios.testing.answers import invented
from aios.testing.crowd import DIARY, Crowd
from aios.testing.ledger import BIRTH, Entry
from aios.testing.outside import Outside
from aios.testing.script import Script
from aios.testing.steps import NOTHING, TOKENS_MAX, Kind, Step, generation, large

LOST, DOUBLED = "lost", "doubled"
ASKED_AGAIN = 3  # steps of each client, drawn by chance
NOTES_MAX = 1_000  # of one client that can be looked through


class Finding(NamedTuple):
    """Something acknowledged that is gone or changed, or an effect that is there twice."""

    fault: str
    what: str


class Judge:
    """One look at one kernel. `outside` is what tools did, `script` what the core says."""

    def __init__(self, crowd: Crowd, outside: Outside, script: Script, chance: Random) -> None:
        self._crowd = crowd
        self._outside = outside
        self._script = script
        self._chance = chance
        self._found: set[Finding] = set()

    async def findings(self, *, is_last: bool = False) -> set[Finding]:
        """All that is wrong. The last look empties the mailboxes, to know every letter."""
        await asyncio.gather(*map(self._client, range(self._crowd.clients)))
        await self._mail(is_last=is_last)
        await self._births()
        for what, times in self._outside.times().items():
            if times > 1:
                self._found.add(Finding(DOUBLED, f"act {what}"))
        return self._found

    async def _client(self, client: int) -> None:
        steps = self._steps(client)
        looks: Mapping[Kind, Callable[[int, Sequence[Step]], Coroutine[Any, Any, None]]] = {
            Kind.APPEND: self._log,
            Kind.WRITE: self._state,
            Kind.NOTE: self._notes,
            Kind.LOOSE: self._loose,
            Kind.TURN: self._turns,
            Kind.FILE: self._file,
            Kind.GENERATE: self._generations,
            Kind.LARGE: self._large,
            Kind.WORKER: self._workers,
        }
        for kind, look in looks.items():
            if steps.get(kind):
                try:
                    await look(client, steps[kind])
                except Damaged:
                    raise
                except AiosError as error:
                    self._found.add(Finding(LOST, f"{kind} of {client}: {error.code}: {error}"))
        await self._again(client)

    def _steps(self, client: int) -> dict[Kind, list[Step]]:
        """What a client was told that it did, in order."""
        steps: dict[Kind, list[Step]] = {}
        for number, entry in self._crowd.ledger.known(client).items():
            if number != BIRTH and entry.is_known:
                one = self._crowd.step(client, number)
                steps.setdefault(one.kind, []).append(one)
        return steps

    async def _log(self, client: int, steps: Sequence[Step]) -> None:
        self._same_texts(steps, _texts(await self._block(client, "log")))

    async def _loose(self, client: int, steps: Sequence[Step]) -> None:
        texts = _texts(await self._block(client, "loose"))
        known = {one.text for one in steps}
        self._same_texts(steps, [text for text in texts if text in known])
        self._unknown_once(client, [text for text in texts if text not in known])

    async def _state(self, client: int, steps: Sequence[Step]) -> None:
        if await self._block(client, "state") != f"{steps[-1].text};".encode():
            self._lost(steps[-1])

    async def _large(self, client: int, steps: Sequence[Step]) -> None:
        if await self._block(client, "large") != large(steps[-1]):
            self._lost(steps[-1])

    async def _notes(self, client: int, steps: Sequence[Step]) -> None:
        found = (await self._call(client, note.Search(limit=NOTES_MAX))).notes
        texts = Counter(one.note.text.removeprefix("note ") for one in found)
        self._compare(Counter(one.text for one in steps), texts, Kind.NOTE)
        ids = {one.note.id for one in found}
        for one in steps:
            if self._fact(one) not in ids:
                self._lost(one)

    async def _turns(self, client: int, steps: Sequence[Step]) -> None:
        told = await self._call(client, history.Turns(name="talk"))
        self._same_texts(steps, [message.content or "" for message in told.messages])

    async def _file(self, client: int, steps: Sequence[Step]) -> None:
        data = (await self._call(client, file.ReadFile(path="papers/doc"))).data
        if data != f"{steps[-1].text};".encode():
            self._lost(steps[-1])
        kept = (await self._call(client, file.Versions(path="papers/doc"))).versions
        newest = max(one.version for one in kept)
        if newest != len(steps):
            fault = LOST if newest < len(steps) else DOUBLED
            self._found.add(Finding(fault, f"versions of {client}: {newest} of {len(steps)}"))

    async def _generations(self, client: int, steps: Sequence[Step]) -> None:
        for one in steps:
            call = generation(one)
            said = invented(call.token_ids, call.decoding, self._script.answer_tokens, TOKENS_MAX)
            if self._fact(one) != " ".join(map(str, said[0].token_ids)):
                self._lost(one)

    async def _workers(self, client: int, steps: Sequence[Step]) -> None:
        for one in steps:
            pid = self._fact(one)
            assert isinstance(pid, int)
            how = await self._call(client, Wait(pid=pid, timeout_s=60))
            if how.error.startswith(Damaged.code):
                raise Damaged(how.error)
            owner = f"client-{client}/worker-{one.number}"
            diary = await self._block(client, "diary", owner)
            is_done = how.result in (one.text, UNKNOWN) and diary == DIARY
            if not is_done or (how.result == one.text and one.text not in self._outside.acts):
                fault = DOUBLED if len(diary) > len(DIARY) else LOST
                self._found.add(Finding(fault, f"worker {one.text}: {how}, diary {diary!r}"))

    async def _again(self, client: int) -> None:
        """Who asks again is told the same."""
        told = [
            entry
            for number, entry in self._crowd.ledger.known(client).items()
            if number != BIRTH and entry.is_known and self._crowd.step(client, number).key
        ]
        for entry in self._chance.sample(told, min(ASKED_AGAIN, len(told))):
            one = self._crowd.step(client, entry.number)
            try:
                again: Entry | str = await self._crowd.ask(one)
            except Damaged:
                raise
            except AiosError as error:
                again = f"{error.code}: {error}"
            if again != entry:
                self._found.add(Finding(LOST, f"reply {one.text} ({one.kind}): now {again}"))

    async def _mail(self, *, is_last: bool) -> None:
        """What was sent was received once, or lies in the mailbox."""
        for client in range(self._crowd.clients):
            sender = (client - 1) % self._crowd.clients
            sent = Counter(one.text for one in self._steps(sender).get(Kind.SEND, ()))
            steps = self._steps(client).get(Kind.RECEIVE, ())
            heard = Counter(str(self._fact(one)) for one in steps)
            heard.pop(NOTHING, None)
            if is_last:
                heard += Counter([text async for text in self._letters(client)])
                self._compare(sent, heard, "letter")
            else:
                left = await self._waiting(client)
                self._compare_counts(client, sent.total(), heard.total() + left)

    async def _waiting(self, client: int) -> int:
        kernel, pid = self._crowd.kernel, self._crowd.born[client].pid
        return (await kernel.call(kernel.token, Inspect(pid=pid))).mail

    async def _letters(self, client: int) -> Any:
        while True:
            try:
                yield str((await self._call(client, Receive(timeout_s=0))).body)
            except DeadlineExceeded:
                return

    async def _births(self) -> None:
        """Every client is one process, the one it was."""
        kernel, crowd = self._crowd.kernel, self._crowd
        table = (await kernel.call(kernel.token, List())).processes
        living = Counter(one.name for one in table if one.parent == 1)
        for client, born in enumerate(crowd.born):
            if crowd.ledger.known(client)[BIRTH].fact != born.pid:
                self._found.add(Finding(LOST, f"client {client}: it is process {born.pid} now"))
            if living[f"client-{client}"] != 1:
                times = living[f"client-{client}"]
                self._found.add(Finding(DOUBLED, f"client {client}: there are {times} of it"))

    def _same_texts(self, steps: Sequence[Step], found: Sequence[str]) -> None:
        expected = [one.text for one in steps]
        if list(found) == expected:
            return
        kind = steps[0].kind
        self._compare(Counter(expected), Counter(found), kind)
        if Counter(found) == Counter(expected):
            self._found.add(Finding(LOST, f"order of {kind} of {steps[0].client}"))

    def _compare(self, expected: Counter[str], found: Counter[str], kind: str) -> None:
        self._found |= {Finding(LOST, f"{kind} {text}") for text in expected - found}
        self._found |= {Finding(DOUBLED, f"{kind} {text}") for text in found - expected}

    def _compare_counts(self, client: int, sent: int, there: int) -> None:
        if sent != there:
            fault = LOST if there < sent else DOUBLED
            self._found.add(Finding(fault, f"letters to {client}: {there} of {sent}"))

    def _unknown_once(self, client: int, texts: Sequence[str]) -> None:
        """A call that nobody heard of was made once, or not at all."""
        entries = self._crowd.ledger.known(client).values()
        allowed = Counter(f"{client}.{one.number}" for one in entries if not one.is_known)
        extra = Counter(texts) - allowed
        self._found |= {Finding(DOUBLED, f"{Kind.LOOSE} {text}") for text in extra}

    def _lost(self, one: Step) -> None:
        self._found.add(Finding(LOST, f"{one.kind} {one.text}"))

    def _fact(self, one: Step) -> str | int:
        return self._crowd.ledger.known(one.client)[one.number].fact

    async def _block(self, client: int, name: str, owner: str = "") -> bytes:
        try:
            return bytes((await self._call(client, memory.Read(name=name, owner=owner))).data)
        except NotFound:
            return b""

    async def _call(self, client: int, call: Any) -> Any:
        return await self._crowd.kernel.call(self._crowd.born[client].token, call)


def _texts(data: bytes) -> list[str]:
    return data.decode().split(";")[:-1]
