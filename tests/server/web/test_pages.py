"""What pages show, what their forms do, and that nothing an agent writes is more than text."""

import asyncio
import hashlib
import html
import re
from pathlib import Path
from urllib.parse import quote

from aios.errors import Denied
from aios.server.web import record, render
from aios.syscalls import Generate, Inspect, Message, Pause, ProcessState, Receive, ToolCall
from aios.syscalls.approval import Answer, Approvals, AskHuman
from aios.syscalls.budget import Budgets, Resource, SetBudget
from aios.syscalls.file import WriteFile
from aios.syscalls.memory import Free, Write
from aios.syscalls.scheduling import ShowScheduler
from aios.telemetry import events
from tests.server.house import lived, soon
from tests.server.web.house import QUICK, SLOW, house, pending, visitor

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
COMPUTED = "onerror=alert(2)>49"
ESCAPED = html.escape("<script>")


def rows(page: str) -> list[str]:
    return re.findall(r'<tr id="agent-(\d+)"', page)


def test_the_overview_shows_agents_as_a_tree_with_what_they_do(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home, visitor(home) as came:
            parent, other = await home.spawn("parent"), await home.spawn("other")
            child = await home.spawn("child", parent.token)
            call = Generate(prompt="a long story")
            task = asyncio.ensure_future(home.kernel.call(child.token, call))
            await soon(lambda: home.kernel.loops[0].load == 1)
            page = (await came.get("/")).text
            assert rows(page) == [str(one.pid) for one in (parent, child, other)]
            assert "on a lane" in page
            assert 'class="deep1"' in page
            task.cancel()

    lived(main)


def test_ten_thousand_agents_are_paged_and_found(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home) as came:
            for number in range(10_000):
                await home.spawn(f"agent-{number}")
            page = (await came.get("/")).text
            assert len(rows(page)) == 50
            assert "1 of 200" in page
            assert len(page) < 200_000
            last = (await came.get("/?page=200")).text
            assert len(rows(last)) == 50
            assert "agent-9999" in last
            assert (await came.get("/?page=100000000")).status == 200
            found = (await came.get("/?q=agent-777&sort=name")).text
            assert len(rows(found)) == 11
            loop = asyncio.get_running_loop()
            began = loop.time()
            await came.get("/")
            assert loop.time() - began < 2

    lived(main)


def test_whatever_agents_write_is_text_on_every_page(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, speech=lambda call: HOSTILE) as home, visitor(home) as came:
            name = HOSTILE.replace("/", "|")
            agent = await home.spawn(name)
            wish = ToolCall(id="c", name=HOSTILE, arguments=HOSTILE)
            said = (
                Message("user", HOSTILE),
                Message("assistant", HOSTILE, (wish,)),
                Message("tool", HOSTILE, tool_call_id="c"),
            )
            await home.kernel.call(agent.token, Generate(messages=said))
            file = WriteFile(path="a<b>.txt", data=HOSTILE.encode())
            await home.kernel.call(agent.token, file)
            await home.kernel.call(agent.token, WriteFile(path=file.path, data=b"then"))
            limit = SetBudget(account=name, resource=Resource.CALLS, limit=1e6)
            await home.first(limit)
            question = AskHuman(question=HOSTILE, choices=(HOSTILE,))
            asking = asyncio.ensure_future(home.kernel.call(agent.token, question))
            await pending(home, 1)
            folder = f"/files?agent={quote(name)}"
            shown = 0
            for path in (
                "/", f"/agent/{agent.pid}", "/approvals", folder,
                f"{folder}&path={quote(file.path)}", f"{folder}&path={quote(file.path)}&version=1",
                f"{folder}&path={quote(HOSTILE)}", "/budgets", "/audit", "/events",
                f"/?q={quote(HOSTILE)}", f"/events?kind={quote(HOSTILE)}&pid={quote(HOSTILE)}",
                f"/audit?agent={quote(HOSTILE)}", f"/tools?q={quote(HOSTILE)}", "/login",
                f"/agent/{quote(HOSTILE, safe='')}", f"/enter/{quote(HOSTILE, safe='')}",
            ):  # fmt: skip
                for headers in ({}, {"x-live": "1"}):
                    reply = await came.get(path, **headers)
                    if reply.headers["content-type"] == "application/json":
                        continue  # an error as data, which no browser takes for a page
                    text = reply.text
                    assert "<script>alert" not in text, path
                    assert "<img" not in text, path
                    assert "onerror=alert(2)>" not in text, path
                    assert html.escape(COMPUTED) not in text, "nobody's text is a template"
                    shown += ESCAPED in text
            assert shown >= 12
            asking.cancel()

    lived(main)


def test_an_agents_page_tells_its_conversation_while_it_is_written(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home, visitor(home) as came:
            agent = await home.spawn("writer")
            said = (Message("system", "be kind"), Message("user", "write a poem"))
            task = asyncio.ensure_future(home.kernel.call(agent.token, Generate(messages=said)))
            live = home.kernel.loops[0]
            await soon(lambda: any(one.tokens_out > 5 for one in live.live))
            page = (await came.get(f"/agent/{agent.pid}")).text
            answer = re.search(r'id="answer">([^<]+)<', page)
            assert answer is not None
            assert len(answer[1].split()) > 3
            assert page.index("be kind") < page.index("write a poem") < page.index('id="answer"')
            task.cancel()

    lived(main)


def test_the_live_parts_are_those_of_the_page_and_unchanged_ones_cost_nothing(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home) as came:
            await home.first(SetBudget(account="a", resource=Resource.CALLS, limit=5))
            whole = (await came.get("/budgets")).text
            part = await came.get("/budgets", **{"x-live": "1"})
            targets = re.findall(r'<hx-partial hx-target="#(\w+)"', part.text)
            assert targets == ["live_nav", "live_budgets"]
            assert all(f'id="{one}"' in whole for one in targets)
            assert len(part.text) < len(whole)
            same = await came.get(
                "/budgets", **{"x-live": "1", "if-none-match": part.headers["etag"]}
            )
            assert (same.status, same.text) == (304, "")
            await home.first(SetBudget(account="b", resource=Resource.CALLS, limit=5))
            again = await came.get(
                "/budgets", **{"x-live": "1", "if-none-match": part.headers["etag"]}
            )
            assert again.status == 200

    lived(main)


def test_pause_resume_send_and_kill_are_the_syscalls_of_the_one_who_looks(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home) as came:
            agent = await home.spawn("worker")
            path, csrf = f"/agent/{agent.pid}", await came.csrf()

            async def act(name: str, **fields: str) -> str:
                reply = await came.post(f"{path}/{name}", {"csrf": csrf, "back": path, **fields})
                assert (reply.status, reply.headers["location"]) == (303, path)
                return (await came.get(path)).text

            assert "Resume</button>" in await act("pause")
            assert (await home.first(Inspect(pid=agent.pid))).state is ProcessState.PAUSED
            assert "Pause</button>" in await act("resume")
            await act("send", body="hurry up")
            assert (await home.kernel.call(agent.token, Receive())).body == "hurry up"
            page = await act("kill")
            assert "was killed" in page
            assert (await home.first(Inspect(pid=agent.pid))).state is ProcessState.KILLED
            assert "cannot become" in await act("pause"), "an error is told on the page"

    lived(main)


def test_an_approval_shows_exactly_what_is_asked_and_takes_one_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home) as came:
            agent = await home.spawn("cleaner")
            long = "x" * 20_000
            await home.kernel.call(agent.token, Write(name="block", data=b"precious"))
            tasks = [
                asyncio.ensure_future(home.kernel.call(agent.token, Free(name="block"))),
                asyncio.ensure_future(
                    home.kernel.call(
                        agent.token, AskHuman(question="May I?", choices=(long[:200],))
                    )
                ),
            ]
            await pending(home, 2)
            page = (await came.get("/approvals")).text
            assert long[:200] in page
            first, second = (await home.first(Approvals())).approvals
            csrf = await came.csrf()
            wrong = {"csrf": csrf, "back": "/approvals", "digest": "0" * 64, "answer": "yes"}
            await came.post(f"/approvals/{first.id}", wrong)
            assert "problem" in (await came.get("/approvals")).text
            for one, answer in ((first, "no"), (second, "yes")):
                assert f'value="{one.digest}"' in page
                form = {"csrf": csrf, "digest": one.digest, "answer": answer, "note": "as agreed"}
                await came.post(f"/approvals/{one.id}", form)
            refused, told = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(refused, Denied)
            assert getattr(told, "text", "") == "as agreed"
            answers = [one.answer for one in (await home.first(Approvals(all=True))).approvals]
            assert answers[0] is Answer.NO

    lived(main)


def test_budgets_are_set_and_topped_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home) as came:
            csrf = await came.csrf()
            form = {"csrf": csrf, "account": "team", "resource": "tokens", "limit": "1000"}
            await came.post("/budgets/set", form)
            await came.post("/budgets/top-up", {**form, "amount": "250.5"})
            (line,) = (await home.first(Budgets())).budgets
            assert (line.account, line.limit) == ("team", 1250.5)
            for bad in ({"amount": "nan"}, {"amount": "-5"}, {"amount": "x"}, {"resource": "gold"}):
                await came.post("/budgets/top-up", {**form, "amount": "1", **bad})
                assert "problem" in (await came.get("/budgets")).text
            await came.post("/budgets/set", {**form, "limit": ""})
            (line,) = (await home.first(Budgets())).budgets
            assert line.limit is None

    lived(main)


