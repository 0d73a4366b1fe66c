"""The process that spawns every sandbox. Loads the standard library only, and no other room."""
