"""Which tokens keep an answer well formed: JSON of a schema, or calls of listed tools.

Wraps llguidance, which parses; this file says what is to be parsed. A grammar's position is a
function of the tokens it accepted, so a snapshot needs the token ids and nothing else.

JSON is constrained to one line with a space after each comma and colon, as models are trained to
write calls: free white space invites a small model to write it without end.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import llguidance.hf
import numpy as np
import torch
from llguidance import LLMatcher

from aios.cores.torch.chat import HERMES, LLAMA, MISTRAL, form_of
from aios.errors import CoreFailed, InvalidArgument
from aios.syscalls.llm import Decoding, ToolSpec

_GRAMMARS_KEPT = 64
_JSON = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_NOTHING = {"type": "object", "properties": {}, "additionalProperties": False}


class Grammar:
    """The position of one answer in its grammar."""

    def __init__(self, matcher: Any, vocab_size: int, known: int) -> None:
        self._matcher = matcher
        self._vocab_size = vocab_size
        self._known = known

    @property
    def is_done(self) -> bool:
        """The answer is complete and nothing but the end token may follow."""
        return bool(self._matcher.is_stopped())

    def mask(self) -> torch.Tensor:
        """bool [V]: the tokens that may come next, the end token where the answer may end."""
        packed = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        self._check()
        bits = np.unpackbits(packed, count=self._known, bitorder="little")
        mask = torch.zeros(self._vocab_size, dtype=torch.bool)
        mask[: self._known] = torch.from_numpy(bits).bool()
        return mask

    def allows(self, token: int) -> bool:
        """What the mask says of one token, without the mask."""
        packed = self._matcher.compute_bitmask()
        self._check()
        return token < self._known and bool(packed[token >> 3] >> (token & 7) & 1)

    def accept(self, token: int) -> None:
        """Go on by a token that the mask allows."""
        if not self._matcher.consume_token(token):
            self._check()
            raise CoreFailed(f"expected a token that the grammar allows, got {token}")

    def replay(self, tokens: Iterable[int]) -> None:
        """Go on by tokens that were accepted before, from a snapshot."""
        for token in tokens:
            self.accept(token)

    def fork(self) -> "Grammar":
        """An independent grammar at the same position."""
        return Grammar(self._matcher.deep_copy(), self._vocab_size, self._known)

    def _check(self) -> None:
        if self._matcher.is_error():
            raise CoreFailed(f"the grammar cannot go on: {_short(self._matcher.get_error())}")


class Grammars:
    """Makes grammars for one model; remembers the compiled ones."""

    def __init__(self, tokenizer: Any, vocab_size: int) -> None:
        self._vocab_size = vocab_size
        # Logits may have more columns than there are tokens, and a tokenizer more tokens than that.
        self._known = min(len(tokenizer), vocab_size)
        self._tokens = llguidance.hf.from_tokenizer(
            tokenizer, n_vocab=max(len(tokenizer), vocab_size)
        )
        self._marks = _Marks(tokenizer, self._tokens)
        self._compiled = lru_cache(maxsize=_GRAMMARS_KEPT)(self._compile)

    def constraint(self, decoding: Decoding) -> Grammar | None:
        """A grammar at its beginning; None where the decoding constrains nothing."""
        wish = _wish(decoding)
        if wish.schema is None and not wish.tools:
            return None
        source = _source(self._marks, wish)
        try:
            return self._compiled(source).fork()
        except InvalidArgument as problem:
            raise _named(problem, wish) from None

    def _compile(self, source: str) -> Grammar:
        matcher = LLMatcher(self._tokens, source, log_level=0)
        if matcher.is_error():
            raise InvalidArgument(_short(matcher.get_error()))
        grammar = Grammar(matcher, self._vocab_size, self._known)
        try:
            grammar.mask()  # A schema that refers to itself alone compiles, and has no first token.
        except CoreFailed as problem:
            raise InvalidArgument(problem.message) from None
        return grammar


class _Marks:
    """How this model's call marks are written in a grammar.

    A mark that is one special token is no text to llguidance and is named by its id; any other is
    text, whatever tokens spell it.
    """

    def __init__(self, tokenizer: Any, tokens: Any) -> None:
        self.form = form_of(tokenizer.chat_template)
        vocabulary = tokenizer.get_vocab()
        token = vocabulary.get(self.form.begin)
        self.is_token = token is not None and tokens.is_special_token(token)
        self.begin = f"<[{token}]>" if self.is_token else json.dumps(self.form.begin)
        end = vocabulary.get(self.form.end)
        ends_by_token = end is not None and tokens.is_special_token(end)
        self.end = f"<[{end}]>" if ends_by_token else json.dumps(self.form.end)
        # In free text these may stand anywhere: a model's marks around its thoughts, for one.
        self.others = sorted(
            one
            for one in tokenizer.added_tokens_decoder
            if tokens.is_special_token(one) and one not in {*tokens.eos_tokens, token}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What of a decoding concerns a grammar."""

    schema: dict[str, Any] | None  # of an answer that is no call
    tools: tuple[ToolSpec, ...]  # that may be called
    must_call: bool
    many: bool  # more than one call


