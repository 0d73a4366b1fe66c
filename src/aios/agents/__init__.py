"""AIOS agents."""
