"""The LLM family: generate, stream, cancel, tokenize, models. Pure data; knows no core.

Names and defaults follow the OpenAI API where it has them (`temperature`, `top_p`, `logit_bias`,
...), so that what a developer knows already is right here too.
"""

import math
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from aios.errors import InvalidArgument
from aios.syscalls.base import Ok, Syscall

TOKENS_MAX = 1_000_000  # No context is longer; a larger wish is a mistake, not a wish.
BRANCHES_MAX = 64
EMBEDDED_CHARS_MAX = 1_000_000

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool_calls"]


class ToolCall(msgspec.Struct, frozen=True):
    """A model's wish to call a tool; `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn of a conversation."""

    role: Role
    content: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None


class ToolSpec(msgspec.Struct, frozen=True):
    """What a model is told about a tool; `parameters` is a JSON schema of type object."""

    name: Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_./-]+$")]
    description: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


class Beams(msgspec.Struct, frozen=True):
    """Beam search as `transformers` does it; scores are divided by length**length_penalty."""

    width: Annotated[int, Meta(ge=2, le=BRANCHES_MAX)]
    length_penalty: Annotated[float, Meta(ge=-10, le=10)] = 1.0
    early_stopping: bool = False


class Decoding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How tokens are chosen and when to stop.

    `temperature` 0 is greedy. `seed` None lets the kernel choose one, and the reply tells it.
    `tool_choice` is auto, none, required, or a tool's name. `schema` forces JSON of that schema.
    """

    max_tokens: Annotated[int, Meta(ge=1, le=TOKENS_MAX)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=100)] = 1.0
    top_p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Meta(ge=0)] = 0
    min_p: Annotated[float, Meta(ge=0, le=1)] = 0.0
    repetition_penalty: Annotated[float, Meta(gt=0, le=100)] = 1.0
    presence_penalty: Annotated[float, Meta(ge=-100, le=100)] = 0.0
    frequency_penalty: Annotated[float, Meta(ge=-100, le=100)] = 0.0
    logit_bias: dict[int, float] = msgspec.field(default_factory=dict)
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: Annotated[tuple[str, ...], Meta(max_length=16)] = ()
    n: Annotated[int, Meta(ge=1, le=BRANCHES_MAX)] = 1
    beams: Beams | None = None
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    schema: dict[str, Any] | None = None
    tools: Annotated[tuple[ToolSpec, ...], Meta(max_length=1024)] = ()
    tool_choice: str = "auto"

    def __post_init__(self) -> None:
        names = [tool.name for tool in self.tools]
        numbers = (
            self.temperature,
            self.repetition_penalty,
            self.presence_penalty,
            self.frequency_penalty,
            self.top_p,
            self.min_p,
            *self.logit_bias.values(),
        )
        if not all(map(math.isfinite, numbers)):
            raise InvalidArgument("expected finite numbers, got NaN or infinity")
        if any(text == "" for text in self.stop):
            raise InvalidArgument("expected stop strings of at least one character")
        if len(set(names)) != len(names):
            raise InvalidArgument(f"expected tools of different names, got {names}")
        if self.tool_choice not in {"auto", "none", "required", *names}:
            raise InvalidArgument(
                f"unknown tool {self.tool_choice!r} in tool_choice; "
                f"expected auto, none, required or one of {names}"
            )
        if self.tool_choice == "required" and not names:
            raise InvalidArgument("expected at least one tool where tool_choice is required")
        if self.beams and (self.n > self.beams.width or self.logprobs is not None):
            raise InvalidArgument("expected n <= beams.width and no logprobs with beam search")

    @property
    def branches(self) -> int:
        """Lanes that one generation with this decoding takes at once."""
        return self.beams.width if self.beams else self.n


class Generate(Syscall["Completion"], frozen=True, kw_only=True, tag="llm.generate"):
    """Generate an answer to `messages`, or a continuation of `prompt` (text) or `token_ids`.

    Exactly one of the three is given. `call_id` names the generation for `Cancel`; the kernel
    chooses one where it is empty. `priority`: higher runs sooner under a policy that heeds it.
    Generations of one `program` in one tree of processes are one piece of work to the scheduler.
    `shorten` takes as much of `max_tokens` as there is room for, where else it would be refused.
    """

    messages: Annotated[tuple[Message, ...], Meta(max_length=100_000)] = ()
    prompt: str = ""
    token_ids: tuple[int, ...] = ()
    model: str = ""
    decoding: Decoding = Decoding()
    priority: Annotated[int, Meta(ge=-100, le=100)] = 0
    deadline_s: Annotated[float, Meta(gt=0, le=86_400 * 30)] | None = None
    call_id: Annotated[str, Meta(max_length=128)] = ""
    shorten: bool = False
    program: Annotated[str, Meta(max_length=128)] = ""  # empty: the tree of processes itself

    def __post_init__(self) -> None:
        given = [bool(self.messages), bool(self.prompt), bool(self.token_ids)]
        if sum(given) != 1:
            raise InvalidArgument(
                "expected exactly one of messages, prompt and token_ids, not empty"
            )
        if self.deadline_s is not None and not math.isfinite(self.deadline_s):
            raise InvalidArgument("expected a finite deadline_s")


class Stream(Syscall["Completion"], frozen=True, tag="llm.stream"):
    """As `generate`, with `Delta`s on the way; the last thing delivered is the completion."""

    generate: Generate


class Cancel(Syscall[Ok], frozen=True, tag="llm.cancel"):
    """Cancel the caller's generation of that `call_id`; its caller gets the error `cancelled`."""

    call_id: str


