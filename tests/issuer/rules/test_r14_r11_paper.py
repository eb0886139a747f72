"""Once an electronic certificate was made, no paper is re-issued."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from issuer.rules.paper import PaperFacts, may_replace_paper
from issuer.rules.terms import Medium, ReviewOutcome
from issuer.rules.violation import RuleViolation

GOOD = PaperFacts(Medium.PAPER, e_certificate_made=False, outcome=ReviewOutcome.ELIGIBLE)


def test_r14_paper_of_a_paper_programme_is_replaced() -> None:
    may_replace_paper(GOOD)


def test_r14_after_an_e_certificate_whatever_else_holds_the_answer_is_r14() -> None:
    for medium, outcome, void, open_request in product(Medium, ReviewOutcome, (True, False), (True, False)):
        with pytest.raises(RuleViolation) as refusal:
            may_replace_paper(PaperFacts(medium, True, outcome, void, open_request))
        assert (refusal.value.clause, refusal.value.code) == ("R14", "e-certificate-already-made")


@pytest.mark.parametrize(
    ("change", "clause", "code"),
    [
        ({"medium": Medium.ELECTRONIC}, "R11", "no-paper-issued"),
        ({"registration_void": True}, "R9", "registration-void"),
        ({"outcome": ReviewOutcome.INELIGIBLE}, "R4", "not-eligible"),
        ({"open_request": True}, "R14", "replacement-open"),
    ],
)
def test_other_grounds_refuse_with_their_own_clause(change: dict[str, Any], clause: str, code: str) -> None:
    with pytest.raises(RuleViolation) as refusal:
        may_replace_paper(replace(GOOD, **change))
    assert (refusal.value.clause, refusal.value.code) == (clause, code)
