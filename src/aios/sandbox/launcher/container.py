"""Containers as a method, by name only: `podman`, or `podman:IMAGE` for an image of one's own.

The image brings the Python that runs inside. Docker hands no descriptor into a container, which a
worker needs, so it is refused with that reason. Slower to start than the other tiers by far.
"""

import os
import pwd
import shutil
from pathlib import Path
from typing import Any

from aios.sandbox.launcher.cell import Shape
from aios.sandbox.launcher.methods import PATHS, Here, limits, order, worker_words
from aios.sandbox.launcher.slot import Slot

IMAGE = "docker.io/library/python:3-slim"
WORKSPACE = "/workspace"
USER = "1000:1000"


class Podman:
    """A container for each sandbox, without network, rights and a writable root."""

    name = "podman"
    strength = 3
    holds = True
    has_own_network = True
    own_users = False

    def __init__(self, here: Here, image: str = IMAGE) -> None:
        program = shutil.which("podman", path=PATHS)
        if program is None:
            raise OSError("podman is not installed: `apt install podman`")
        self._program = program
        self._here = here
        self._image = image

    def start(self, slot: Slot, shape: Shape) -> tuple[dict[str, Any], bytes]:
        words = [self._program, *_RUN, *_mounts(shape), self._image, *worker_words("python3")]
        home = pwd.getpwuid(os.getuid()).pw_dir
        return order(words, None, environment={"PATH": PATHS, "HOME": home}), b""

    def clean(self, slot: Slot) -> Path | None:
        return None

    def environment(self, slot: Slot) -> dict[str, str]:
        return {"PATH": PATHS, "LANG": "C.UTF-8", "HOME": WORKSPACE, "TMPDIR": "/tmp"}

    def packages(self) -> list[str]:
        return []  # The image's interpreter has its own.

    def limits(self, task: dict[str, int]) -> list[tuple[str, int]]:
        return limits(task, self._here.groups, processes=None)

    def unbounded(self) -> list[str]:
        return ["memory_bytes", "processes", "cpu_s"]


def docker(here: Here) -> Podman:
    """Not to be had."""
    raise OSError("docker hands no descriptor into a container; use podman, which does")


_RUN = (
    *("run", "--rm", "--pull=never", "--network=none", "--read-only", "--preserve-fds=1"),
    *("--cap-drop=all", "--security-opt=no-new-privileges", f"--user={USER}"),
    *(f"--workdir={WORKSPACE}", "--log-driver=none"),
)


def _mounts(shape: Shape) -> list[str]:
    words = [f"--tmpfs=/tmp:rw,size={shape.disk_bytes},mode=1777"]
    if shape.folder is None:
        words.append(f"--tmpfs={WORKSPACE}:rw,size={shape.disk_bytes},mode=1777")
    else:
        words.append(f"--volume={shape.folder}:{WORKSPACE}:rw")
    return words + [f"--volume={path}:{path}:ro" for path in shape.readable]
