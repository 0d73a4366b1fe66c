"""Agent packages: what `agent.toml` says, where they come from, where they lie, how they run."""
