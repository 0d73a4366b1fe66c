"""Classes 8, 16. Makes folders in folders, deeper than any path can be.

A breach: whoever collects or clears up falls over.
"""

import os
from contextlib import suppress

with suppress(OSError):
    for _ in range(1_500):
        os.mkdir("d" * 40)
        os.chdir("d" * 40)
    with open("result.txt", "w") as file:
        file.write("deep")
