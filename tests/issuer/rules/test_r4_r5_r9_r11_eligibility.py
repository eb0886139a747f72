"""Issue is impossible for anyone not found eligible, and before the notice has run out without objection."""

from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import pytest

from issuer.rules.eligibility import IssueFacts, ScoreFact, may_issue
from issuer.rules.notice import PublicNotice
from issuer.rules.terms import Medium, ReviewOutcome
from issuer.rules.violation import RuleViolation

TODAY = date(2025, 11, 3)
GOOD = IssueFacts(
    medium=Medium.ELECTRONIC,
    outcome=ReviewOutcome.ELIGIBLE,
    notice=PublicNotice(date(2025, 8, 25), date(2025, 9, 4)),
    approved_on=date(2025, 6, 8),
    scores=(ScoreFact(True), ScoreFact(True), ScoreFact(True)),
)


def test_r11_the_eligible_may_be_issued_after_the_notice() -> None:
    may_issue(GOOD, TODAY)
    may_issue(GOOD, date(2025, 9, 5))


@pytest.mark.parametrize(
    ("change", "clause", "code"),
    [
        ({"medium": Medium.PAPER}, "R11", "paper-programme"),
        ({"registration_void": True}, "R9", "registration-void"),
        ({"scores": ()}, "R4", "scores-missing"),
        ({"scores": (ScoreFact(True), ScoreFact(False))}, "R4", "not-passed"),
        ({"scores": (ScoreFact(True), ScoreFact(True, void=True))}, "R9", "scores-void"),
        ({"outcome": ReviewOutcome.AWAITING}, "R4", "not-eligible"),
        ({"outcome": ReviewOutcome.CONDITIONS_PENDING}, "R4", "not-eligible"),
        ({"outcome": ReviewOutcome.INELIGIBLE}, "R4", "not-eligible"),
        ({"outcome": ReviewOutcome.DEFENCE_OPEN}, "R4", "not-eligible"),
        ({"outcome": ReviewOutcome.DEEMED_WAIVED}, "R7", "deemed-waived"),
        ({"notice": PublicNotice(date(2025, 10, 24), TODAY)}, "R5", "notice-not-closed"),
        ({"open_objections": 1}, "R5", "objection-open"),
        ({"approved_on": date(2025, 11, 4)}, "R11", "approval-in-future"),
        ({"live_certificate": True}, "R11", "certificate-live"),
    ],
)
def test_each_missing_condition_refuses_with_its_clause(change: dict[str, Any], clause: str, code: str) -> None:
    with pytest.raises(RuleViolation) as refusal:
        may_issue(replace(GOOD, **change), TODAY)
    assert (refusal.value.clause, refusal.value.code) == (clause, code)


def test_of_all_combinations_only_the_wholly_good_one_is_issued() -> None:
    issued = []
    for facts in product(
        Medium,
        ReviewOutcome,
        (True, False),
        (True, False),
        (0, 2),
        (True, False),
        (True, False),
        (TODAY, date(2025, 9, 4)),
    ):
        medium, outcome, passed, void, objections, registration_void, live, closes = facts
        candidate = IssueFacts(
            medium=medium,
            outcome=outcome,
            notice=PublicNotice(date(2025, 8, 25), closes),
            approved_on=date(2025, 6, 8),
            scores=(ScoreFact(True), ScoreFact(passed, void)),
            open_objections=objections,
            registration_void=registration_void,
            live_certificate=live,
        )
        try:
            may_issue(candidate, TODAY)
        except RuleViolation:
            continue
        issued.append(facts)
    assert issued == [(Medium.ELECTRONIC, ReviewOutcome.ELIGIBLE, True, False, 0, False, False, date(2025, 9, 4))]
