"""What a rule says when it refuses."""


class RuleViolation(Exception):
    """The law refuses an act.

    clause: id in the clause table (R1–R16); code: stable reason code; found / expected: the fact and
    what the clause asks for, in Chinese and English, without personal data.
    """

    def __init__(self, clause: str, code: str, *, found: tuple[str, str], expected: tuple[str, str]) -> None:
        super().__init__(f"{clause} {code}: {found[1]}; expected: {expected[1]}")
        self.clause = clause
        self.code = code
        self.found = found
        self.expected = expected
