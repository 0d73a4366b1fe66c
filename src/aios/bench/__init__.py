"""Benchmarks of AIOS on this machine; `aios bench` runs them. `table` lists them."""
