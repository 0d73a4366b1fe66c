"""What a program inside cannot see, reach or gain, on every tier."""

import asyncio
import os
import platform
import socket
from pathlib import Path

import pytest

from aios.sandbox.base import Job
from aios.sandbox.launcher.seccomp import PROCESSORS
from tests.sandbox.house import House, named

REFUSED = "refused\n"


def refused(house: House, act: str) -> None:
    """The act raises `OSError` inside, and is no mistake of ours."""
    source = f"""
import ctypes, os, signal, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0: raise OSError(ctypes.get_errno(), name)
try:
    {act}
    print("done")
except OSError: print("refused")
"""
    done = house.python(source)
    assert done.stdout.decode() == REFUSED, done.stderr.decode()


def test_files_of_the_machine_cannot_be_read(house: House, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("secret")
    secret.chmod(0o644)
    for path in (secret, Path("/etc/shadow"), Path.home() / ".bashrc", Path(__file__)):
        refused(house, f"open({str(path)!r}).read()")
    refused(house, f"open('/proc/self/root{secret}').read()")


def test_nothing_beside_the_workspace_can_be_written(house: House) -> None:
    for path in ("/usr/x", "/etc/x", "/x", "/dev/x", "/bin/x", "/proc/sys/kernel/hostname"):
        refused(house, f"open({path!r}, 'w').write('x')")


def test_the_interpreter_cannot_be_changed_for_the_next_one(house: House) -> None:
    refused(house, "open(os.__file__, 'a').write('x')")


def test_other_processes_environments_cannot_be_read(house: House) -> None:
    refused(house, f"open('/proc/{os.getpid()}/environ', 'rb').read()")
    refused(house, f"open('/proc/{house.sandbox.launcher_pid}/environ', 'rb').read()")


def test_processes_of_the_machine_cannot_be_signalled(house: House) -> None:
    for pid in (os.getpid(), house.sandbox.launcher_pid):
        refused(house, f"os.kill({pid}, 0)")


def test_only_the_three_standard_descriptors_are_open(house: House) -> None:
    source = """
import os
found = []
for fd in range(256):
    try: os.fstat(fd)
    except OSError: continue
    found.append(fd)
print(found)
"""
    assert house.python(source).stdout == b"[0, 1, 2]\n"
    line = "for n in 3 4 5 6 7 8 9; do if true 2>/dev/null >&$n; then echo $n; fi; done"
    assert house.shell(line).stdout == b""


def test_sockets_of_the_machine_cannot_be_reached(house: House, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0aios-test-abstract")
        listener.listen()
        refused(house, "socket.socket(socket.AF_UNIX).connect('\\0aios-test-abstract')")
        refused(house, "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)")


def test_a_pair_of_connected_sockets_works(house: House) -> None:
    source = "import asyncio\nasync def main(): print('ran')\nasyncio.run(main())"
    assert house.python(source).stdout == b"ran\n"


def test_the_network_cannot_be_reached(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        refused(house, f"socket.create_connection(('127.0.0.1', {port}), 2)")
    refused(house, "socket.create_connection(('169.254.169.254', 80), 2)")
    act = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53))"
    refused(house, act)


@pytest.mark.parametrize("family", ["AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG"])
def test_odd_families_of_sockets_cannot_be_had(house: House, family: str) -> None:
    refused(house, f"socket.socket(socket.{family}, socket.SOCK_RAW)")


@pytest.mark.parametrize(
    "act",
    [
        "os.setuid(0)",
        "call('unshare', 0x10000000)",
        "call('setns', 0, 0)",
        "call('mount', b'none', b'/', b'tmpfs', 0, None)",
        "call('umount2', b'/proc', 2)",
        "call('ptrace', 16, 1, 0, 0)",
        "call('chroot', b'.')",
        "call('syscall', bpf, 0, 0, 0)",
        "call('syscall', io_uring_setup, 1, 0)",
        "call('syscall', clone3, 0, 0)",
        "call('syscall', keyctl, 0, -3, 0)",
        "call('process_vm_readv', 1, 0, 0, 0, 0, 0)",
        "call('personality', 0x0040000)",
        "os.mknod('d', 0o20600, os.makedev(1, 1))",
        "open('f', 'w').close(); os.chmod('f', 0o4755)",
        "os.close(os.open('g', os.O_CREAT | os.O_WRONLY, 0o4755))",
        "os.nice(-5)",
        "os.setpriority(os.PRIO_PROCESS, 0, -5)",
        "call('syscall', clone, 0x10000011, 0, 0, 0, 0)",
    ],
)
def test_rights_cannot_be_gained(house: House, act: str) -> None:
    for name, number in PROCESSORS[platform.machine()].numbers.items():
        act = act.replace(f"'syscall', {name},", f"'syscall', {number},")
    refused(house, act)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 is of x86-64 alone")
def test_the_other_table_of_calls_is_closed(house: House) -> None:
    """x32's getpid: the same processor, another numbering, which no filter by number knows."""
    refused(house, "call('syscall', 0x40000000 + 39)")


def test_there_is_no_terminal_to_type_into(house: House) -> None:
    refused(house, "open('/dev/tty')")


def test_two_sandboxes_of_a_kind_have_different_users(house: House) -> None:
    if os.getuid() != 0:
        pytest.skip("without root every sandbox is this user's")

    async def both() -> set[int]:
        job = Job(argv=("sh", "-c", "sleep 3; :", "whose-is-it"))
        runs = [asyncio.ensure_future(house.sandbox.run(job)) for _ in range(2)]
        users: set[int] = set()
        while len(users) < 2 and not all(run.done() for run in runs):
            await asyncio.sleep(0.05)
            users = {
                int(line.split()[1])
                for pid in named("whose-is-it")
                for line in _status(pid)
                if line.startswith("Uid:")
            }
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        return users

    users = house.do(both())
    assert len(users) == 2
    assert 0 not in users


def _status(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return []
