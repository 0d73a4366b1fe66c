"""Bytes that survive: one ordered, checksummed, group-committed store, and blobs beside it."""
