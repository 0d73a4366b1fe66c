"""Snapshots of suspended generations and the tiers they rest in."""

from aios.context.snapshot import Snapshot, SnapshotRef, Tier

__all__ = ["Snapshot", "SnapshotRef", "Tier"]
