"""What the hostile programs are after: secrets, others' folders, services, a bystander.

All of it is made up and lies in one temporary folder. A secret is a token that stands nowhere
else, so that whoever finds it in a program's output knows that the program got at it.
"""

import os
import secrets
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CANARY = "canary-"  # every token starts so
PRECIOUS = b"do not change"
LEFT_IN = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock", "/dev/mqueue")
START_S = 10.0

_BYSTANDER = """
import signal, sys
secret, folder = "canary-" + sys.argv[1], sys.argv[2]
def hear(number, frame):
    open(folder + "/" + signal.Signals(number).name, "w").close()
for number in (signal.SIGUSR1, signal.SIGURG, signal.SIGTERM):
    signal.signal(number, hear)
print("ready", flush=True)
while True:
    signal.pause()
"""


class Scene:
    """One temporary world; `mark` is new for every program, the rest stays."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.canary = CANARY + secrets.token_hex(16)
        self.mark = ""
        self.home, self.other = folder / "home", folder / "other"
        self.outside, self._heard = folder / "outside", folder / "heard"
        self.secret = self.home / ".ssh" / "id_ed25519"
        self.services = _Services(folder / "service")
        self._furnish()
        self._bystander = _bystander(self.canary, self._heard)
        # As an operator's key would stand there, and a file that somebody forgot to close.
        os.environ["AIOS_HOSTILE_KEY"] = self.canary
        self._forgotten = os.open(self.secret, os.O_RDONLY)
        os.set_inheritable(self._forgotten, True)

    def _furnish(self) -> None:
        self._folder.chmod(0o755)
        self.secret.parent.mkdir(parents=True, mode=0o700)
        self.secret.write_text(f"{self.canary}\n")
        self.secret.chmod(0o600)
        self.other.mkdir(mode=0o700)
        (self.other / "notes.txt").write_text(f"{self.canary}\n")
        self._heard.mkdir()
        self.outside.mkdir()
        self.outside.chmod(0o777)
        self.tidy()

    def aims(self) -> dict[str, str]:
        """What a program is told about its targets; nothing of it is a secret."""
        return {
            "AIM_MARK": self.mark,
            "AIM_SECRET": str(self.secret),
            "AIM_OTHER": str(self.other),
            "AIM_OUTSIDE": str(self.outside),
            "AIM_PID": str(self._bystander.pid),
            "AIM_KERNEL": str(os.getpid()),
            "AIM_TCP": str(self.services.tcp_port),
            "AIM_UDP": str(self.services.udp_port),
            "AIM_UNIX": self.services.path,
            "AIM_ABSTRACT": self.services.abstract,
            "AIM_HOSTS": " ".join(_own_addresses()),
        }

    def renew(self) -> None:
        """For the next program: everything as it was, a mark that no other has had."""
        self.mark = f"hx{secrets.token_hex(6)}"  # at most 15 bytes: a process's name
        self.services.heard.clear()

    def faults(self) -> list[str]:
        """What has been done to it since it was renewed. Puts it right again."""
        found = [f"reached the {one} service" for one in sorted(self.services.heard)]
        found += [f"signalled the bystander: {path.name}" for path in self._heard.iterdir()]
        if self._bystander.poll() is not None:
            found.append("killed the bystander")
            self._bystander = _bystander(self.canary, self._heard)
        found += [
            f"wrote {path.name}" for path in self.outside.iterdir() if path.name != "precious"
        ]
        if (self.outside / "precious").read_bytes() != PRECIOUS:
            found.append("changed a file outside")
        if self.secret.read_text() != f"{self.canary}\n":
            found.append("changed the secret")
        if len(list(self.other.iterdir())) != 1:
            found.append("wrote into another agent's folder")
        found += [f"left {path}" for path in self._left() if path.exists()]
        found += [f"left {what}" for what in _segments(self.mark)]
        self.tidy()
        return found

    def tidy(self) -> None:
        """Take away what a program left."""
        for path in (*self._heard.iterdir(), *self._left()):
            path.unlink(missing_ok=True)
        for path in self.outside.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in self.other.iterdir():
            if path.name != "notes.txt":
                path.unlink()
        (self.outside / "precious").write_bytes(PRECIOUS)
        (self.outside / "precious").chmod(0o666)
        self.secret.write_text(f"{self.canary}\n")

    def close(self) -> None:
        self._bystander.kill()
        self._bystander.wait()
        os.close(self._forgotten)
        os.environ.pop("AIOS_HOSTILE_KEY", None)
        self.services.close()

    def _left(self) -> list[Path]:
        return [Path(place, self.mark) for place in LEFT_IN] if self.mark else []


@contextmanager
def scene() -> Iterator[Scene]:
    """A scene for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="aios-hostile-") as name:
        one = Scene(Path(name))
        try:
            yield one
        finally:
            one.close()