class Embed(Syscall["Embeddings"], frozen=True, tag="llm.embed"):
    """Texts to vectors, by what this kernel finds notes and files by."""

    texts: Annotated[
        tuple[Annotated[str, Meta(max_length=EMBEDDED_CHARS_MAX)], ...],
        Meta(min_length=1, max_length=2_048),
    ]


class Tokenize(Syscall["Tokenized"], frozen=True, tag="llm.tokenize"):
    """Token ids of a text, or of messages through the model's chat template."""

    text: str = ""
    messages: tuple[Message, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    model: str = ""


class Models(Syscall["ModelList"], frozen=True, tag="llm.models"):
    """The models that this kernel serves."""


class TokenLogprob(msgspec.Struct, frozen=True):
    """Natural-log probability of a chosen token before temperature, and of the likeliest ones."""

    token_id: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()


class Delta(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one branch of a running generation gained."""

    index: int
    text: str
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()


class Choice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finished answer; `score` is the length-normalised log-probability of a beam."""

    index: int
    message: Message
    finish_reason: FinishReason
    token_ids: tuple[int, ...]
    logprobs: tuple[TokenLogprob, ...] = ()
    score: float | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens; `cached_tokens` of the prompt were found in the prefix cache."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds until the first slice began, on lanes, and in all; and how often it was switched."""

    wait_s: float
    run_s: float
    total_s: float
    switches: int


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """The one reply to a generation.

    `exact` is False where a snapshot could not be used and the core recomputed from token ids
    (`recomputed` says why), or where the core does not promise exactness.
    """

    call_id: str
    model: str
    choices: tuple[Choice, ...]
    usage: Usage
    timing: Timing
    seed: int
    exact: bool
    recomputed: str = ""

    @property
    def text(self) -> str:
        """The first choice's text."""
        return self.choices[0].message.content or ""


class Embeddings(msgspec.Struct, frozen=True):
    """One vector for each text, all of one length and of norm 1."""

    vectors: tuple[tuple[float, ...], ...]


class Tokenized(msgspec.Struct, frozen=True):
    """Token ids in order."""

    token_ids: tuple[int, ...]


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a served model can hold and promise."""

    name: str
    context_tokens: int
    kv_tokens: int
    lanes: int
    exactness: str
    device: str


class ModelList(msgspec.Struct, frozen=True):
    """Every model, the default one first."""

    models: tuple[ModelInfo, ...]
