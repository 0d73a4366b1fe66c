"""AIOS kernel."""
