"""Pages about paper certificates: the handover register."""
