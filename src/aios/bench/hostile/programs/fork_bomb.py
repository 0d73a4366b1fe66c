"""Class 9. Starts children that only wait, three times as many as it may have.

A breach: more are alive at a time than the job's bound.
"""

import os
import time

alive = 0
try:
    for _ in range(150):
        if os.fork() == 0:
            time.sleep(1.5)
            os._exit(0)
        alive += 1
except OSError:
    pass
print(f"REACHED {alive + 1}")
