"""From a rule's refusal to a domain error: services raise what a person can act on, with the clause."""

from issuer.errors import ConflictError, Words
from issuer.rules.violation import RuleViolation


def refusal_from(violation: RuleViolation, *, remedy: Words | None = None) -> ConflictError:
    """The domain error for a `RuleViolation`: same code and clause, what was found first, then what is asked for."""
    found_zh, found_en = violation.found
    expected_zh, expected_en = violation.expected
    return ConflictError(
        violation.code,
        Words(
            f"{found_zh.rstrip('。；')}；应为：{expected_zh.rstrip('。')}。",
            f"{found_en.rstrip('.')}; required: {expected_en.rstrip('.')}.",
        ),
        remedy=remedy,
        clause=violation.clause,
    )
