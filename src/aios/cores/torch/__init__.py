"""The embedded engine: our KV pool, batching and snapshots around models of transformers."""
