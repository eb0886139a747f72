"""A certificate falls by two people, on a ground, with a basis; and stands up again the same way."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from issuer.rules.invalidation import (
    DecisionFacts,
    ProposalFacts,
    ReinstatementFacts,
    consequences,
    may_decide,
    may_propose,
    may_reinstate,
    may_withdraw,
    require_two_people,
)
from issuer.rules.terms import InvalidationGround
from issuer.rules.violation import RuleViolation

TODAY = date(2026, 3, 2)
PROPOSAL = ProposalFacts(
    ground=InvalidationGround.INELIGIBLE_IN_SUPERVISION,
    basis="豫人社函〔2024〕25号一（三）：工作年限不足",
    effective_on=TODAY,
    from_beginning=True,
    approved_on=date(2025, 6, 8),
    exam_ended_on=date(2024, 11, 3),
    status="valid",
)
DECISION = DecisionFacts(InvalidationGround.FALSE_MATERIALS, "proposed", "wang", "li")
APPEAL = ReinstatementFacts(
    ground=InvalidationGround.INELIGIBLE_IN_REVIEW,
    basis="行政复议决定书第 12 号",
    status="invalid",
    invalidation_state="applied",
    invalidated_by="li",
    overturned_by="zhao",
)


@pytest.mark.parametrize("ground", list(InvalidationGround))
def test_r9_registration_all_scores_and_certificate_fall_and_the_fee_is_kept(ground: InvalidationGround) -> None:
    falls = consequences(ground)
    assert falls.registration_void
    assert falls.all_scores_of_sitting_void
    assert falls.certificate_invalid
    assert not falls.fee_refunded
    assert falls.handled_under_order_31 == (ground.clause == "R10")


@pytest.mark.parametrize("status", ["valid", "suspended"])
def test_r9_a_standing_certificate_may_be_proposed(status: str) -> None:
    may_propose(replace(PROPOSAL, status=status), TODAY)
    may_propose(replace(PROPOSAL, effective_on=date(2025, 1, 1)), TODAY)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": None}, "not-published"),
        ({"status": "invalid"}, "already-invalid"),
        ({"status": "superseded"}, "superseded"),
        ({"open_proposal": True}, "proposal-open"),
        ({"basis": "  \n"}, "basis-missing"),
        ({"basis": "无"}, "basis-missing"),
        ({"basis": "据" * 2001}, "basis-too-long"),
        ({"basis": "依据\u202e条款如下"}, "basis-characters"),
        ({"effective_on": date(2026, 3, 3)}, "effective-in-future"),
        ({"effective_on": date(2025, 6, 7), "from_beginning": False}, "effective-before-approval"),
        ({"effective_on": date(2024, 11, 2)}, "effective-before-exam"),
    ],
)
@pytest.mark.parametrize("ground", list(InvalidationGround))
def test_r9_r10_a_faulty_proposal_is_refused_by_the_grounds_clause(
    change: dict[str, Any], code: str, ground: InvalidationGround
) -> None:
    with pytest.raises(RuleViolation) as refusal:
        may_propose(replace(PROPOSAL, ground=ground, **change), TODAY)
    assert (refusal.value.clause, refusal.value.code) == (ground.clause, code)


def test_r9_two_different_people_decide() -> None:
    may_decide(DECISION)
    for name in ("wang", "WANG", " wang "):
        with pytest.raises(RuleViolation, match="same-person"):
            may_decide(replace(DECISION, decided_by=name))
    with pytest.raises(RuleViolation, match="same-person"):
        require_two_people("R9", "a", "A")


@pytest.mark.parametrize("state", ["rejected", "withdrawn", "applied", "overturned"])
def test_r9_a_closed_proposal_is_not_decided_again(state: str) -> None:
    for rule in (may_decide, may_withdraw):
        with pytest.raises(RuleViolation, match="not-open"):
            rule(replace(DECISION, state=state, decided_by="wang" if rule is may_withdraw else "li"))


def test_only_the_proposer_withdraws() -> None:
    may_withdraw(replace(DECISION, decided_by="wang"))
    with pytest.raises(RuleViolation, match="not-the-proposer"):
        may_withdraw(DECISION)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": "valid"}, "not-invalid"),
        ({"invalidation_state": "overturned"}, "not-applied"),
        ({"other_live": True}, "other-certificate-live"),
        ({"basis": ""}, "basis-missing"),
        ({"overturned_by": "li"}, "same-person"),
    ],
)
def test_a_certificate_stands_up_again_only_after_an_appeal_decided_by_somebody_else(
    change: dict[str, Any], code: str
) -> None:
    may_reinstate(APPEAL)
    with pytest.raises(RuleViolation, match=code):
        may_reinstate(replace(APPEAL, **change))
