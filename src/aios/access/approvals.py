"""Questions to a human: what they are bound to, what a yes does in plain words, what they become.

Pure: what is open is in a book; who waits, and where it is kept, the book does not know.
"""

from collections import deque
from collections.abc import Iterator
from hashlib import sha256

from msgspec.structs import replace

from aios.access.base import Act
from aios.errors import Busy, InvalidArgument, NotFound, WrongState
from aios.syscalls.approval import Answer, Approval

CLOSED_KEPT = 1_000  # questions that are over and can still be listed

CONSEQUENCES: dict[str, str] = {
    "access.add_privilege": "{owner} joins or leaves the group {object}, with all its rights",
    "approval.ask": "{agent} is told yes, with the note that comes with it: {object}",
    "access.ask": "{agent} gets the right that the arguments below name",
    "access.endorse": "what process {object} has heard counts as trusted, wherever it came from",
    "access.plan": "{agent} says what it is going to do; that is not asked again",
    "access.grant": "{object} gets a right from {agent}",
    "access.revoke": "the right {object} ends, and all that come from it",
    "budget.set": "the account {owner} gets another limit of {object}",
    "budget.top_up": "the account {owner} may spend more {object}",
    "file.append": "{agent} adds to the file {object}; the present content stays as a version",
    "file.copy": "{agent} makes a copy of {object}",
    "file.create": "{agent} makes the file {object}",
    "file.delete": "{object} goes away: into the bin, from which it can be restored for a while",
    "file.edit": "{agent} changes the file {object}; the present content stays as a version",
    "file.mkdir": "{agent} makes the folder {object}",
    "file.mount": "the machine's folder behind {object} can be seen by an agent, or written too",
    "file.move": "{object} is found by another path from then on",
    "file.restore": "{object} comes back from the bin",
    "file.revoke": "a link to a file ends at once",
    "file.rollback": "{object} gets older content; the present content stays as a version",
    "file.share": "whoever has the link reads {object} until the link ends",
    "file.transaction": "{agent} makes several changes to its files at once: see the arguments",
    "file.unmount": "{agent} does not see the folder {object} any more; its files stay",
    "file.write": "{agent} replaces the content of {object}; the old one stays as a version",
    "history.drop": "the conversation {object} is forgotten for good",
    "history.extend": "{agent} adds messages to the conversation {object}",
    "history.fork": "{agent} makes a second conversation of {object}",
    "history.rollback": "the newest messages of the conversation {object} are forgotten for good",
    "llm.generate": "{agent} has a model answer, which may cost money",
    "llm.stream": "{agent} has a model answer, which may cost money",
    "memory.alloc": "{agent} makes the memory block {object}",
    "memory.append": "{agent} adds to the memory block {object}",
    "memory.clear": "the content of the memory block {object} is lost for good",
    "memory.free": "the memory block {object} is lost for good",
    "memory.share": "another agent may read the memory block {object}, or write it",
    "memory.write": "the content of the memory block {object} is replaced; the old one is lost",
    "model.add": "an engine starts with the model {object}, and takes memory for it",
    "model.remove": "the model {object} is served no more; its calls under way fail",
    "scheduler.set_policy": "lanes are given out by the policy {object}, for every agent at once",
    "note.add": "{agent} makes a note",
    "note.link": "{agent} joins the note {object} to another, or parts them",
    "note.remove": "the note {object} is lost for good",
    "note.share": "another agent may read the note {object}, or write it",
    "note.update": "the note {object} is changed; what it said before is lost",
    "process.exit": "{agent} ends, and what it returns is told to whoever started it",
    "process.kill": "process {object} ends at once, with all that it started",
    "process.pause": "process {object} stands still until it is resumed",
    "process.resume": "process {object} goes on",
    "process.send": "process {object} gets a message from {agent}",
    "process.spawn": "{agent} starts another agent, {object}",
    "program.start": "a program is started on this machine that may do all that you may",
    "program.feed": "the program of process {object} is given input",
    "tool.accept": "the tool {object} may be used as it describes itself now",
    "tool.add": "the tools of {object} can be called; what it starts runs on this machine",
    "tool.batch": "{agent} runs the tools {object}, with the arguments below",
    "tool.call": "{agent} runs the tool {object} with exactly the arguments below",
    "tool.remove": "the tools of {object} are gone",
}
ANYTHING_ELSE = "{agent} does {verb} on {object}"
NOTHING = "nothing in particular"

OVER = {Answer.EXPIRED, Answer.USED, Answer.GONE}


def digest_of(verb: str, object: str, arguments: bytes) -> str:
    """What a yes is bound to. Lengths stand before the parts: no two acts share a text."""
    parts = (verb.encode(), object.encode(errors="surrogatepass"), arguments)
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return sha256(framed).hexdigest()


def consequence(act: Act, agent: str) -> str:
    """What a yes does, in plain words."""
    words = CONSEQUENCES.get(act.verb, ANYTHING_ELSE)
    name = act.object or NOTHING
    whose = "" if act.owner == agent or "{owner}" in words else f" of {act.owner}"
    return words.format(verb=act.verb, agent=agent, owner=act.owner, object=f"{name}{whose}")


