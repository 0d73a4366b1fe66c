"""Who may speak, and as whom."""

import asyncio

import pytest

from aios.errors import InvalidArgument, Unauthenticated
from aios.server.auth import ANONYMOUS, Identities, is_loopback
from aios.server.settings import Settings
from aios.syscalls import Generate, Kill, List, Spawn
from aios.testing.journal import InlineJournal
from tests.server.house import House, house, lived

CHAT = {"messages": [{"role": "user", "content": "hi"}]}
FIXED = "a-token-from-a-file"


async def status(home: House, path: str, **headers: str) -> int:
    # The session's own token must not help.
    told = {"authorization": "", **{name.replace("_", "-"): one for name, one in headers.items()}}
    async with home.http.post(path, json=CHAT | {"max_tokens": 5}, headers=told) as answer:
        return answer.status


async def names(home: House) -> list[str]:
    found = await home.kernel.call(home.kernel.token, List())
    return [one.name for one in found.processes]


async def calls_of(home: House, name: str) -> int:
    found = await home.kernel.call(home.kernel.token, List())
    return sum(one.calls for one in found.processes if one.name == name)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_token_is_taken_from_either_header_and_from_the_url(path: str) -> None:
    async def main() -> None:
        async with house(lambda _: "yes") as home:
            token = home.token
            assert await status(home, path, authorization=f"Bearer {token}") == 200
            assert await status(home, path, x_api_key=token) == 200
            assert await status(home, f"/agents/{token}{path}") == 200
            assert await calls_of(home, "agent") == 3
            assert await status(home, path) == 401
            assert await status(home, path, authorization="Bearer ") == 401
            assert await status(home, path, authorization="Basic x") == 401
            assert await status(home, path, x_api_key="nobody") == 401
            assert await status(home, f"/agents/nobody{path}") == 401

    lived(main)


@pytest.mark.parametrize("path", ["/v1/v1/messages", "/messages", "/chat/completions"])
def test_a_base_url_may_have_one_v1_too_many_or_too_few(path: str) -> None:
    async def main() -> None:
        async with house(lambda _: "yes") as home:
            assert await status(home, path, x_api_key=home.token) == 200

    lived(main)


def test_agents_with_fixed_tokens_are_there_from_the_start() -> None:
    async def main() -> None:
        async with house(lambda _: "yes", settings=Settings(agents={FIXED: "writer"})) as home:
            assert "writer" in await names(home)
            assert await status(home, "/v1/chat/completions", x_api_key=FIXED) == 200
            assert await calls_of(home, "writer") == 1

    lived(main)


def test_without_a_token_a_process_is_named_only_where_that_is_allowed() -> None:
    async def main() -> None:
        async with house(lambda _: "yes") as home:
            assert await status(home, "/v1/chat/completions") == 401
            assert await status(home, "/v1/chat/completions", x_api_key=ANONYMOUS) == 401
        settings = Settings(anonymous="default", anonymous_max=2)
        async with house(lambda _: "yes", settings=settings) as home:
            path = "/v1/chat/completions"
            assert await status(home, path) == 200
            assert await status(home, path, x_api_key=ANONYMOUS) == 200
            assert await calls_of(home, "default") == 2
            assert await status(home, path, x_aios_agent="cook") == 200
            assert await calls_of(home, "cook") == 1
            assert await status(home, path, x_aios_agent="one-too-many") == 403
            assert await status(home, path, x_api_key="a-wrong-token") == 401

    lived(main)


def test_a_caller_without_a_token_is_no_agent_that_has_one() -> None:
    async def main() -> None:
        settings = Settings(anonymous="default", agents={FIXED: "writer"})
        async with house(lambda _: "yes", settings=settings) as home:
            path = "/api/syscalls/process.whoami"
            assert await status(home, path, x_aios_agent="writer") == 200
            found = await home.kernel.call(home.kernel.token, List())
            agents = sorted(one.agent for one in found.processes if one.name == "writer")
            assert agents == ["anonymous/writer", "writer"]
            assert await status(home, path, x_aios_agent="../writer") == 400

    lived(main)


def test_no_caller_without_a_token_may_do_what_the_first_process_does() -> None:
    async def main() -> None:
        async with house(settings=Settings(anonymous="default")) as home:
            for name in ("init", "anonymous", "agent"):
                headers = {"authorization": "", "x-aios-agent": name}
                async with home.http.post("/api/syscalls/process.whoami", headers=headers) as told:
                    me = await told.json()
                assert me["agent"] == f"anonymous/{name}"
                assert me["pid"] != 1

    lived(main)


def test_an_anonymous_process_that_was_killed_is_opened_again() -> None:
    async def main() -> None:
        async with house(lambda _: "yes", settings=Settings(anonymous="default")) as home:
            await status(home, "/v1/chat/completions")
            found = await home.kernel.call(home.kernel.token, List())
            pid = next(one.pid for one in found.processes if one.name == "default")
            await home.kernel.call(home.kernel.token, Kill(pid=pid))
            assert await status(home, "/v1/chat/completions") == 200

    lived(main)


