"""The system calls that no sandbox may make, as a seccomp filter. Pure: tables in, bytes out.

A filter is a program of a tiny machine: load the call's number, compare it with each of the table,
look at an argument where the rule says so, answer "no such right" or go on. What is in no table is
allowed, so a filter is one layer among several and never the only one.
"""

import errno
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aios.sandbox.launcher.numbers import AARCH64, X86_64

AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
STREAM, SEQPACKET, KIND = 1, 5, 0xF
NAMESPACES = 0x7E020080  # every CLONE_NEW* flag
SET_ID = 0o6000
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
WHOLE = 0xFFFFFFFF
X32 = 0x40000000  # the bit of x86-64's second table of calls, which would get round the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Refuse these calls with this error: always, or by the low half of one argument.

    Refused are calls whose argument has one of `bits`; or, where `allowed` is given, those whose
    argument under `mask` is none of it; or, where `values` are given, those whose argument is one.
    """

    calls: tuple[str, ...]
    error: int = errno.EPERM
    argument: int = 0
    bits: int = 0
    allowed: tuple[int, ...] | None = None
    values: tuple[int, ...] = ()
    mask: int = WHOLE


# To every tier: what changes the machine, looks into others, or reaches rarely trodden kernel code.
BASE = (
    Rule(calls=("clone3",), error=errno.ENOSYS),  # Its flags lie in memory: clone takes its place.
    Rule(calls=("clone",), bits=NAMESPACES),
    Rule(calls=("unshare", "setns", "chroot", "pivot_root", "mount", "umount2", "mount_setattr")),
    Rule(calls=("open_tree", "open_tree_attr", "move_mount", "fsopen", "fsconfig", "fsmount")),
    Rule(calls=("fspick", "statmount", "listmount", "name_to_handle_at", "open_by_handle_at")),
    Rule(calls=("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp")),
    Rule(calls=("pidfd_getfd", "process_mrelease", "migrate_pages", "move_pages", "vmsplice")),
    Rule(calls=("bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key")),
    Rule(calls=("io_uring_setup", "io_uring_enter", "io_uring_register"), error=errno.ENOSYS),
    Rule(calls=("openat2",), error=errno.ENOSYS),  # Its mode lies in memory.
    Rule(calls=("init_module", "finit_module", "delete_module", "create_module", "query_module")),
    Rule(calls=("get_kernel_syms", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff")),
    Rule(calls=("acct", "quotactl", "quotactl_fd", "nfsservctl", "lookup_dcookie", "syslog")),
    Rule(calls=("sethostname", "setdomainname", "vhangup", "uselib", "sysfs", "_sysctl")),
    Rule(calls=("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "iopl", "ioperm")),
    Rule(calls=("modify_ldt", "fanotify_init", "fanotify_mark", "memfd_secret")),
    Rule(calls=("sched_setaffinity",)),  # Who computes for long leaves a processor to the others.
    Rule(calls=("personality",), allowed=(0, WHOLE)),
    Rule(calls=("ioctl",), argument=1, values=(TIOCSTI, TIOCLINUX)),
    Rule(calls=("chmod", "fchmod", "creat"), argument=1, bits=SET_ID),
    Rule(calls=("fchmodat", "fchmodat2", "open", "mknodat"), argument=2, bits=SET_ID),
    Rule(calls=("mknod",), argument=1, bits=SET_ID),
    Rule(calls=("openat",), argument=3, bits=SET_ID),
    Rule(calls=("socketpair",), error=errno.EAFNOSUPPORT, allowed=(AF_UNIX,)),
    # A pair of datagram sockets could send elsewhere; a connected stream cannot.
    Rule(calls=("socketpair",), argument=1, mask=KIND, allowed=(STREAM, SEQPACKET)),
)
# Where the network is the sandbox's own: the internet's families alone, no sockets of the machine.
OWN_NETWORK = (
    Rule(calls=("socket",), error=errno.EAFNOSUPPORT, allowed=(AF_INET, AF_INET6)),
)  # fmt: skip
# Where it is the machine's: no sockets at all, and nothing that outlives the sandbox in the kernel.
SHARED_MACHINE = (
    Rule(calls=("socket", "shmget", "semget", "msgget", "mq_open")),
)  # fmt: skip
# Where even the user is the machine's: nothing by path that Landlock does not look at.
SHARED_USER = (
    Rule(calls=("chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat")),
    Rule(calls=("setxattr", "lsetxattr", "setxattrat", "removexattr", "lremovexattr")),
    Rule(calls=("removexattrat", "utime", "utimes", "futimesat", "utimensat")),
)


@dataclass(frozen=True, slots=True)
class Processor:
    """What tells one processor's calls from another's."""

    audit: int
    numbers: Mapping[str, int]
    has_x32: bool = False


PROCESSORS = {
    "x86_64": Processor(0xC000003E, X86_64, has_x32=True),
    "aarch64": Processor(0xC00000B7, AARCH64),
}

_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets; the low half of an argument comes first


def filter_bytes(machine: str, rules: Sequence[Rule]) -> bytes:
    """The filter for that processor. Raises `ValueError` for one that has no table here."""
    processor = PROCESSORS.get(machine)
    if processor is None:
        raise ValueError(f"no system call table for {machine}; known: {sorted(PROCESSORS)}")
    program = _head(processor)
    for rule in rules:
        for call in rule.calls:
            if call in processor.numbers:  # Some calls one of the two never had.
                program += _block(processor.numbers[call], rule)
    program.append(_one(_RETURN, _ALLOW))
    return b"".join(program)


def _head(processor: Processor) -> list[bytes]:
    head = [
        _one(_LOAD, _ARCHITECTURE),
        _one(_EQUAL, processor.audit, yes=1),
        _one(_RETURN, _KILL),
        _one(_LOAD, _NUMBER),
    ]
    if processor.has_x32:
        head += [_one(_AT_LEAST, X32, no=1), _one(_RETURN, _ERROR | errno.ENOSYS)]
    return head


def _block(number: int, rule: Rule) -> list[bytes]:
    """If the number is this, judge; else jump over."""
    body = [*_condition(rule), _one(_RETURN, _ERROR | rule.error)]
    if len(body) > 1:
        body.append(_one(_LOAD, _NUMBER))  # The argument took its place.
    return [_one(_EQUAL, number, no=len(body)), *body]


def _condition(rule: Rule) -> list[bytes]:
    """What comes before the refusal: jumps over it where the call is allowed."""
    load = [_one(_LOAD, _ARGUMENTS + 8 * rule.argument)]
    if rule.bits:
        return [*load, _one(_ANY, rule.bits, no=1)]
    if rule.values:
        count = len(rule.values)
        tests = [_one(_EQUAL, one, yes=count - at) for at, one in enumerate(rule.values)]
        return [*load, *tests, _jump(1)]
    if rule.allowed is not None:
        count = len(rule.allowed)
        tests = [_one(_EQUAL, one, yes=count - at) for at, one in enumerate(rule.allowed)]
        return [*load, _one(_AND, rule.mask), *tests]
    return []


def _jump(over: int) -> bytes:
    return _one(0x05, over)


def _one(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, value)
