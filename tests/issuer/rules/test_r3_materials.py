"""R3 and R15: what is asked, of whom, until when; what agreed or was given is never asked again."""

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.rules.commitment import CommitmentStanding
from issuer.rules.comparison import ComparisonOutcome, ComparisonResult, FactItem
from issuer.rules.materials import (
    DEFAULT_MATERIALS,
    WITHOUT_MATERIALS,
    ItemFacts,
    ItemState,
    Judgement,
    Known,
    MaterialKind,
    Why,
    asked_materials,
    judge_item,
    material_due_on,
    require_complete,
    require_upload_open,
)
from issuer.rules.policy import Policy, PolicyError
from issuer.rules.review import ReviewDates
from issuer.rules.terms import ApplicationBasis, ReviewOutcome
from issuer.rules.violation import RuleViolation

DATES = ReviewDates(date(2025, 9, 1), date(2025, 9, 16), date(2025, 11, 1))
TODAY = date(2025, 9, 10)
YEARS = FactItem.YEARS
MATCH, DIFFERS, NOT_FOUND, UNREACHABLE = ComparisonOutcome
COMMITMENT, EVIDENCE = ApplicationBasis
EARLIER = Known(Why.KNOWN_MATERIAL, date(2024, 9, 10), "EJJZ-2024-1")


def judged(
    outcome: ComparisonOutcome | None = None,
    *,
    basis: ApplicationBasis = COMMITMENT,
    commitment: CommitmentStanding = CommitmentStanding.STANDS,
    required: bool = False,
    known: tuple[Known, ...] = (),
    accepted: bool = False,
    on: date = TODAY,
) -> Judgement:
    result = ComparisonResult(YEARS, outcome, "a", datetime(2025, 9, 5, tzinfo=UTC), "f") if outcome else None
    return judge_item(
        ItemFacts(YEARS, result, date(2025, 9, 5) if outcome else None, known, accepted),
        basis=basis,
        commitment=commitment,
        commitment_required=required,
        registered_on=date(2025, 8, 20),
        on=on,
        known_days=1096,
    )


@pytest.mark.parametrize(
    ("judgement", "state", "why"),
    [
        (judged(MATCH, basis=EVIDENCE), ItemState.SETTLED, Why.COMPARED),
        (judged(DIFFERS), ItemState.ASKED, Why.DIFFERS),
        (judged(DIFFERS, accepted=True), ItemState.SETTLED, Why.ACCEPTED),
        (judged(DIFFERS, known=(EARLIER,)), ItemState.ASKED, Why.DIFFERS),
        (judged(NOT_FOUND), ItemState.ASKED, Why.NOT_FOUND),
        (judged(NOT_FOUND, known=(EARLIER,)), ItemState.SETTLED, Why.KNOWN_MATERIAL),
        (judged(known=(EARLIER,), basis=EVIDENCE), ItemState.SETTLED, Why.KNOWN_MATERIAL),
        (judged(basis=EVIDENCE), ItemState.ASKED, Why.ON_EVIDENCE),
        (judged(UNREACHABLE, basis=EVIDENCE), ItemState.ASKED, Why.ON_EVIDENCE),
        (judged(), ItemState.WAITING, Why.NOT_COMPARED),
        (judged(UNREACHABLE), ItemState.WAITING, Why.UNREACHABLE),
        (judged(required=True), ItemState.WAITING, Why.NOT_COMPARED),
        (judged(required=True, commitment=CommitmentStanding.WITHDRAWN), ItemState.ASKED, Why.NO_COMMITMENT),
        (judged(MATCH, required=True, commitment=CommitmentStanding.NONE), ItemState.SETTLED, Why.COMPARED),
        (judged(commitment=CommitmentStanding.NONE), ItemState.WAITING, Why.NOT_COMPARED),
    ],
)
def test_data_before_documents(judgement: Judgement, state: ItemState, why: Why) -> None:
    assert (judgement.state, judgement.why) == (state, why)


def test_what_was_known_counts_for_its_days_and_no_longer() -> None:
    last = EARLIER.on + timedelta(days=1096)
    assert judged(NOT_FOUND, known=(EARLIER,), on=last).state is ItemState.SETTLED
    assert judged(NOT_FOUND, known=(EARLIER,), on=last + timedelta(days=1)).state is ItemState.ASKED
    ahead = Known(Why.KNOWN_COMPARED, TODAY + timedelta(days=1), "later")
    assert judged(NOT_FOUND, known=(ahead,)).state is ItemState.ASKED, "a finding of tomorrow proves nothing today"


