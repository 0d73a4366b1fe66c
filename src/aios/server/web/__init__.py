"""The dashboard: pages for people, over the syscalls that the one who looks may make."""
