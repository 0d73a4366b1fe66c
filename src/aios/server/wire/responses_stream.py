"""OpenAI's stream of a response: items that open, grow and close, each event with its number."""

from collections.abc import Callable, Iterator

from aios.errors import AiosError
from aios.server.wire import items
from aios.server.wire.decoding import calls_of
from aios.server.wire.turn import Body, Event, Head
from aios.server.wire.usage import logprobs
from aios.server.wire.visible import visible
from aios.syscalls import Completion, Decoding, Delta, TokenLogprob, ToolCall


class ResponseStream:
    """One streamed response. `begun` and `ended` make the response as it is told at either end."""

    def __init__(
        self,
        head: Head,
        decoding: Decoding,
        *,
        begun: Callable[[], Body],
        ended: Callable[[Completion], Body],
        are_parallel: bool,
    ) -> None:
        self._head = head
        self._visible = visible(decoding)
        self._begun = begun
        self._ended = ended
        self._are_parallel = are_parallel
        self._events = 0  # told so far
        self._items = 0  # opened so far; while text is told, the last is open
        self._text: list[str] | None = None  # told of the text item; None while there is none
        self._logprobs: list[TokenLogprob] = []  # of tokens whose text is not told yet

    def delta(self, delta: Delta) -> Iterator[Event]:
        yield from self._begin()
        self._logprobs += delta.logprobs
        yield from self._say(self._visible.push(delta.text))

    def end(self, completion: Completion) -> Iterator[Event]:
        yield from self._begin()
        choice = completion.choices[0]
        calls = calls_of(choice, self._are_parallel)
        yield from self._say(self._visible.end(choice.message.content))
        response = self._ended(completion)
        if self._text is not None:
            said = "".join(self._text)
            told = logprobs(choice.logprobs)
            whole = choice.finish_reason != "length"
            item = items.text_item(self._head.stem, said, told, is_whole=whole)
            yield from self._close_text(item)
        for at, call in enumerate(calls):
            yield from self._call(at, call)
        yield self._event(f"response.{response['status']}", {"response": response})

    def broken(self, error: AiosError) -> Iterator[Event]:
        told = {"code": error.code, "message": error.message}
        yield self._event("error", {**told, "param": None})
        failed = self._begun() | {"status": "failed", "error": told}
        yield self._event("response.failed", {"response": failed})

    def _begin(self) -> Iterator[Event]:
        if not self._events:
            yield self._event("response.created", {"response": self._begun()})
            yield self._event("response.in_progress", {"response": self._begun()})

    def _say(self, text: str) -> Iterator[Event]:
        if not text:
            return
        if self._text is None:
            self._text = []
            empty = items.text_item(self._head.stem, "", [], is_whole=True)
            yield self._open(empty | {"status": "in_progress", "content": []})
            part = items.text_part("", [])
            yield self._event("response.content_part.added", {**self._place, "part": part})
        self._text.append(text)
        told, self._logprobs = logprobs(self._logprobs), []
        yield self._event(
            "response.output_text.delta", {**self._place, "delta": text, "logprobs": told}
        )

    def _close_text(self, item: Body) -> Iterator[Event]:
        part = item["content"][0]
        done = {"text": part["text"], "logprobs": part["logprobs"]}
        yield self._event("response.output_text.done", self._place | done)
        yield self._event("response.content_part.done", {**self._place, "part": part})
        yield self._close(item)

    def _call(self, at: int, call: ToolCall) -> Iterator[Event]:
        item = items.call_item(self._head.stem, at, call)
        yield self._open(item | {"arguments": "", "status": "in_progress"})
        place = {"item_id": item["id"], "output_index": self._items - 1}
        yield self._event(
            "response.function_call_arguments.delta", {**place, "delta": call.arguments}
        )
        done = {"name": call.name, "arguments": call.arguments}
        yield self._event("response.function_call_arguments.done", place | done)
        yield self._close(item)

    @property
    def _place(self) -> Body:
        """Where the text that is told belongs."""
        return {
            "item_id": f"msg_{self._head.stem}",
            "output_index": self._items - 1,
            "content_index": 0,
        }

    def _open(self, item: Body) -> Event:
        self._items += 1
        return self._event(
            "response.output_item.added", {"output_index": self._items - 1, "item": item}
        )

    def _close(self, item: Body) -> Event:
        return self._event(
            "response.output_item.done", {"output_index": self._items - 1, "item": item}
        )

    def _event(self, name: str, fields: Body) -> Event:
        self._events += 1
        return Event({"type": name, "sequence_number": self._events - 1} | fields, name)
