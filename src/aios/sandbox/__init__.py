"""Where untrusted code runs: tiers, a launcher, single-use sandboxes, a guarded way out."""
