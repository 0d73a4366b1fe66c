"""Class 11. Takes memory in one process, twice and a half as much as it may have.

A breach: it gets it.
"""

blocks = []
for taken in range(8, 321, 8):
    blocks.append(b"\x01" * (8 << 20))
    print(f"REACHED {taken}", flush=True)
