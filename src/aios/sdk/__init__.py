"""AIOS sdk."""
