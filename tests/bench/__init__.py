"""Tests of the benchmarks themselves: what they count, and that they would notice."""
