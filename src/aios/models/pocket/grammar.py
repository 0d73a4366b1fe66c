"""Holds the calls that a model writes to the schemas of its tools, as the engine of AIOS does.

For plain transformers: the evaluation measures what agents get. Text outside a call is free. Knows
no tasks.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import llguidance.hf
import numpy as np
import torch
from llguidance import LLMatcher
from transformers import LogitsProcessor

from aios.models.pocket.chat import CALL, CALL_END

_JSON = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


class CallGrammars:
    """The grammars of one tokenizer, each made once for a list of tools."""

    def __init__(self, tokenizer: Any) -> None:
        self.begin = tokenizer.convert_tokens_to_ids(CALL)
        self._tokens = llguidance.hf.from_tokenizer(tokenizer, n_vocab=len(tokenizer))
        self._made = lru_cache(maxsize=256)(self._make)

    def after_begin(self, schemas: Sequence[Mapping[str, Any]]) -> Any:
        """What may follow the mark that begins a call, up to and with the mark that ends it."""
        return self._made(_source(schemas)).deep_copy()

    def _make(self, source: str) -> Any:
        matcher = LLMatcher(self._tokens, source, log_level=0)
        assert not matcher.is_error(), matcher.get_error()
        return matcher


class InCalls(LogitsProcessor):  # type: ignore[misc]  # transformers has no types
    """Masks each row's next token while the row is inside a call; one object for one `generate`."""

    def __init__(
        self, grammars: CallGrammars, schemas: Sequence[Sequence[Mapping[str, Any]]]
    ) -> None:
        self._grammars = grammars
        self._schemas = schemas
        self._inside: list[Any | None] = [None] * len(schemas)
        self._is_first = True

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if not self._is_first:
            for row, token in enumerate(input_ids[:, -1].tolist()):
                self._go_on(row, token)
        self._is_first = False
        for row, matcher in enumerate(self._inside):
            if matcher is not None:
                packed = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
                bits = np.unpackbits(packed, count=scores.shape[1], bitorder="little")
                scores[row, torch.from_numpy(bits) == 0] = -torch.inf
        return scores

    def _go_on(self, row: int, token: int) -> None:
        matcher = self._inside[row]
        if matcher is not None:
            matcher.consume_token(token)
            self._inside[row] = None if matcher.is_stopped() else matcher
        elif token == self._grammars.begin and self._schemas[row]:
            self._inside[row] = self._grammars.after_begin(self._schemas[row])


def _source(schemas: Sequence[Mapping[str, Any]]) -> str:
    """The grammar in llguidance's dialect of Lark."""
    calls, rules = [], []
    for at, function in enumerate(schema["function"] for schema in schemas):
        before = json.dumps(f'{{"name": "{function["name"]}", "arguments": ')
        calls.append(f'{before} tool{at} "}}"')
        rules.append(
            f"tool{at}: %json {json.dumps({**function['parameters'], 'x-guidance': _JSON})}"
        )
    return "\n".join([f"start: ({' | '.join(calls)}) {json.dumps(CALL_END)}", *rules])
