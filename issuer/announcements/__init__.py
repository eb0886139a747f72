"""Announcements: drafted, published by another person, never changed afterwards (R5, R7, R8, R11)."""
