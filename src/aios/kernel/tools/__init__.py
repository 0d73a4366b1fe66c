"""The tools in the kernel: where they come from, whose turn it is, what came of each call."""
