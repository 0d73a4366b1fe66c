"""Every tier by its name, and the ways to have it here, best first. A table."""

from collections.abc import Callable, Sequence

from aios.sandbox.launcher.container import Podman, docker
from aios.sandbox.launcher.methods import Here, Method
from aios.sandbox.launcher.namespaces import Bubblewrap
from aios.sandbox.launcher.plain import Plain
from aios.sandbox.launcher.seatbelt import Seatbelt
from aios.sandbox.launcher.shared import Landlock

TIERS: dict[str, Sequence[Callable[[Here], Method]]] = {
    "bubblewrap": (
        lambda here: Bubblewrap(here, own_users=here.is_root),
        lambda here: Bubblewrap(here, own_users=False),
    ),
    "landlock": (Landlock,),
    "seatbelt": (Seatbelt,),
    "podman": (Podman,),
    "docker": (docker,),
    "none": (Plain,),
}


def ways(name: str) -> Sequence[Callable[[Here], Method]]:
    """The ways to have the tier of that name; none where nothing is called so."""
    kind, _, image = name.partition(":")
    if kind == "podman" and image:
        return (lambda here: Podman(here, image),)
    return TIERS.get(name, ())
