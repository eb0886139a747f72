"""Pure law: small functions over frozen values, the clock passed in, each citing its clause (R1–R16).

Standard library only. A rule that refuses raises `RuleViolation`.
"""
