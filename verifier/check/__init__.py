"""Checking: a numbered list of steps, one CheckResult for every path."""
