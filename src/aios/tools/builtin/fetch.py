"""`aios/http_fetch`: a page of the hosts that the operator allows, through the guarded way out.

Every request, a redirect's too, passes the proxy, which holds it to the list and refuses addresses
inside. Nothing is unpacked, and no more is read than fits.
"""

import asyncio
import itertools
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from aios.errors import Denied, InvalidArgument, NotFound
from aios.sandbox.base import Egress, Whose
from aios.sandbox.egress import Decision, Proxy
from aios.sandbox.reach import Reach
from aios.sandbox.targets import Allowed
from aios.syscalls.tool import Json, Text
from aios.tools.base import Outside, Ran, Terms, Tool
from aios.tools.builtin.base import fields, say, text, tool, whole
from aios.tools.builtin.page import page_text

if TYPE_CHECKING:
    import aiohttp

BYTES_MAX = 2 << 20
CALL_S_MAX = 60
REDIRECTS_MAX = 5
PORTS = (443, 80)
HEADERS = {"Accept": "text/html, text/*, application/json", "Accept-Encoding": "identity"}


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, as far as it was read."""

    url: str
    status: int
    media_type: str
    charset: str
    body: bytes
    is_cut: bool


class Way:
    """The proxy, opened when it is first needed; `hosts` are all that anybody gets to."""

    def __init__(
        self, hosts: Sequence[str], tokens: Callable[[], str], reach: Reach | None = None
    ) -> None:
        self.egress = Egress(listed(hosts))
        self.decided: list[Decision] = []  # the last ones
        self._watching: Callable[[Decision], None] = lambda decision: None
        self._numbers = itertools.count(1)
        self._proxy = Proxy(reach or Reach(), tokens, self._note)
        self._port = 0
        self._opening = asyncio.Lock()

    def watch_exits(self, decided: Callable[[Decision], None]) -> None:
        """Tell every decision to them too."""
        self._watching = decided

    async def get(self, url: str, whose: Whose) -> Fetched:
        """Raises `Denied`, `NotFound`, `InvalidArgument`."""
        import aiohttp

        port = await self._open()
        job = f"{next(self._numbers)}"
        token = self._proxy.admit(job, self.egress, whose)
        try:
            timeout = aiohttp.ClientTimeout(total=CALL_S_MAX)
            async with aiohttp.ClientSession(
                timeout=timeout, headers=HEADERS, auto_decompress=False, trust_env=False
            ) as session:
                proxy = f"http://job:{token}@127.0.0.1:{port}"
                async with session.get(url, proxy=proxy, max_redirects=REDIRECTS_MAX) as answer:
                    return await _read(answer)
        except aiohttp.InvalidURL:
            raise InvalidArgument(
                f"url: expected http://... or https://..., got {url[:200]!r}"
            ) from None
        except aiohttp.ClientHttpProxyError as problem:
            raise _REFUSED.get(problem.status, NotFound)(self._why(job, url)) from None
        except (aiohttp.ClientError, OSError) as problem:
            raise NotFound(f"{url[:200]}: {problem}") from None
        finally:
            await self._proxy.dismiss(token)

    async def close(self) -> None:
        await self._proxy.close()

    async def _open(self) -> int:
        """Serve loopback; a stranger there has no token."""
        async with self._opening:
            if not self._port:
                listener = socket.create_server(("127.0.0.1", 0))
                listener.setblocking(False)
                await self._proxy.listen(listener)
                self._port = listener.getsockname()[1]
            return self._port

    def _note(self, decision: Decision) -> None:
        self.decided = [*self.decided[-99:], decision]
        self._watching(decision)

    def _why(self, job: str, url: str) -> str:
        """Of this request: what others asked for is none of this agent's business."""
        mine = (one for one in reversed(self.decided) if one.job == job and not one.is_allowed)
        refused = next(mine, None)
        return refused.why if refused is not None else f"{url[:200]}: no way there"


_REFUSED: dict[int, type[Denied] | type[InvalidArgument]] = {400: InvalidArgument, 403: Denied}


def listed(hosts: Sequence[str]) -> tuple[str, ...]:
    """`host:port` for each; a host alone is its web ports. Raises `InvalidArgument`."""
    entries = tuple(
        entry
        for host in hosts
        for entry in ([host] if _has_port(host) else [f"{host}:{port}" for port in PORTS])
    )
    Allowed(entries)
    return entries


def tools(way: Way) -> tuple[Tool, ...]:
    async def run(arguments: Mapping[str, Any], outside: Outside) -> Ran | tuple[Text, ...]:
        url = arguments["url"]
        if not url.startswith(("http://", "https://")):
            raise _no_url(url)
        fetched = await way.get(url, Whose(outside.agent, outside.pid, "aios/http_fetch"))
        return _told(fetched, arguments.get("characters", 20_000))

    hosts = ", ".join(dict.fromkeys(one.rpartition(":")[0] for one in way.egress.allowed))
    return (
        tool(
            "http_fetch",
            f"Get a web page or a file as text. Allowed hosts: {hosts[:1_000]}.",
            fields(
                url=text("For example: https://example.org/page", minLength=8, maxLength=4_000),
                characters=whole("How much of it at most.", 100, 200_000, default=20_000),
            ),
            run,
            Terms(outside=True, source="web", timeout_s=CALL_S_MAX + 10.0),
        ),
    )


async def _read(answer: "aiohttp.ClientResponse") -> Fetched:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise InvalidArgument(f"{answer.url}: expected a page that is not packed")
    body = b""
    async for part in answer.content.iter_chunked(1 << 16):
        body += part
        if len(body) > BYTES_MAX:
            break
    return Fetched(
        url=str(answer.url),
        status=answer.status,
        media_type=answer.content_type,
        charset=answer.charset or "utf-8",
        body=body[:BYTES_MAX],
        is_cut=len(body) > BYTES_MAX,
    )


def _told(fetched: Fetched, most: int) -> Ran | tuple[Text, ...]:
    """As text; data as data where it is whole."""
    if fetched.status >= 400:
        problem = f"{fetched.url} answers {fetched.status}: {_decoded(fetched)[:500]}"
        return Ran(contents=(Text(problem),), is_error=True)
    if fetched.media_type == "application/json" and not fetched.is_cut and len(fetched.body) < most:
        try:
            return Ran(contents=(Json(msgspec.json.decode(fetched.body)),))
        except (msgspec.DecodeError, RecursionError):
            return say(_decoded(fetched))
    if fetched.media_type in ("text/html", "application/xhtml+xml"):
        return _cut(page_text(_decoded(fetched)), most)
    if fetched.media_type.startswith("text/") or fetched.media_type.endswith(("json", "xml")):
        return _cut(_decoded(fetched), most)
    size = f"{len(fetched.body):,} bytes" + (" and more" if fetched.is_cut else "")
    raise InvalidArgument(f"{fetched.url}: expected text, it is {fetched.media_type}, {size}")


def _cut(told: str, most: int) -> tuple[Text, ...]:
    if len(told) <= most:
        return say(told)
    return say(f"{told[:most]}\n[{most:,} of {len(told):,} characters]")


def _decoded(fetched: Fetched) -> str:
    try:
        return fetched.body.decode(fetched.charset, errors="replace")
    except LookupError:
        return fetched.body.decode(errors="replace")


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdigit() and not host.endswith("]")


def _no_url(url: str) -> InvalidArgument:
    return InvalidArgument(f"url: expected http://... or https://..., got {url[:200]!r}")
