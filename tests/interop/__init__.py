"""Frameworks of others against the server, each in an environment of its own: `make interop`."""
