"""Each kind of request with the plan that answers it, and the answer. Knows no phrasing.

The generator and the sentences written by hand differ in their words alone.
"""

from aios.models.pocket.plan import Request, Step


def request(kind: str, text: str, plan: tuple[Step, ...], answer: str) -> Request:
    """Of any kind."""
    return Request(kind=kind, text=text, plan=plan, answer=answer)


def calc(text: str, expression: str, kind: str = "calc") -> Request:
    return request(kind, text, (_step("calculator", expr=expression),), "The result is {0}.")


def remember(text: str, key: str, value: str, kind: str = "remember") -> Request:
    plan = (_step("memory_set", key=key, value=value),)
    return request(kind, text, plan, f"I will remember that {key} is {value}.")


def recall(text: str, key: str) -> Request:
    return request("recall", text, (_step("memory_get", key=key),), f"The {key} is {{0}}.")


def write(text: str, name: str, content: str) -> Request:
    plan = (_step("note_write", name=name, text=content),)
    return request("write", text, plan, f"I wrote the note {name}.")


def read(text: str, name: str) -> Request:
    return request("read", text, (_step("note_read", name=name),), f"The note {name} says: {{0}}")


def calc_save(text: str, expression: str, key: str) -> Request:
    plan = (_step("calculator", expr=expression), _step("memory_set", key=key, value="{0}"))
    return request("calc_save", text, plan, f"The result is {{0}}, saved as {key}.")


def calc_note(text: str, expression: str, name: str) -> Request:
    plan = (_step("calculator", expr=expression), _step("note_write", name=name, text="{0}"))
    return request("calc_note", text, plan, f"The result is {{0}}, written to the note {name}.")


def recall_calc(text: str, key: str, expression: str) -> Request:
    plan = (_step("memory_get", key=key), _step("calculator", expr=expression))
    return request("recall_calc", text, plan, "The result is {1}.")


def read_calc(text: str, name: str, expression: str) -> Request:
    plan = (_step("note_read", name=name), _step("calculator", expr=expression))
    return request("read_calc", text, plan, "The result is {1}.")


def sum_recalled(text: str, first: str, second: str) -> Request:
    plan = (
        _step("memory_get", key=first),
        _step("memory_get", key=second),
        _step("calculator", expr="{0}+{1}"),
    )
    return request("sum_recalled", text, plan, "The result is {2}.")


def read_save(text: str, name: str, key: str) -> Request:
    plan = (_step("note_read", name=name), _step("memory_set", key=key, value="{0}"))
    return request("read_save", text, plan, f"I will remember that {key} is {{0}}.")


def recall_note(text: str, key: str, name: str) -> Request:
    plan = (_step("memory_get", key=key), _step("note_write", name=name, text="{0}"))
    return request("recall_note", text, plan, f"I wrote the note {name}.")


def _step(tool: str, **arguments: str) -> Step:
    return Step(tool=tool, arguments=arguments)
