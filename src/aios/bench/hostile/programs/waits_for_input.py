"""Class 37. Waits for input that nobody will ever give.

A breach: it still waits at its deadline.
"""

import sys

print(len(sys.stdin.buffer.read()))
