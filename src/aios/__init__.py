"""AIOS: an operating system for LLM agents."""
