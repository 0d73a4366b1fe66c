"""Class 35. Makes calls that reach rarely trodden kernel code, with arguments that do nothing.

A breach: one gets as far as looking at its arguments.
"""

import ctypes
import errno
import os

X86 = {"bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "keyctl": 250, "add_key": 248,
       "request_key": 249, "open_by_handle_at": 304, "init_module": 175, "kexec_load": 246,
       "iopl": 172, "swapon": 167, "quotactl": 179, "acct": 163, "lookup_dcookie": 212,
       "process_vm_writev": 311, "kcmp": 312, "modify_ldt": 154}  # fmt: skip
ARM = {"bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "keyctl": 219, "add_key": 217,
       "request_key": 218, "open_by_handle_at": 265, "init_module": 105, "kexec_load": 104,
       "swapon": 224, "quotactl": 60, "acct": 89, "process_vm_writev": 271,
       "kcmp": 272}  # fmt: skip
NEW = {"io_uring_setup": 425, "fsmount": 432, "pidfd_getfd": 438, "mount_setattr": 442}
REFUSED = (errno.EPERM, errno.EACCES, errno.ENOSYS)
libc = ctypes.CDLL(None, use_errno=True)
calls = {"x86_64": X86, "aarch64": ARM}.get(os.uname().machine, {}) | NEW
for name, number in calls.items():
    ctypes.set_errno(0)
    done = libc.syscall(number, -1, -1, -1, -1, -1)
    why = ctypes.get_errno()
    if done >= 0 or why not in REFUSED:
        print(f"BREACH {name}: {errno.errorcode.get(why, 'done')}")
