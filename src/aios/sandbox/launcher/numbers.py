"""System call numbers of the two processors that AIOS runs on. A table, nothing else.

From the Linux headers; new calls (424 on) have the same number everywhere.
"""

_COMMON = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431,
    "fsmount": 432, "fspick": 433, "clone3": 435, "openat2": 437, "pidfd_getfd": 438,
    "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443, "memfd_secret": 447,
    "process_mrelease": 448, "fchmodat2": 452, "setxattrat": 463, "removexattrat": 466,
    "statmount": 457, "listmount": 458, "open_tree_attr": 467,
}  # fmt: skip

X86_64 = _COMMON | {
    "open": 2, "shmget": 29, "semget": 64, "msgget": 68, "chown": 92, "lchown": 94,
    "utime": 132, "setxattr": 188, "lsetxattr": 189, "removexattr": 197, "lremovexattr": 198,
    "utimes": 235, "fchownat": 260, "futimesat": 261, "utimensat": 280,
    "ioctl": 16, "socket": 41, "socketpair": 53, "clone": 56, "creat": 85,
    "chmod": 90, "fchmod": 91, "syslog": 103, "ptrace": 101, "uselib": 134, "personality": 135,
    "sysfs": 139,
    "vhangup": 153, "modify_ldt": 154, "pivot_root": 155,
    "_sysctl": 156, "adjtimex": 159, "chroot": 161, "acct": 163, "settimeofday": 164,
    "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169,
    "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "create_module": 174,
    "init_module": 175, "delete_module": 176, "get_kernel_syms": 177, "query_module": 178,
    "quotactl": 179, "nfsservctl": 180, "lookup_dcookie": 212, "clock_settime": 227,
    "sched_setaffinity": 203, "mq_open": 240, "kexec_load": 246,
    "add_key": 248, "request_key": 249, "keyctl": 250, "migrate_pages": 256,
    "openat": 257, "mknod": 133, "mknodat": 259, "fchmodat": 268, "unshare": 272,
    "move_pages": 279, "vmsplice": 278, "perf_event_open": 298, "fanotify_init": 300,
    "fanotify_mark": 301, "name_to_handle_at": 303, "open_by_handle_at": 304,
    "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311,
    "kcmp": 312, "finit_module": 313, "kexec_file_load": 320, "bpf": 321,
    "userfaultfd": 323,
}  # fmt: skip

AARCH64 = _COMMON | {
    "sched_setaffinity": 122,
    "setxattr": 5, "lsetxattr": 6, "removexattr": 14, "lremovexattr": 15, "fchownat": 54,
    "utimensat": 88, "msgget": 186, "semget": 190, "shmget": 194,
    "ioctl": 29, "mknodat": 33, "umount2": 39, "mount": 40, "pivot_root": 41,
    "nfsservctl": 42, "chroot": 51, "fchmod": 52, "fchmodat": 53, "openat": 56, "vhangup": 58,
    "quotactl": 60, "vmsplice": 75, "acct": 89, "personality": 92, "unshare": 97,
    "kexec_load": 104, "init_module": 105, "delete_module": 106, "clock_settime": 112,
    "syslog": 116, "ptrace": 117,
    "reboot": 142, "sethostname": 161, "setdomainname": 162,
    "settimeofday": 170, "adjtimex": 171, "mq_open": 180, "socket": 198, "socketpair": 199,
    "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220, "swapon": 224,
    "swapoff": 225,
    "migrate_pages": 238, "move_pages": 239, "perf_event_open": 241, "fanotify_init": 262,
    "fanotify_mark": 263, "name_to_handle_at": 264, "open_by_handle_at": 265,
    "clock_adjtime": 266, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271,
    "kcmp": 272, "finit_module": 273, "bpf": 280, "userfaultfd": 282,
    "kexec_file_load": 294, "lookup_dcookie": 18,
}  # fmt: skip
