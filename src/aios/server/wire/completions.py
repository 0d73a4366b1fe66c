"""OpenAI's text completions: a prompt as a `Generate`, its continuation as their reply."""

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta

from aios.errors import AiosError, InvalidArgument
from aios.server.wire.decoding import Format, Sampling, StreamOptions, sampling, schema, tells_usage
from aios.server.wire.errors import body_of
from aios.server.wire.turn import Asked, Body, Event, Head
from aios.server.wire.usage import FLOOR, named, usage
from aios.server.wire.visible import visible
from aios.syscalls import Completion, Decoding, Delta, Generate, TokenLogprob

DONE = Event("[DONE]")
Prompt = str | list[str | int | list[int]]


class CompletionRequest(Sampling, kw_only=True):
    """The body of POST /v1/completions, as far as it is heeded."""

    prompt: Prompt
    model: str = ""
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    echo: bool | None = None
    suffix: str | None = None
    response_format: Format | None = None


class TextCompletion(Asked[CompletionRequest]):
    """One text completion that was asked for."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body, CompletionRequest)
        self._prompt = _one_prompt(self._asked.prompt)
        if self._asked.suffix:
            raise InvalidArgument("expected no suffix: this kernel's models do not fill gaps")
        if self._asked.echo and not isinstance(self._prompt, str):
            raise InvalidArgument("expected a prompt of text where echo is asked for")
        self._decoding: Decoding = sampling(
            self._asked,
            logprobs=self._asked.logprobs,
            schema=schema(self._asked.response_format),
        )

    def generate(self, model: str) -> Generate:
        is_text = isinstance(self._prompt, str)
        given: dict[str, Any] = {"prompt" if is_text else "token_ids": self._prompt}
        return Generate(**given, model=model, decoding=self._decoding, shorten=True)

    def reply(self, completion: Completion, head: Head) -> Body:
        choices = [
            {
                "index": choice.index,
                "text": self._echo + (choice.message.content or ""),
                "logprobs": _logprobs(choice.logprobs) if choice.logprobs else None,
                "finish_reason": choice.finish_reason,
            }
            for choice in completion.choices
        ]
        head = Head(stem=head.stem, created=head.created, model=completion.model)
        return _body(head, choices) | {"usage": usage(completion.usage)}

    def streaming(self, head: Head) -> "TextStream":
        return TextStream(
            head,
            self._decoding,
            echo=self._echo,
            tells_usage=tells_usage(self._asked.stream_options),
        )

    @property
    def _echo(self) -> str:
        return self._prompt if self._asked.echo and isinstance(self._prompt, str) else ""


class TextStream:
    """One streamed text completion."""

    def __init__(self, head: Head, decoding: Decoding, *, echo: str, tells_usage: bool) -> None:
        self._head = head
        self._echoes = [echo] * decoding.n  # not told yet
        self._visible = [visible(decoding) for _ in range(decoding.n)]
        self._tells_usage = tells_usage

    def delta(self, delta: Delta) -> Iterator[Event]:
        text = self._visible[delta.index].push(delta.text)
        if text or delta.logprobs:
            yield self._chunk(delta.index, text, delta.logprobs)

    def end(self, completion: Completion) -> Iterator[Event]:
        for choice in completion.choices:
            rest = self._visible[choice.index].end(choice.message.content)
            yield self._chunk(choice.index, rest, (), choice.finish_reason)
        if self._tells_usage:
            yield Event(_body(self._head, []) | {"usage": usage(completion.usage)})
        yield DONE

    def broken(self, error: AiosError) -> Iterator[Event]:
        yield Event(body_of(error, "openai"))
        yield DONE

    def _chunk(
        self, index: int, text: str, found: tuple[TokenLogprob, ...], reason: str | None = None
    ) -> Event:
        echo, self._echoes[index] = self._echoes[index], ""
        choice = {
            "index": index,
            "text": echo + text,
            "logprobs": _logprobs(found) if found else None,
            "finish_reason": reason,
        }
        return Event(_body(self._head, [choice]))


def _one_prompt(prompt: Prompt) -> str | tuple[int, ...]:
    """The prompt: a text, or token ids; of a list only one that has one prompt."""
    if isinstance(prompt, list) and len(prompt) == 1 and not isinstance(prompt[0], int):
        prompt = prompt[0] if isinstance(prompt[0], str) else list(prompt[0])
    if isinstance(prompt, str):
        if not prompt:
            raise InvalidArgument("expected a prompt of at least one character")
        return prompt
    ids = tuple(one for one in prompt if isinstance(one, int))
    if not ids or len(ids) != len(prompt):
        raise InvalidArgument(
            "expected one prompt, a text or token ids; several prompts are several requests"
        )
    return ids


def _body(head: Head, choices: list[Body]) -> Body:
    return {
        "id": f"cmpl-{head.stem}",
        "object": "text_completion",
        "created": head.created,
        "model": head.model,
        "choices": choices,
        "system_fingerprint": None,
    }


def _logprobs(found: tuple[TokenLogprob, ...]) -> Body:
    """The form of text completions: lists side by side."""
    return {
        "tokens": [named(one.token_id) for one in found],
        "token_logprobs": [max(one.logprob, FLOOR) for one in found],
        "top_logprobs": [
            {named(token): max(logprob, FLOOR) for token, logprob in one.top} for one in found
        ],
        "text_offset": None,
    }
