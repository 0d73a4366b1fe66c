"""Working memory, conversation histories and long-term notes of agents."""
