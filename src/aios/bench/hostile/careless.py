"""A runner that confines nothing: the control that shows that the programs do what they say.

It makes the mistakes that are made: it hands on its environment and descriptors, gives no end of
input, kills the one process it knows, and opens whatever the program left in its folder.
"""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aios.sandbox.base import File, Job, Outcome, Tier

TIER = Tier(name="plain subprocess", strength=0, detail="confines nothing")
COLLECT_S = 3.0
_COLLECT = """
import base64, glob, json, os, sys
found = {}
for pattern in sys.argv[1:]:
    for path in glob.glob(pattern, recursive=True):
        if not os.path.isdir(path):
            try:
                found[path] = base64.b64encode(open(path, "rb").read(1 << 20)).decode()
            except OSError:
                pass
json.dump(found, sys.stdout)
"""


class Careless:
    """A `Sandbox` in name only."""

    tier = TIER

    async def run(self, job: Job) -> Outcome:
        return await asyncio.to_thread(_run, job)

    async def close(self) -> None:
        """It has nothing to close."""


def _run(job: Job) -> Outcome:
    name = tempfile.mkdtemp(prefix="aios-careless-")
    try:
        return _ran(job, job.folder or Path(name))
    finally:
        # The standard library's own removal falls over folders that are too deep.
        subprocess.run(["rm", "-rf", name], check=False, stderr=subprocess.DEVNULL)


def _ran(job: Job, work: Path) -> Outcome:
    for file in job.files:
        (work / file.path).write_bytes(file.data)
    words = job.argv or (sys.executable, "-c", job.python or "")
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as told:
        began = time.perf_counter()
        child = subprocess.Popen(
            words,
            cwd=work,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=told,
            close_fds=False,
            env={**os.environ, **job.environment, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        is_late = _is_late(child, job)
        spent = time.perf_counter() - began
        out.seek(0)
        told.seek(0)
        return Outcome(
            ended="timeout" if is_late else "signalled" if child.returncode < 0 else "exited",
            code=abs(child.returncode),
            stdout=out.read(),
            stderr=told.read(),
            files=_files(work, job.collect) if job.collect else (),
            tier=TIER.name,
            wall_s=spent,
        )


def _is_late(child: "subprocess.Popen[bytes]", job: Job) -> bool:
    assert child.stdin is not None
    try:
        if job.stdin:
            os.set_blocking(child.stdin.fileno(), False)
            os.write(child.stdin.fileno(), job.stdin)
        child.wait(job.bounds.wall_s)
        return False
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(0.1)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        return True
    finally:
        child.stdin.close()


def _files(work: Path, patterns: tuple[str, ...]) -> tuple[File, ...]:
    """As a careless host would: by name, through links, without a bound but one on time."""
    words = [sys.executable, "-I", "-c", _COLLECT, *patterns]
    try:
        found = subprocess.run(words, cwd=work, capture_output=True, timeout=COLLECT_S, check=True)
    except (subprocess.SubprocessError, OSError):
        return ()
    files = json.loads(found.stdout)
    return tuple(File(path, base64.b64decode(data)) for path, data in files.items())
