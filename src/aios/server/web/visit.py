"""One request of a browser: whose it is, what its form says, and how a page goes back.

A request that changes anything must come from a form of ours: by its token and by its origin.
"""

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from aios.errors import AiosError, Denied, InvalidArgument
from aios.kernel import Kernel
from aios.server.asgi import Exchange
from aios.server.web.record import Record
from aios.server.web.session import Session
from aios.syscalls import ProcessInfo
from aios.syscalls.base import Syscall

R = TypeVar("R")
FORM_BYTES_MAX = 256 << 10
FORM_S = 30.0
HTML = "text/html; charset=utf-8"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # With none, a form tells no origin.
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Visit:
    """An exchange in the name of a session."""

    def __init__(
        self, exchange: Exchange, session: Session, token: str, kernel: Kernel, record: Record
    ) -> None:
        self.exchange = exchange
        self.session = session
        self.token = token  # the kernel's, of whoever has signed in
        self.record = record
        self.who: ProcessInfo  # set before a page is made
        self._kernel = kernel

    @property
    def epoch(self) -> float:
        """What makes seconds since the epoch of a moment of the kernel's clock."""
        clock = self._kernel.clock
        return clock.utc() - clock.now()

    async def call(self, call: Syscall[R]) -> R:
        """A syscall of whoever has signed in."""
        return await self._kernel.call(self.token, call)

    async def allowed(self, call: Syscall[R]) -> R | None:
        """The same; None where they may not, or where this kernel has nothing that answers."""
        try:
            return await self.call(call)
        except AiosError:
            return None

    def query(self, name: str) -> str:
        return self.exchange.query(name)

    def number(self, name: str, default: int = 1) -> int:
        """A whole number from the query, from 1 on."""
        told = self.exchange.query(name)
        return max(1, int(told)) if told.isdecimal() and len(told) < 10 else default

    def link(self, **changes: object) -> str:
        """This page with other parameters; an empty one is left out."""
        query = parse_qs(self.exchange.query_string)
        told = {name: values[0] for name, values in query.items()}
        told |= {name: str(value) for name, value in changes.items()}
        rest = urlencode({name: value for name, value in told.items() if value})
        return f"{self.exchange.path}?{rest}" if rest else self.exchange.path

    async def form(self) -> Mapping[str, str]:
        """The fields of a form that this session was shown."""
        expect_same_origin(self.exchange)
        fields = await form(self.exchange)
        if not self.session.is_form_of(fields.get("csrf", "")):
            raise Denied("this form is of another session; load the page again")
        return fields


async def form(exchange: Exchange) -> Mapping[str, str]:
    """A form's fields, the last of each name."""
    body = await exchange.body(bytes_max=FORM_BYTES_MAX, within_s=FORM_S)
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100)
    except (UnicodeDecodeError, ValueError):
        raise InvalidArgument("expected the fields of a form, URL-encoded") from None
    return {name: values[-1] for name, values in fields.items()}


def expect_same_origin(exchange: Exchange) -> None:
    """Browsers tell where a form comes from; one that does not is not believed."""
    try:
        told = urlsplit(exchange.header("origin")).netloc
    except ValueError:
        told = ""
    if not told or told != exchange.header("host"):
        raise Denied("expected a form of this very page: its origin is another, or is not told")


async def see_other(
    exchange: Exchange, place: str, headers: Mapping[str, str] | None = None
) -> None:
    """On to another page, by GET."""
    told = {**HEADERS, "location": place, **(headers or {})}
    await exchange.reply(b"", status=303, kind=HTML, headers=told)


def local(place: str) -> str:
    """A path of ours; anything that leads elsewhere becomes the first page."""
    is_ours = place.startswith("/") and not place.startswith(("//", "/\\"))
    return place if is_ours and place.isprintable() and place.isascii() else "/"