def _wish(decoding: Decoding) -> _Wish:
    choice = decoding.tool_choice
    if choice in {"auto", "none"}:
        tools = decoding.tools if choice == "auto" else ()
        return _Wish(schema=decoding.schema, tools=tools, must_call=False, many=True)
    if choice == "required":
        return _Wish(schema=None, tools=decoding.tools, must_call=True, many=True)
    named = tuple(tool for tool in decoding.tools if tool.name == choice)
    return _Wish(schema=None, tools=named, must_call=True, many=False)


def _source(marks: _Marks, wish: _Wish) -> str:
    """The grammar in llguidance's dialect of Lark."""
    rules = [] if wish.schema is None else [f"answer: %json {_answer(wish.schema)}"]
    if not wish.tools:
        return "\n".join(["start: answer", *rules])
    rules += [f"tool{at}: %json {_parameters(tool)}" for at, tool in enumerate(wish.tools)]
    calls = [_call(marks, tool, f"tool{at}") for at, tool in enumerate(wish.tools)]
    rules += [f"call: {' | '.join(calls)}", 'gap: "\\n"?', "TEXT: /(.|\\n)+/"]
    if wish.must_call:
        start = _calls(marks, many=wish.many)
    elif wish.schema is not None:
        start = f"answer | {_calls(marks, many=True)}"
    else:
        if not marks.is_token:
            # A lazy rule ends as soon as it can, so that text cannot swallow the mark.
            rules.append(f"head[lazy]: TEXT? {marks.begin}")
        start = f"({' | '.join(_free(marks))})*"
    return "\n".join([f"start: {start}", *rules])


def _answer(schema: dict[str, Any]) -> str:
    return _json({**schema, "x-guidance": _JSON})


def _parameters(tool: ToolSpec) -> str:
    given = {"type": "object", **tool.parameters} if tool.parameters else _NOTHING
    if given["type"] != "object":
        raise InvalidArgument(
            f"expected parameters of type object for tool {tool.name!r}, got {given['type']!r}"
        )
    # Tools come from everywhere: a keyword that is not known leaves the argument free.
    return _json({**given, "x-guidance": {**_JSON, "lenient": True}})


def _json(schema: dict[str, Any]) -> str:
    try:
        return json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as problem:
        raise InvalidArgument(f"expected a schema of plain JSON: {problem}") from None


def _call(marks: _Marks, tool: ToolSpec, rule: str) -> str:
    before = json.dumps(f'{{"name": "{tool.name}", "{marks.form.arguments}": ')
    return f'{before} {rule} "}}"'


def _calls(marks: _Marks, many: bool) -> str:
    """The whole answer as one call or more."""
    if marks.form is HERMES:
        one = f"{marks.begin} gap call gap {marks.end}"
        return f"{one} (gap {one})*" if many else one
    # Llama writes its mark before some calls only.
    optional = "?" if marks.form is LLAMA else ""
    return f"{marks.begin}{optional} {_body(marks, many)}"


def _free(marks: _Marks) -> list[str]:
    """What free text is made of; after a begin mark there is no way but a call."""
    head = marks.begin if marks.is_token else "head"
    others = [f"<[{','.join(map(str, marks.others))}]>"] if marks.others else []
    if marks.form is HERMES:
        return ["TEXT", f"({head} gap call gap {marks.end})", *others]
    return ["TEXT", f"({head} {_body(marks, many=True)})", *others]


def _body(marks: _Marks, many: bool) -> str:
    separator = ", " if marks.form is MISTRAL else "; "
    calls = f'call ("{separator}" call)*' if many else "call"
    return f'" "? "[" {calls} "]"' if marks.form is MISTRAL else calls


def _named(problem: InvalidArgument, wish: _Wish) -> InvalidArgument:
    """The same problem with the name of the schema that has it."""
    schemas = {f"the parameters of tool {tool.name!r}": _parameters(tool) for tool in wish.tools}
    if wish.schema is not None:
        schemas["schema"] = _answer(wish.schema)
    for what, schema in schemas.items():
        grammar = LLMatcher.grammar_from_json_schema(schema)
        is_error, found = LLMatcher.validate_grammar_with_warnings(grammar)
        if is_error:
            return InvalidArgument(f"expected a valid JSON schema in {what}: {_short(found[0])}")
    return InvalidArgument(f"expected schemas that make a grammar: {problem}")


def _short(text: str) -> str:
    """A message without the dump of the parser's state that may follow it."""
    return " ".join(text.split("<state>")[0].split())[:400]
