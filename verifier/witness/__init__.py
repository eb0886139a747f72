"""A witness: remembers the largest log it saw and cosigns only what grew out of it (C2SP tlog-witness)."""
