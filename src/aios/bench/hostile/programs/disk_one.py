"""Class 14. Fills the disk with one file, three times the job's bound.

A breach: it fits.
"""

with open("big", "wb", buffering=0) as file:
    for taken in range(8, 193, 8):
        if file.write(b"\x01" * (8 << 20)) < 8 << 20:
            break
        print(f"REACHED {taken}", flush=True)
