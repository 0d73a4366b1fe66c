"""The last LLM calls of each process, for a person who looks on. Bounded, and in RAM alone.

Of each call its figures and shortened texts are kept, and of a process's newest call the
conversation. Processes that were silent longest are forgotten first.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from aios.clock import Clock
from aios.kernel.generations import GenerationState, LiveGeneration
from aios.kernel.process import Process
from aios.kernel.runloop import RunLoop
from aios.kernel.table import ProcessTable
from aios.syscalls.llm import Generate, Message
from aios.syscalls.process import CallInfo, CallList, Calls, Pid

CALLS_MAX = 20  # of one process
TEXT_MAX = 4_000  # characters of one text
CONVERSATION_MAX = 100_000  # characters of one conversation
TOTAL_MAX = 16 << 20  # characters of all
RECORD = 600  # characters that a call's figures count as, whatever its texts
TURN = 150  # the same of a message, and of a call in it


@dataclass(frozen=True, slots=True)
class _Over:
    """A call that has ended, at a moment of the kernel's clock."""

    arrived: float
    info: CallInfo
    chars: int  # that its texts take


@dataclass(slots=True)
class _Page:
    """One process's calls. Invariant: `chars` is what its texts take."""

    calls: deque[_Over] = field(default_factory=deque)  # newest first
    messages: tuple[Message, ...] = ()  # of the newest
    left_out: int = 0
    chars: int = 0


class CallBook:
    """Told by the run loops; asked by `process.calls`."""

    def __init__(self, loops: Sequence[RunLoop], table: ProcessTable, clock: Clock) -> None:
        self._loops = loops
        self._table = table
        self._clock = clock
        self._pages: OrderedDict[Pid, _Page] = OrderedDict()  # longest silent first
        self._chars = 0

    def ended(self, live: LiveGeneration, outcome: str) -> None:
        """A generation is over."""
        page = self._pages.setdefault(live.job.pid, _Page())
        self._pages.move_to_end(live.job.pid)
        info = self._told(live, outcome)
        over = _Over(live.job.arrived, info, _size(info))
        gone = page.calls.pop().chars if len(page.calls) == CALLS_MAX else 0
        page.calls.appendleft(over)
        before = sum(map(_chars, page.messages))
        page.messages, page.left_out = _last_messages(live.call)
        grown = over.chars - gone + sum(map(_chars, page.messages)) - before
        page.chars += grown
        self._chars += grown
        while self._chars > TOTAL_MAX and len(self._pages) > 1:
            self._chars -= self._pages.popitem(last=False)[1].chars

    async def calls(self, process: Process, call: Calls) -> CallList:
        asked = self._table.find(call.pid)
        live = self._live_of(asked)
        page = self._pages.get(asked.pid, _Page())
        now = self._clock.now()
        over = (_aged(one, now) for one in page.calls)
        messages, left_out = (
            _last_messages(live[0].call) if live else (page.messages, page.left_out)
        )
        return CallList(
            calls=(*(self._told(one, one.state.value) for one in live), *over),
            messages=messages,
            left_out=left_out,
        )

    def _live_of(self, process: Process) -> list[LiveGeneration]:
        ids = tuple((process.generations or {}).values())
        found = (loop.find(one) for one in reversed(ids) for loop in self._loops)
        return [live for live in found if live is not None][:CALLS_MAX]

    def _told(self, live: LiveGeneration, state: str) -> CallInfo:
        now = self._clock.now()
        is_running = live.state is GenerationState.RUNNING and live.reply.done() is False
        started = now if live.started_at is None else live.started_at
        return CallInfo(
            generation=live.job.id,
            call_id=live.call_id,
            model=live.model,
            state=state,
            at_s=now - live.job.arrived,
            prompt_tokens=len(live.generation.prompt),
            completion_tokens=live.tokens_out,
            wait_s=started - live.job.arrived,
            run_s=live.run_s + (now - live.slice_at if is_running else 0.0),
            switches=live.switches,
            asked=_short(_asked(live.call)),
            answer=_short(_answer(live)),
            problem=_problem(live),
        )


def _size(info: CallInfo) -> int:
    return RECORD + sum(map(len, (info.asked, info.answer, info.problem, info.call_id)))


def _aged(one: _Over, now: float) -> CallInfo:
    return replace(one.info, at_s=now - one.arrived)


def _asked(call: Generate) -> str:
    """The last thing that the model was told."""
    if call.messages:
        return call.messages[-1].content or ""
    return call.prompt or f"[{len(call.token_ids)} token ids]"


def _answer(live: LiveGeneration) -> str:
    """What was said; of an answer that is over, with the tools it asks for."""
    reply = live.reply
    if not reply.done() or reply.cancelled() or reply.exception() is not None:
        return "".join(live.texts)
    said = reply.result().choices[0].message
    called = (f"{one.name}({one.arguments})" for one in said.tool_calls)
    return "\n".join(filter(None, (said.content, *called)))


def _problem(live: LiveGeneration) -> str:
    if not live.reply.done() or live.reply.cancelled():
        return ""
    error = live.reply.exception()
    return "" if error is None else _short(str(error))


def _last_messages(call: Generate) -> tuple[tuple[Message, ...], int]:
    """As many of the last messages as there is room for, and how many are left out."""
    kept: list[Message] = []
    chars = 0
    for message in reversed(call.messages or (Message("user", _asked(call)),)):
        short = replace(message, content=_short(message.content or "") or None)
        chars += _chars(short)
        if chars > CONVERSATION_MAX:
            break
        kept.append(short)
    return tuple(reversed(kept)), max(0, len(call.messages) - len(kept))


def _chars(message: Message) -> int:
    """All that it takes: also one that says nothing has its place, and ids may be of any length."""
    texts = (message.content or "", message.name or "", message.tool_call_id or "")
    calls = (TURN + len(f"{one.id}{one.name}{one.arguments}") for one in message.tool_calls)
    return TURN + sum(map(len, texts)) + sum(calls)


def _short(text: str) -> str:
    if len(text) <= TEXT_MAX:
        return text
    half = TEXT_MAX // 2
    return f"{text[:half]}\n[… {len(text) - TEXT_MAX:,} characters …]\n{text[-half:]}"
