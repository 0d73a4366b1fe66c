"""AIOS testing."""
