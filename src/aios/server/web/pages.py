"""The pages beside the overview and the agents: what is asked for each, and its template."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from aios.server.web.visit import Visit
from aios.syscalls import List
from aios.syscalls.approval import Answer, Approval, Approvals
from aios.syscalls.audit import AuditRecords, VerifyAudit
from aios.syscalls.budget import Budgets, Resource
from aios.syscalls.file import Diff, FileInfo, Folder, ReadFile, Stat, Versions
from aios.syscalls.tool import ListTools

SHOWN_BYTES = 64 << 10
ROWS = 100  # of one page of a table
ANSWERED = 30  # questions that are over
EVENTS_SHOWN = 300


class Page(NamedTuple):
    """A template and what it is given."""

    template: str
    title: str
    values: Mapping[str, Any]


Show = Callable[[Visit], Awaitable[Page]]


async def approvals(visit: Visit) -> Page:
    """What waits for a yes, each question in full; then what is over."""
    known = (await visit.call(Approvals(all=True, limit=10_000))).approvals
    pending = [await _whole(visit, one) for one in known if one.answer is Answer.PENDING]
    over = [one for one in reversed(known) if one.answer is not Answer.PENDING][:ANSWERED]
    return Page("approvals.html", "Approvals", {"pending": pending, "over": over})


async def _whole(visit: Visit, short: Approval) -> Approval:
    """A list shows long arguments cut; who answers must see all of what they allow."""
    found = (await visit.call(Approvals(id=short.id))).approvals
    return found[0] if found else short


async def files(visit: Visit) -> Page:
    """A folder of an agent, or one file with its versions."""
    agent, path = visit.query("agent"), visit.query("path")
    table = await visit.allowed(List(ended=True))
    agents = sorted({one.agent for one in table.processes if one.pid > 1}) if table else []
    values: dict[str, Any] = {"agents": agents[:2_000], "agent": agent, "at": path}
    if not agent:
        return Page("files.html", "Files", {**values, "info": None, "folder": None})
    info = await visit.call(Stat(path=path, owner=agent)) if path else None
    values["info"] = info
    if info is None or info.kind == "folder":
        values["folder"] = await visit.call(Folder(path=path, owner=agent))
    else:
        values |= {"folder": None, **await _file(visit, info, agent)}
    return Page("files.html", f"Files of {agent}", values)


async def _file(visit: Visit, info: FileInfo, agent: str) -> dict[str, Any]:
    versions = (await visit.call(Versions(path=info.path, owner=agent))).versions
    chosen = visit.number("version", info.version)
    older = (one.version for one in versions if one.version < chosen)
    before = visit.number("against", max(older, default=1))
    read = ReadFile(path=info.path, length=SHOWN_BYTES, version=chosen, owner=agent)
    content = await visit.call(read)
    difference = None
    if before < chosen:
        difference = await visit.call(Diff(path=info.path, old=before, new=chosen, owner=agent))
    return {
        "versions": versions,
        "chosen": chosen,
        "against": before,
        "text": None if b"\0" in content.data else content.data.decode(errors="replace"),
        "is_cut": content.total_bytes > SHOWN_BYTES,
        "difference": difference,
    }


async def tools(visit: Visit) -> Page:
    """Tools by server, and the sandbox that commands run in."""
    listed = await visit.call(ListTools())
    words = visit.query("q").lower()
    servers: dict[str, list[Any]] = {}
    for one in listed.tools:
        if words in f"{one.name} {one.description}".lower():
            servers.setdefault(one.name.partition("/")[0], []).append(one)
    values = {"servers": servers, "q": visit.query("q"), "sandbox": listed.sandbox}
    return Page("tools.html", "Tools", {**values, "total": len(listed.tools)})


async def budgets(visit: Visit) -> Page:
    """Every limit, and what is left of it."""
    listed = await visit.call(Budgets())
    return Page(
        "budgets.html",
        "Budgets",
        {"budgets": listed.budgets, "resources": [one.value for one in Resource]},
    )


async def audit(visit: Visit) -> Page:
    """The record of every decision, newest first."""
    filters = {name: visit.query(name)[:200] for name in ("agent", "verb", "decision")}
    call = AuditRecords(
        newest=True,
        limit=ROWS,
        agent=filters["agent"],
        verb=filters["verb"],
        decision=filters["decision"],
    )
    found = await visit.call(call)
    state = await visit.call(VerifyAudit()) if visit.query("verify") else None
    return Page("audit.html", "Audit", {"found": found, "filters": filters, "state": state})


async def events(visit: Visit) -> Page:
    """What happened lately, newest first."""
    kind, pid = visit.query("kind"), visit.query("pid")
    seen = visit.record.visible(visit.token)(visit.record.since(0))
    kinds = sorted({_kind(one) for one in seen})
    rows = [
        one
        for one in reversed(seen)
        if kind in ("", _kind(one)) and (not pid or str(one.pid) == pid)
    ]
    values = {"kinds": kinds, "kind": kind, "pid": pid, "total": len(rows)}
    told = [(one, _kind(one), _details(one)) for one in rows[:EVENTS_SHOWN]]
    return Page("events.html", "Events", {**values, "events": told, "epoch": visit.epoch})


def _kind(event: Any) -> str:
    return str(type(event).__struct_config__.tag)


def _details(event: Any) -> list[tuple[str, Any]]:
    names = (name for name in event.__struct_fields__ if name not in ("at", "pid"))
    return [(name, getattr(event, name)) for name in names]


PAGES: Mapping[str, Show] = {
    "/approvals": approvals,
    "/files": files,
    "/tools": tools,
    "/budgets": budgets,
    "/audit": audit,
    "/events": events,
}
