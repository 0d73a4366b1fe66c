"""What forms do: each a syscall of whoever has signed in, then back to the page it came from."""

from collections.abc import Awaitable, Callable, Mapping

from aios.errors import InvalidArgument
from aios.server.web.visit import Visit
from aios.server.web.words import count
from aios.syscalls import Kill, Pause, Pid, Resume, Send
from aios.syscalls.approval import AnswerApproval
from aios.syscalls.budget import Resource, SetBudget, TopUp
from aios.syscalls.scheduling import SetPolicy
from aios.syscalls.tool import AcceptTool

Form = Mapping[str, str]
Act = Callable[[Visit, Form], Awaitable[str]]  # what is told after it was done


async def pause(visit: Visit, form: Form) -> str:
    pid = _pid(visit)
    await visit.call(Pause(pid=pid))
    return f"Process {pid} is paused: it goes on exactly where it stopped."


async def resume(visit: Visit, form: Form) -> str:
    pid = _pid(visit)
    await visit.call(Resume(pid=pid))
    return f"Process {pid} goes on."


async def kill(visit: Visit, form: Form) -> str:
    pid = _pid(visit)
    await visit.call(Kill(pid=pid))
    return f"Process {pid} was killed, with all below it."


async def send(visit: Visit, form: Form) -> str:
    pid = _pid(visit)
    await visit.call(Send(pid=pid, body=_field(form, "body")))
    return f"Sent to process {pid}."


async def answer(visit: Visit, form: Form) -> str:
    """A yes or a no to exactly what was shown: the digest of it is in the form."""
    said = _field(form, "answer")
    if said not in ("yes", "no"):
        raise InvalidArgument(f"expected the answer yes or no, got {said[:50]!r}")
    number = _whole(visit.exchange.parameter("id"), "an approval's number")
    answered = await visit.call(
        AnswerApproval(
            id=number,
            digest=_field(form, "digest"),
            yes=said == "yes",
            note=form.get("note", ""),
        )
    )
    return f"{said.capitalize()} to {number}: {answered.consequence}"


async def top_up(visit: Visit, form: Form) -> str:
    account, resource = _field(form, "account"), _resource(form)
    amount = _amount(_field(form, "amount"))
    line = await visit.call(TopUp(account=account, resource=resource, amount=amount))
    return f"{account} may now spend {count(line.limit)} {resource.value}."


async def set_budget(visit: Visit, form: Form) -> str:
    account, resource = _field(form, "account"), _resource(form)
    told = form.get("limit", "").strip()
    limit = _amount(told) if told else None
    await visit.call(SetBudget(account=account, resource=resource, limit=limit))
    return f"{account}: {'no limit' if limit is None else count(limit)} of {resource.value}."


async def policy(visit: Visit, form: Form) -> str:
    """Another scheduling policy, for all cores and at once."""
    name = _field(form, "policy")
    told = form.get("slice_tokens", "").strip()
    slice_tokens = _whole(told, "a number of tokens") if told and name == "rr" else None
    info = await visit.call(SetPolicy(policy=name, slice_tokens=slice_tokens))
    return f"Lanes are given out by {info.policy} from now on."


async def accept(visit: Visit, form: Form) -> str:
    """Pin a tool as it is now."""
    name = _field(form, "name")
    await visit.call(AcceptTool(name=name, pin=_field(form, "pin")))
    return f"{name} is accepted as it is now."


ACTS: Mapping[str, Act] = {
    "/agent/{pid}/pause": pause,
    "/agent/{pid}/resume": resume,
    "/agent/{pid}/kill": kill,
    "/agent/{pid}/send": send,
    "/approvals/{id}": answer,
    "/budgets/top-up": top_up,
    "/budgets/set": set_budget,
    "/scheduler": policy,
    "/tools/accept": accept,
}


def _pid(visit: Visit) -> Pid:
    return _whole(visit.exchange.parameter("pid"), "a process's number")


def _whole(told: str, what: str) -> int:
    if not (told.isdecimal() and len(told) < 19):
        raise InvalidArgument(f"expected {what}, got {told[:50]!r}")
    return int(told)


def _field(form: Form, name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise InvalidArgument(f"expected the field {name!r}, and not empty")
    return value


def _resource(form: Form) -> Resource:
    try:
        return Resource(form.get("resource", ""))
    except ValueError:
        known = ", ".join(one.value for one in Resource)
        raise InvalidArgument(f"expected a resource of {known}") from None


def _amount(told: str) -> float:
    try:
        amount = float(told)
    except ValueError:
        raise InvalidArgument(f"expected an amount, got {told[:50]!r}") from None
    if not 0 <= amount <= 1e15:
        raise InvalidArgument("expected an amount from 0 to 1e15")
    return amount
