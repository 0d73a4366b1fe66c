"""AIOS cli."""