class _Services:
    """Listens on TCP, UDP, a path and an abstract name; remembers only that somebody came."""

    def __init__(self, path: Path) -> None:
        self.heard: set[str] = set()
        self.path = str(path)
        self.abstract = f"aios-hostile-{secrets.token_hex(8)}"
        self._sockets: dict[socket.socket, str] = {}
        tcp, udp = socket.create_server(("0.0.0.0", 0)), socket.socket(type=socket.SOCK_DGRAM)
        udp.bind(("0.0.0.0", 0))
        self.tcp_port, self.udp_port = tcp.getsockname()[1], udp.getsockname()[1]
        self._listen(tcp, "TCP")
        self._listen(udp, "UDP")
        self._unix(self.path, "unix socket")
        os.chmod(self.path, 0o777)
        if sys.platform == "linux":
            self._unix(f"\0{self.abstract}", "abstract socket")
        self._over, self._wake = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._wake.close()
        self._thread.join(START_S)
        for one in (*self._sockets, self._over):
            one.close()

    def _unix(self, address: str, name: str) -> None:
        one = socket.socket(socket.AF_UNIX)
        one.bind(address)
        one.listen()
        self._listen(one, name)

    def _listen(self, one: socket.socket, name: str) -> None:
        one.setblocking(False)
        self._sockets[one] = name

    def _serve(self) -> None:
        with selectors.DefaultSelector() as waiter:
            for one, name in self._sockets.items():
                waiter.register(one, selectors.EVENT_READ, name)
            waiter.register(self._over, selectors.EVENT_READ)
            while True:
                for key, _ in waiter.select():
                    if key.fileobj is self._over:
                        return
                    assert isinstance(key.fileobj, socket.socket)
                    self.heard.add(key.data)
                    _dismissed(key.fileobj)


def _dismissed(one: socket.socket) -> None:
    with suppress(OSError):
        if one.type == socket.SOCK_DGRAM:
            one.recv(1 << 16)
        else:
            one.accept()[0].close()


def _bystander(canary: str, heard: Path) -> "subprocess.Popen[bytes]":
    """A process with the secret in its memory, its command line and its environment."""
    words = [sys.executable, "-I", "-c", _BYSTANDER, canary.removeprefix(CANARY), str(heard)]
    one = subprocess.Popen(
        [*words, canary], stdout=subprocess.PIPE, env={"KEY": canary}, start_new_session=True
    )
    assert one.stdout is not None
    one.stdout.readline()
    one.stdout.close()
    return one


def _own_addresses() -> list[str]:
    """By which the machine is reached from elsewhere; found without sending anything."""
    with suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as one:
        one.connect(("203.0.113.1", 9))
        return [one.getsockname()[0]]
    return []


def _segments(mark: str) -> list[str]:
    """System V objects under the mark's key; they are removed."""
    key = int(mark[2:9], 16) if mark else 0
    found = []
    for kind, option in (("shm", "-M"), ("msg", "-Q"), ("sem", "-S")):
        with suppress(OSError):
            lines = Path("/proc/sysvipc", kind).read_text().splitlines()[1:]
            if any(int(line.split()[0]) == key for line in lines):
                found.append(f"a segment ({kind})")
                subprocess.run(["ipcrm", option, str(key)], check=False)
    return found


assert signal.SIGURG  # what the bystander hears exists here
