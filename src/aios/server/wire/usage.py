"""Parts of OpenAI's answers that chat and text completions share: usage and log-probabilities."""

from collections.abc import Sequence

from aios.server.wire.turn import Body
from aios.syscalls import TokenLogprob, Usage

FLOOR = -9999.0  # OpenAI's number for what cannot be: JSON knows no infinity


def usage(found: Usage) -> Body:
    """Tokens of a request and its answer."""
    return {
        "prompt_tokens": found.prompt_tokens,
        "completion_tokens": found.completion_tokens,
        "total_tokens": found.prompt_tokens + found.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": found.cached_tokens},
    }


def logprobs(found: Sequence[TokenLogprob]) -> list[Body]:
    """Chat's form. The kernel knows tokens by number, so a token is told as `token_id:N`."""
    return [
        _one(one.token_id, one.logprob) | {"top_logprobs": [_one(*top) for top in one.top]}
        for one in found
    ]


def named(token_id: int) -> str:
    """A token's name where its text is not known; as other servers write it."""
    return f"token_id:{token_id}"


def _one(token_id: int, logprob: float) -> Body:
    return {"token": named(token_id), "logprob": max(logprob, FLOOR), "bytes": None}
