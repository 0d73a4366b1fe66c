"""The semantic file system: real files with versions, search, links, mounts and transactions."""
