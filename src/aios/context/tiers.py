"""The tiers RAM and DISK: each is a folder, each snapshot a file. Knows no core and no policy.

RAM is a folder in shared memory under a byte budget, so a snapshot there outlives the engine that
wrote it and another engine reads it. DISK files are written aside, synced, then renamed.
"""
