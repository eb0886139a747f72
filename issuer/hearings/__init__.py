"""Hearings before a decision: asked for, notified, held, recorded, read by the person (R7, R9, R10)."""
