"""A launcher with a folder of its own, told what to make sandboxes with; and what it found here."""

import asyncio
import os
import sys
import sysconfig
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from aios.errors import Denied
from aios.sandbox.base import Tier
from aios.sandbox.link import Link
from aios.sandbox.removal import remove

DEFAULT = ("bubblewrap", "landlock", "seatbelt")  # the strongest first


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How many sandboxes there are at a time."""

    pool: int = 4  # started before anybody asks
    live: int = 16  # at work at once
    waiting: int = 256  # more jobs than these are told `Busy`
    disk_bytes: int = 64 << 20  # of a pooled one's workspace


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What came of trying a tier."""

    name: str
    works: bool
    detail: str
    strength: int = 0
    unbounded: tuple[str, ...] = ()
    has_own_network: bool = False

    @property
    def tier(self) -> Tier:
        return Tier(
            name=self.name, strength=self.strength, unbounded=self.unbounded, detail=self.detail
        )


class Launched:
    """One launcher, from its start to its end. Made by `launch`."""

    def __init__(self, link: Link, place: Path, found: tuple[Found, ...]) -> None:
        self.link = link
        self.found = found  # every tier that was tried, in order
        self.place = place

    @property
    def in_force(self) -> Found:
        """The tier that sandboxes are made with; `Denied` where none holds."""
        for one in self.found:
            if one.works:
                return one
        told = "; ".join(f"{one.name}: {one.detail}" for one in self.found)
        raise Denied(f"no sandbox holds on this machine; {told}")

    async def close(self) -> None:
        """When this returns, no process and no file of it is left."""
        await self.link.close()
        with suppress(OSError):
            await asyncio.to_thread(remove, self.place)


async def launch(names: tuple[str, ...], settings: Settings, *, is_all: bool = False) -> Launched:
    """Start a launcher and have it try those tiers: up to the first that holds, or all."""
    place = _place()
    launched = Launched(Link.start(), place, ())
    asked = {
        "do": "open",
        "id": 0,
        "tiers": list(names),
        "all": is_all,
        "place": str(place),
        "interpreter": _interpreter(),
        **msgspec.structs.asdict(settings),
    }
    try:
        frame = await launched.link.ask(asked)
    except BaseException:
        await launched.close()
        raise
    launched.found = msgspec.convert(frame.header["found"], tuple[Found, ...])
    return launched


async def probe_all() -> tuple[Found, ...]:
    """What every tier says of this machine."""
    launched = await launch(DEFAULT, Settings(pool=0), is_all=True)
    await launched.close()
    return launched.found


def _place() -> Path:
    place = Path(tempfile.mkdtemp(prefix="aios-sandbox-"))
    place.chmod(0o711)  # Users of sandboxes go through it, and see nothing in it.
    return place


def _interpreter() -> dict[str, Any]:
    """The Python that runs here, which is the one that runs inside."""
    return {
        "program": os.path.realpath(sys._base_executable),  # type: ignore[attr-defined]
        "folders": [sys.base_prefix, sys.prefix],
        "packages": [sysconfig.get_path("purelib")],
    }