@given(st.sampled_from([None, *ComparisonOutcome]), st.sampled_from(ApplicationBasis), st.booleans())
def test_nothing_that_agreed_or_was_accepted_is_asked(
    outcome: ComparisonOutcome | None, basis: ApplicationBasis, required: bool
) -> None:
    for commitment in CommitmentStanding:
        more = {"basis": basis, "required": required, "commitment": commitment}
        assert judged(MATCH, **more).state is ItemState.SETTLED  # type: ignore[arg-type]
        assert judged(outcome, accepted=True, **more).state is ItemState.SETTLED  # type: ignore[arg-type]


def test_one_certificate_for_level_and_major_is_asked_once() -> None:
    asked = [Judgement(item, ItemState.ASKED, Why.NOT_FOUND, TODAY) for item in FactItem]
    (first, second) = asked_materials(asked, DEFAULT_MATERIALS, DATES, 10)
    assert (first.kind, first.items) == (
        MaterialKind.EDUCATION_CERTIFICATE,
        (FactItem.EDUCATION, FactItem.MAJOR),
    )
    assert (second.kind, second.due_on) == (MaterialKind.EMPLOYMENT_PROOF, date(2025, 9, 20))
    settled = [Judgement(item, ItemState.SETTLED, Why.COMPARED) for item in FactItem]
    assert asked_materials(settled, DEFAULT_MATERIALS, DATES, 10) == ()


@pytest.mark.parametrize(
    ("since", "due"),
    [
        (date(2025, 3, 1), date(2025, 9, 11)),
        (date(2025, 9, 1), date(2025, 9, 11)),
        (date(2025, 9, 10), date(2025, 9, 20)),
        (date(2025, 10, 30), date(2025, 11, 1)),
    ],
)
def test_the_last_day_counts_from_the_scores_and_ends_with_the_last_review(since: date, due: date) -> None:
    assert material_due_on(since, DATES, 10) == due


def test_materials_are_taken_while_the_review_may_still_turn() -> None:
    taken = {ReviewOutcome.AWAITING, ReviewOutcome.CONDITIONS_PENDING, ReviewOutcome.DEFENCE_OPEN}
    taken.add(ReviewOutcome.INELIGIBLE)
    for outcome, day in product(ReviewOutcome, (DATES.supplementary_closes_on, date(2025, 11, 2))):
        if outcome in taken and day == DATES.supplementary_closes_on:
            require_upload_open(outcome, DATES, day)
            continue
        with pytest.raises(RuleViolation) as refused:
            require_upload_open(outcome, DATES, day)
        assert refused.value.clause == "R7"


@pytest.mark.parametrize(("missing", "waiting", "code"), [(1, 0, "materials-open"), (0, 1, "comparison-open")])
def test_nobody_is_found_eligible_in_silence(missing: int, waiting: int, code: str) -> None:
    for reason in (None, "", "seemed-fine"):
        with pytest.raises(RuleViolation) as refused:
            require_complete(missing, waiting, reason)
        assert (refused.value.code, refused.value.clause) == (code, "R3")
    for reason in WITHOUT_MATERIALS:
        require_complete(missing, waiting, reason)
    require_complete(0, 0, None)


def test_the_policy_says_what_is_compared_and_by_default_nothing_is() -> None:
    assert Policy().comparison_items == ()
    policy = Policy.from_dict(
        {
            "comparison_items": ["years", "education"],
            "materials": {"years": "social-insurance"},
            "commitment_required": True,
            "material_days": 5,
        }
    )
    assert policy.comparison_items == (FactItem.EDUCATION, FactItem.YEARS)
    assert policy.materials[YEARS] is MaterialKind.SOCIAL_INSURANCE
    assert policy.materials[FactItem.MAJOR] is MaterialKind.EDUCATION_CERTIFICATE
    assert (policy.commitment_required, policy.uncompared_blocks, policy.material_days) == (True, False, 5)


@pytest.mark.parametrize(
    "values",
    [
        {"comparison_items": "education"},
        {"comparison_items": ["height"]},
        {"comparison_items": [{}]},
        {"materials": {"height": "social-insurance"}},
        {"materials": {"years": "a story"}},
        {"materials": ["years"]},
        {"commitment_required": "yes"},
        {"uncompared_blocks": 1},
        {"material_days": 0},
        {"known_fact_days": True},
    ],
)
def test_a_policy_that_cannot_be_used_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(PolicyError):
        Policy.from_dict(values)