def test_another_policy_is_chosen_on_the_page(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home, visitor(home) as came:
            csrf = await came.csrf()
            form = {"csrf": csrf, "back": "/", "policy": "rr", "slice_tokens": "16"}
            await came.post("/scheduler", form)
            shown = await home.first(ShowScheduler())
            assert (shown.policy, shown.slice_tokens) == ("rr", 16)
            await came.post("/scheduler", {**form, "policy": "fifo"})
            assert (await home.first(ShowScheduler())).policy == "fifo"
            assert "gives lanes out by <b>fifo</b>" in (await came.get("/")).text
            await came.post("/scheduler", {**form, "policy": "lottery"})
            assert "no policy" in html.unescape((await came.get("/")).text)

    lived(main)


def test_files_are_shown_with_their_versions_and_what_changed(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home) as came:
            agent = await home.spawn("author")
            for text in ("one\ntwo\n", "one\nthree\n", "one\nthree\nfour\n"):
                file = WriteFile(path="drafts/plan.md", data=text.encode())
                await home.kernel.call(agent.token, file)
            assert "author" in (await came.get("/files")).text
            assert "drafts/" in (await came.get("/files?agent=author")).text
            page = (await came.get("/files?agent=author&path=drafts/plan.md")).text
            assert '<span class="added">+four' in page
            old = "/files?agent=author&path=drafts/plan.md&version=3&against=1"
            assert '<span class="removed">-two' in (await came.get(old)).text
            first = (await came.get("/files?agent=author&path=drafts/plan.md&version=1")).text
            assert "three" not in first.partition("<h2>Versions")[0].partition("plan.md")[2]
            missing = await came.get("/files?agent=author&path=nothing.md")
            assert missing.status == 404
            assert "Nothing is here" in missing.text

    lived(main)


def test_the_audit_is_filtered_and_verified(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home) as came:
            agent = await home.spawn("worker")
            await home.first(Pause(pid=agent.pid))
            page = (await came.get("/audit?verb=process.pause")).text
            assert page.count('<tr id="record-') == 1
            assert "The chain is whole" in (await came.get("/audit?verify=1")).text

    lived(main)


def test_events_are_remembered_within_bounds_and_filtered(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home) as came:
            agent = await home.spawn("seen")
            for _ in range(record.EVENTS_MAX + 500):
                home.kernel.bus.publish(events.StateChanged(at=0.0, pid=agent.pid, state="paused"))
            await home.kernel.call(agent.token, Generate(prompt="x"))
            page = (await came.get("/events")).text
            assert page.count("<tr>") < 400
            assert f"{record.EVENTS_MAX:,}" in page
            only = (await came.get(f"/events?kind=submitted&pid={agent.pid}")).text
            assert only.partition("<tbody>")[2].count("<tr>") == 1

    lived(main)


def test_every_file_that_pages_load_is_there_and_named_by_what_is_in_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home) as came:
            page = (await came.get("/")).text
            loaded = re.findall(r'(?:src|href)="(/web/static/[^"]+)"', page)
            assert len(loaded) == len(render.ASSETS)
            for url in loaded:
                reply = await came.get(url)
                assert reply.status == 200
                assert "immutable" in reply.headers["cache-control"]
            for url in ("/web/static/../session.py", "/web/static/app.py", "/web/static/"):
                assert (await came.get(url)).status == 404

    lived(main)


def test_what_is_vendored_is_what_its_readme_says() -> None:
    folder = Path(str(render.HERE)) / "static" / "vendor"
    told = (folder / "README.md").read_text()
    found = re.findall(r"\| `([\w.]+)` \|.*\| `(\w{64})` \|", told)
    assert len(found) == 3
    for name, digest in found:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_tools_are_listed_with_their_arguments(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=SLOW) as home, visitor(home) as came:
            page = (await came.get("/tools")).text
            assert "The cheapest fare" in page
            assert "1 tool" in page
            assert "No tool is found" in (await came.get("/tools?q=nothing")).text

    lived(main)
