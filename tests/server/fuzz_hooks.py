"""What a fuzzing client does beside its schema: calls that wait for others wait briefly."""

from typing import Any

import schemathesis

WAITING = ("/api/syscalls/process.receive", "/api/syscalls/process.wait")
BRIEFLY_S = 0.01


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if case.operation.path in WAITING and isinstance(case.body, dict):
        if case.body.get("timeout_s") is None or case.body["timeout_s"] is True:
            case.body["timeout_s"] = BRIEFLY_S
        elif isinstance(case.body["timeout_s"], int | float):
            case.body["timeout_s"] = min(case.body["timeout_s"], BRIEFLY_S)