def test_agents_are_who_they_were_in_the_kernel_before() -> None:
    async def main() -> None:
        journal = InlineJournal()
        settings = Settings(anonymous="default", agents={FIXED: "writer"})
        callers: list[dict[str, str]] = [
            {"x_api_key": FIXED},
            {},
            {"x_aios_agent": "cook"},
        ]
        whoami = "/api/syscalls/process.whoami"
        pids = []
        for seed in (1, 2, 3):
            async with house(settings=settings, journal=journal, seed=seed) as home:
                for caller in callers:
                    assert await status(home, whoami, **caller) == 200
                found = await home.kernel.call(home.kernel.token, List())
                named = {"writer", ANONYMOUS, "default", "cook"}
                pids.append([(one.name, one.pid) for one in found.processes if one.name in named])
        assert len(pids[0]) == 4
        assert pids[0] == pids[1] == pids[2]

    lived(main)


def test_a_key_is_known_to_the_next_kernel() -> None:
    async def main() -> None:
        journal = InlineJournal()
        settings = Settings(agents={FIXED: "writer"})
        headers = {"authorization": f"Bearer {FIXED}", "idempotency-key": "K"}
        asked, statuses = list[Generate](), []

        def speech(call: Generate) -> str:
            asked.append(call)
            return "yes"

        for seed, message in enumerate(("hi", "hi", "other"), start=1):
            body = {"messages": [{"role": "user", "content": message}]}
            async with (
                house(speech, settings=settings, journal=journal, seed=seed) as home,
                home.http.post("/v1/chat/completions", json=body, headers=headers) as told,
            ):
                statuses.append(told.status)
        assert (statuses, len(asked)) == ([200, 200, 400], 1)

    lived(main)


def test_a_token_from_before_stays_good_beside_a_new_one() -> None:
    async def main() -> None:
        journal = InlineJournal()
        async with house(journal=journal) as home:
            by_hand = (await home.kernel.call(home.kernel.token, Spawn(name="writer"))).token
        settings = Settings(agents={FIXED: "writer"})
        async with house(settings=settings, journal=journal, seed=2) as home:
            table = home.kernel.table
            path = "/api/syscalls/process.whoami"
            assert await status(home, path, x_api_key=FIXED) == 200
            assert await status(home, path, x_api_key=by_hand) == 200
            assert await calls_of(home, "writer") == 2
            pid = table.by_token(by_hand).pid
            await home.kernel.call(home.kernel.token, Kill(pid=pid))
            assert await status(home, path, x_api_key=by_hand) == 401
            assert await status(home, path, x_api_key=FIXED) == 401

    lived(main)


def test_no_agent_with_a_token_is_the_parent_of_those_without() -> None:
    async def main() -> None:
        with pytest.raises(InvalidArgument, match="another agent's name than 'anonymous'"):
            async with house(settings=Settings(agents={FIXED: ANONYMOUS})):
                pass

    lived(main)


def test_a_host_or_origin_that_is_no_url_is_not_this_machine() -> None:
    async def main() -> None:
        async with house(lambda _: "yes", settings=Settings(anonymous="default")) as home:
            path = "/v1/chat/completions"
            for wrong in ("[", "[a]b", "a]", "[::1"):
                assert await status(home, path, host=wrong) == 401
                assert await status(home, path, origin=f"http://{wrong}") == 401

    lived(main)


def test_a_page_in_a_browser_is_nobody() -> None:
    async def main() -> None:
        async with house(lambda _: "yes", settings=Settings(anonymous="default")) as home:
            path = "/v1/chat/completions"
            assert await status(home, path, origin="https://evil.example") == 401
            assert await status(home, path, host="evil.example") == 401
            assert await status(home, path, origin="http://localhost:3000") == 200

    lived(main)


def test_a_process_sees_its_own_responses_only() -> None:
    async def main() -> None:
        settings = Settings(agents={FIXED: "other"})
        async with house(lambda _: "yes", settings=settings) as home:
            async with home.http.post("/v1/responses", json={"input": "hi"}) as told:
                id = (await told.json())["id"]
            async with home.http.get(f"/v1/responses/{id}") as told:
                assert told.status == 200
            headers = {"authorization": f"Bearer {FIXED}"}
            async with home.http.get(f"/v1/responses/{id}", headers=headers) as told:
                assert told.status == 404

    lived(main)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("10.0.0.1", False), ("example.org", False), ("", False)],
)  # fmt: skip
def test_loopback_is_this_machine_alone(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_two_reloads_at_once_open_an_agent_once_and_the_last_one_holds() -> None:
    async def main() -> None:
        async with house(journal=InlineJournal()) as home:
            who = Identities(home.kernel, Settings())
            both = {FIXED: "twin", f"{FIXED}-2": "other"}
            await asyncio.gather(who.reload(both), who.reload(both), who.reload({FIXED: "twin"}))
            assert (await names(home)).count("twin") == 1
            who.known(FIXED)
            with pytest.raises(Unauthenticated):
                who.known(f"{FIXED}-2")

    lived(main)
