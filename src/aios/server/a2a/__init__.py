"""Agents of the kernel that others reach by the A2A protocol, where the operator says so."""
