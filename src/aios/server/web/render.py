"""Templates to HTML, and the files that pages load. What is not ours is escaped, always.

A page's blocks whose names begin with `live_` are what changes while it is open: they are rendered
alone, each to be put in its place on the page.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2

from aios.errors import NotFound
from aios.server.web import words

HERE = files("aios.server.web")
KINDS = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
LIVE = "live_"


class Asset:
    """A file that pages load, under a name that changes with what is in it."""

    def __init__(self, name: str) -> None:
        self.body = HERE.joinpath("static", *name.split("/")).read_bytes()
        self.kind = KINDS[name.rpartition(".")[2]]
        self.mark = hashlib.sha256(self.body).hexdigest()[:12]
        self.url = f"/web/static/{name}?{self.mark}"


ASSETS = (
    "app.css", "app.js", "lanes.js", "theme.js", "icon.svg",
    "vendor/htmx.min.js", "vendor/uplot.min.js", "vendor/uplot.min.css",
)  # fmt: skip


@cache
def assets() -> Mapping[str, Asset]:
    """All of them, read once."""
    return {name: Asset(name) for name in ASSETS}


def asset(name: str) -> Asset:
    found = assets().get(name)
    if found is None:
        raise NotFound(f"no file {name[:100]!r}; there is {', '.join(ASSETS)}")
    return found


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: HERE.joinpath("templates", name).read_text()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= words.FILTERS
    made.globals["asset"] = lambda name: asset(name).url
    made.globals["ui"] = made.get_template("ui.html").module
    made.globals["when"] = _when
    return made


def page(name: str, values: Mapping[str, Any]) -> bytes:
    """A whole page."""
    return _environment().get_template(name).render(values).encode()


def live(name: str, values: Mapping[str, Any]) -> bytes:
    """What changes of a page, each part with its place."""
    return "".join(_parts(name, values)).encode()


def _parts(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    for template in (_environment().get_template(one) for one in ("base.html", name)):
        for block, render in template.blocks.items():
            if block.startswith(LIVE):
                body = "".join(render(template.new_context(dict(values))))
                yield f'<hx-partial hx-target="#{block}" hx-swap="innerMorph">{body}</hx-partial>'


def mark(body: bytes) -> str:
    """By which a page knows that nothing has changed."""
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def _when(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
