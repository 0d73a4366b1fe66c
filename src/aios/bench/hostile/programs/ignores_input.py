"""Class 37. Is given much to read, reads nothing, and ends.

A breach: the job waits to be read.
"""

import os

os._exit(3)
