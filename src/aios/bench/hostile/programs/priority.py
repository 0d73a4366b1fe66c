"""Class 46. Puts itself before everybody else.

A breach: it may.
"""

import os
from contextlib import suppress

with suppress(OSError):
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, before - 5)
    os.setpriority(os.PRIO_PROCESS, 0, before)
    print("BREACH is nicer to itself")
for policy in (os.SCHED_FIFO, os.SCHED_RR):
    with suppress(OSError):
        os.sched_setscheduler(0, policy, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        print("BREACH is in real time")
