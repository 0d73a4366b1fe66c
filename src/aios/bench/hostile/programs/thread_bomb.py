"""Class 10. Starts threads that only wait.

A breach: more are alive at a time than the job's bound.
"""

import os
import threading

over = threading.Event()
count = 1
threading.stack_size(65_536)
try:
    for _ in range(150):
        threading.Thread(target=over.wait, args=(2,), daemon=True).start()
        count += 1
except RuntimeError:
    pass
print(f"REACHED {count}", flush=True)
os._exit(0)