class Book:
    """Open questions by number and by what they are about; lately closed ones."""

    def __init__(self, *, each_max: int, all_max: int) -> None:
        self._each_max = each_max
        self._all_max = all_max
        self._open: dict[int, Approval] = {}  # oldest first: pending, or answered and not over
        self._by_act: dict[tuple[str, str], int] = {}  # those that the same act finds again
        self._taken: set[int] = set()  # yeses that an act under way uses
        self._posted: set[int] = set()  # on their way to the journal: nobody is shown them
        self._answering: set[int] = set()  # whose answer is being made durable
        self._closed: deque[Approval] = deque(maxlen=CLOSED_KEPT)
        self.last = 0

    def restore(self, approval: Approval) -> None:
        """One of an earlier kernel's, in order of number."""
        self.last = max(self.last, approval.id)
        if approval.answer in OVER:
            self._closed.append(approval)
        else:
            self.add(approval)

    def check_room(self, agent: str) -> None:
        """Raise `Busy` where too much waits for an answer."""
        pending = [one for one in self._open.values() if one.answer is Answer.PENDING]
        mine = sum(one.agent == agent for one in pending)
        if mine >= self._each_max:
            raise Busy(f"{mine} acts of {agent} wait for an approval, the most there may be")
        if len(pending) >= self._all_max:
            raise Busy(f"{len(pending)} acts wait for an approval, the most there may be")

    def add(self, approval: Approval) -> None:
        self.last = max(self.last, approval.id)
        self._open[approval.id] = approval
        self._by_act[approval.agent, approval.digest] = approval.id

    def post(self, approval: Approval) -> None:
        """Add one that is about to be durable; `show` follows, or `close`."""
        self.add(approval)
        self._posted.add(approval.id)

    def show(self, number: int) -> None:
        """It is durable."""
        self._posted.discard(number)

    def find(self, agent: str, digest: str) -> Approval | None:
        """The question about just this act that stands."""
        number = self._by_act.get((agent, digest))
        return None if number is None else self._open[number]

    def get(self, number: int) -> Approval:
        """A question, open or lately closed."""
        known = self._open.get(number)
        found = known or next((one for one in self._closed if one.id == number), None)
        if found is None:
            raise NotFound(f"no approval {number}; `approval.list` shows those there are")
        return found

    def answered(self, number: int, digest: str, *, yes: bool, by: str, note: str) -> Approval:
        """The question as it will be with this answer. Raises where it cannot be given."""
        question = self.get(number)
        if question.digest != digest:
            raise InvalidArgument(
                f"digest: expected {question.digest}, that of approval {number}; look at it again"
            )
        if question.answer is not Answer.PENDING or number in self._answering:
            state = "answered" if number in self._answering else question.answer.value
            raise WrongState(f"approval {number} is {state}; expected one that is pending")
        answer = Answer.YES if yes else Answer.NO
        return replace(question, answer=answer, answered_by=by, note=note)

    def begin_answer(self, number: int) -> None:
        """From now on nobody else answers it."""
        self._answering.add(number)

    def end_answer(self, approval: Approval, *, is_kept: bool) -> Approval:
        """The answer is durable, or it is none; the question as it is now."""
        self._answering.discard(approval.id)
        if is_kept and approval.id in self._open:
            self._open[approval.id] = approval
        return self.get(approval.id)

    def is_being_answered(self, number: int) -> bool:
        return number in self._answering

    def take(self, number: int) -> bool:
        """Use a yes, for the time being. False where another act was faster."""
        question = self._open.get(number)
        if question is None or question.answer is not Answer.YES or number in self._taken:
            return False
        self._taken.add(number)
        self._by_act.pop((question.agent, question.digest), None)
        return True

    def give_back(self, number: int) -> None:
        """The act was not done; the same one may use the yes."""
        self._taken.discard(number)
        question = self._open.get(number)
        if question is not None:
            self._by_act.setdefault((question.agent, question.digest), number)

    def close(self, number: int, why: Answer) -> Approval:
        """It is over."""
        assert why in OVER
        question = replace(self._open.pop(number), answer=why)
        self._posted.discard(number)
        self._taken.discard(number)
        act = (question.agent, question.digest)
        if self._by_act.get(act) == number:
            del self._by_act[act]
        self._closed.append(question)
        return question

    def state(self, number: int) -> Answer:
        """What became of a question; of one that is long over, that somebody had it."""
        try:
            return self.get(number).answer
        except NotFound:
            return Answer.GONE

    def is_open(self, number: int) -> bool:
        return number in self._open

    def due(self, utc: float) -> list[Approval]:
        """Open ones whose time is up, and which nobody is busy with."""
        busy = self._taken | self._answering
        return [one for one in self._open.values() if one.expires <= utc and one.id not in busy]

    def pending(self) -> Iterator[Approval]:
        """Oldest first."""
        return (one for one in self._shown() if one.answer is Answer.PENDING)

    def all(self) -> list[Approval]:
        """Oldest first, lately closed ones too."""
        return sorted((*self._closed, *self._shown()), key=lambda one: one.id)

    def _shown(self) -> Iterator[Approval]:
        return (one for one in self._open.values() if one.id not in self._posted)
