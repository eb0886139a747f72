"""Keys: what the public may see (`keys.public`) and what only the sealing room may use (`keys.private`)."""
