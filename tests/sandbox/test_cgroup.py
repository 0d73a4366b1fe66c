"""Control groups are found by what the system says of itself, in both versions or not at all.

The folders are ordinary ones here: what the kernel does with their files is seen by the bounds'
own tests, where the machine has groups.
"""

from pathlib import Path

import pytest

from aios.sandbox.launcher.cgroup import Groups, find

MOUNT = "30 23 0:26 {root} {point} rw,nosuid shared:4 - {kind} cgroup {options}\n"


def system(proc: Path, own: str, mounts: str) -> Path:
    (proc / "self").mkdir(parents=True)
    (proc / "self/cgroup").write_text(own)
    (proc / "self/mountinfo").write_text("22 1 8:1 / / rw - ext4 /dev/sda rw\n" + mounts)
    return proc


def version_2(folder: Path, controllers: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.controllers").write_text(controllers)
    (folder / "cgroup.subtree_control").write_text("")
    return folder


def test_version_2_is_used_where_it_has_the_controllers(tmp_path: Path) -> None:
    top = version_2(tmp_path / "cg/user/me", "cpu memory pids io")
    mounts = MOUNT.format(root="/", point=tmp_path / "cg", kind="cgroup2", options="rw")
    found = find(system(tmp_path / "proc", "0::/user/me\n", mounts), "aios-1")
    assert found == Groups(2, dict.fromkeys(("memory", "pids", "cpu"), top / "aios-1"))
    assert (top / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"


def test_a_group_above_is_taken_where_the_own_one_has_processes(tmp_path: Path) -> None:
    version_2(tmp_path / "cg/service", "memory pids")
    own = tmp_path / "cg/service/main"
    version_2(own, "memory pids")
    (own / "cgroup.subtree_control").unlink()
    (own / "cgroup.subtree_control").mkdir()  # Writing fails, as the kernel's EBUSY does.
    mounts = MOUNT.format(root="/", point=tmp_path / "cg", kind="cgroup2", options="rw")
    found = find(system(tmp_path / "proc", "0::/service/main\n", mounts), "aios-1")
    assert found is not None
    assert found.parents["memory"] == tmp_path / "cg/service/aios-1"


def test_version_1_is_used_beside_a_version_2_without_controllers(tmp_path: Path) -> None:
    version_2(tmp_path / "unified", "")
    (tmp_path / "memory/box").mkdir(parents=True)
    mounts = MOUNT.format(root="/", point=tmp_path / "unified", kind="cgroup2", options="rw")
    mounts += MOUNT.format(root="/", point=tmp_path / "memory", kind="cgroup", options="rw,memory")
    proc = system(tmp_path / "proc", "4:memory:/box\n3:pids:/\n0::/\n", mounts)
    found = find(proc, "aios-1")
    assert found == Groups(1, {"memory": tmp_path / "memory/box/aios-1"})


def test_a_container_sees_its_part_of_the_hierarchy_as_the_top(tmp_path: Path) -> None:
    top = version_2(tmp_path / "cg", "memory pids")
    mounts = MOUNT.format(root="/docker/ab", point=top, kind="cgroup2", options="rw")
    found = find(system(tmp_path / "proc", "0::/docker/ab\n", mounts), "aios-1")
    assert found is not None
    assert found.parents["pids"] == top / "aios-1"


def test_nothing_is_found_where_there_is_nothing(tmp_path: Path) -> None:
    assert find(tmp_path / "no-proc", "aios-1") is None
    assert find(system(tmp_path / "proc", "0::/\n", ""), "aios-1") is None


@pytest.mark.parametrize("version", [1, 2])
def test_a_groups_counts_begin_anew_with_each_job(tmp_path: Path, version: int) -> None:
    groups = Groups(version, {"memory": tmp_path, "pids": tmp_path, "cpu": tmp_path})
    group = groups.group("0")
    events = "memory.events" if version == 2 else "memory.oom_control"
    (tmp_path / "0" / events).write_text("low 0\noom_kill 2\n")
    group.bound(1 << 20, 7)
    group.count()
    assert group.kills() == 0
    (tmp_path / "0" / events).write_text("low 0\noom_kill 3\n")
    assert group.kills() == 1
    limit = "memory.max" if version == 2 else "memory.limit_in_bytes"
    assert (tmp_path / "0" / limit).read_text() == str(1 << 20)
    assert (tmp_path / "0/pids.max").read_text() == "7"


@pytest.mark.parametrize(("version", "share"), [(1, ("shares", "256")), (2, ("weight", "25"))])
def test_a_group_that_yields_no_more_has_its_share_again(
    tmp_path: Path, version: int, share: tuple[str, str]
) -> None:
    group = Groups(version, {"cpu": tmp_path}).group("0")
    group.weigh(yields=True)
    assert (tmp_path / "0/cpu.idle").read_text() == "1"
    (tmp_path / f"0/cpu.{share[0]}").write_text("forgotten, as the system does")
    group.weigh(yields=False)
    assert (tmp_path / "0/cpu.idle").read_text() == "0"
    assert (tmp_path / f"0/cpu.{share[0]}").read_text() == share[1]
