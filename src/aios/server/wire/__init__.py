"""Translation between protocols and syscalls, one file per surface. Knows no HTTP."""
