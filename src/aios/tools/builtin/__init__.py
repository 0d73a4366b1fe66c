"""Tools that every kernel can have: the server `aios`. Each acts as its caller, with its rights."""
