"""The list of models in one body that OpenAI's and Anthropic's clients both read."""

from datetime import UTC, datetime

from aios.server.wire.turn import Body
from aios.syscalls import ModelInfo, ModelList


def listed(found: ModelList, since: int) -> Body:
    """GET /v1/models; `since` is when the server started."""
    names = [model.name for model in found.models]
    return {
        "object": "list",
        "data": [told(model, since) for model in found.models],
        "has_more": False,
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
    }


def told(model: ModelInfo, since: int) -> Body:
    """One model; `created` and `created_at` are the same moment."""
    return {
        "id": model.name,
        "object": "model",
        "created": since,
        "owned_by": "aios",
        "type": "model",
        "display_name": model.name,
        "created_at": datetime.fromtimestamp(since, UTC).isoformat().replace("+00:00", "Z"),
        "context_length": model.context_tokens,
        "max_model_len": model.context_tokens,
        "device": model.device,
    }
