"""AIOS bench."""
