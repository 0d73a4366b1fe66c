"""The filter's program, run by an interpreter written here from the kernel's documentation."""

import errno
import struct

import pytest

from aios.sandbox.launcher.seccomp import (
    BASE,
    OWN_NETWORK,
    PROCESSORS,
    SHARED_MACHINE,
    SHARED_USER,
    X32,
    filter_bytes,
)

ALLOWED, KILLED = 0x7FFF0000, 0x80000000
INSTRUCTIONS_MAX = 4096  # the kernel's bound
EVERYTHING = (*BASE, *OWN_NETWORK, *SHARED_MACHINE, *SHARED_USER)


def answer(program: bytes, audit: int, number: int, *arguments: int) -> int:
    """What the kernel would do with that call."""
    padded = [*arguments, *([0] * (6 - len(arguments)))]
    data = struct.pack("<IIQ6Q", number, audit, 0, *(one & (2**64 - 1) for one in padded))
    code = list(struct.iter_unpack("<HBBI", program))
    at = accumulator = 0
    while True:
        kind, yes, no, value = code[at]
        at += 1
        if kind == 0x06:
            return int(value)
        if kind == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif kind == 0x54:
            accumulator &= value
        elif kind == 0x05:
            at += value
        else:
            tests = {0x15: accumulator == value, 0x35: accumulator >= value}
            tests[0x45] = bool(accumulator & value)
            at += yes if tests[kind] else no


@pytest.fixture(params=sorted(PROCESSORS))
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def call(machine: str, name: str, *arguments: int, rules: tuple[object, ...] = ()) -> int:
    chosen = rules or (*BASE, *OWN_NETWORK)
    program = filter_bytes(machine, chosen)  # type: ignore[arg-type]
    processor = PROCESSORS[machine]
    return answer(program, processor.audit, processor.numbers[name], *arguments)


def refused(error: int = errno.EPERM) -> int:
    return 0x00050000 | error


def test_calls_of_no_rule_are_allowed(machine: str) -> None:
    program = filter_bytes(machine, EVERYTHING)
    known = set(PROCESSORS[machine].numbers.values())
    for number in set(range(440)) - known:
        assert answer(program, PROCESSORS[machine].audit, number, -1, -1, -1) == ALLOWED


@pytest.mark.parametrize("name", ["unshare", "mount", "ptrace", "bpf", "keyctl", "setns"])
def test_what_no_program_needs_is_refused_whatever_its_arguments(machine: str, name: str) -> None:
    for argument in (0, 1, -1):
        assert call(machine, name, argument, argument) == refused()


def test_clone_makes_threads_and_children_but_no_namespaces(machine: str) -> None:
    for flags in (0x11, 0x003D0F00, 0x01200011):
        assert call(machine, "clone", flags) == ALLOWED
    for bit in (7, 17, 25, 26, 27, 28, 29, 30):
        assert call(machine, "clone", 0x11 | 1 << bit) == refused()
    assert call(machine, "clone3", 0) == refused(errno.ENOSYS)


def test_the_terminal_cannot_be_typed_into_whatever_the_upper_half_says(machine: str) -> None:
    for command in (0x5412, 0x541C, 0x5412 | 1 << 40):
        assert call(machine, "ioctl", 0, command) == refused()
    assert call(machine, "ioctl", 0, 0x5413) == ALLOWED


def test_only_the_internets_families_where_the_network_is_its_own(machine: str) -> None:
    for family in (2, 10):
        assert call(machine, "socket", family, 1) == ALLOWED
    for family in (0, 1, 16, 17, 38, 40):
        assert call(machine, "socket", family, 1) == refused(errno.EAFNOSUPPORT)


def test_no_family_at_all_where_it_is_the_machines(machine: str) -> None:
    for family in (1, 2, 10, 16):
        rules = (*BASE, *SHARED_MACHINE)
        assert call(machine, "socket", family, 1, rules=rules) == refused()


def test_pairs_of_sockets_are_connected_ones(machine: str) -> None:
    for kind in (1, 5, 1 | 0o2000000 | 0o4000):
        assert call(machine, "socketpair", 1, kind) == ALLOWED
    assert call(machine, "socketpair", 1, 2) == refused()
    assert call(machine, "socketpair", 2, 1) == refused(errno.EAFNOSUPPORT)


def test_set_id_bits_are_never_set(machine: str) -> None:
    for mode in (0o4755, 0o2755, 0o6777):
        assert call(machine, "fchmod", 0, mode) == refused()
        assert call(machine, "openat", 0, 0, 0o101, mode) == refused()
    assert call(machine, "fchmod", 0, 0o1777) == ALLOWED
    assert call(machine, "openat", 0, 0, 0o101, 0o644) == ALLOWED


def test_another_processors_calls_end_the_program(machine: str) -> None:
    program = filter_bytes(machine, EVERYTHING)
    for name, other in PROCESSORS.items():
        if name != machine:
            assert answer(program, other.audit, 0) == KILLED
    assert answer(program, 0x40000003, 0) == KILLED  # 32-bit x86


def test_the_second_table_of_x86_is_closed() -> None:
    program = filter_bytes("x86_64", EVERYTHING)
    for number in (0, 39, 0x3FFF):
        assert answer(program, PROCESSORS["x86_64"].audit, X32 | number) == refused(errno.ENOSYS)


def test_every_call_of_a_rule_is_known_on_some_processor() -> None:
    known = set().union(*(one.numbers for one in PROCESSORS.values()))
    for rule in EVERYTHING:
        assert set(rule.calls) <= known


def test_the_filter_fits_and_a_strange_processor_is_told(machine: str) -> None:
    assert len(filter_bytes(machine, EVERYTHING)) // 8 <= INSTRUCTIONS_MAX
    with pytest.raises(ValueError, match="riscv64"):
        filter_bytes("riscv64", BASE)
