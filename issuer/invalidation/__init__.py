"""Propose, approve, apply, overturn, supersede (R9, R10)."""
