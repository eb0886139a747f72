"""The transition table of eligibility reviews, tried with every action from every state on every kind of day."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.rules.review import (
    START,
    TRANSITIONS,
    ReviewAction,
    ReviewDates,
    ReviewState,
    Window,
    possible_actions,
    transition,
)
from issuer.rules.terms import ReviewOutcome, ReviewRound
from issuer.rules.violation import RuleViolation

RELEASED = date(2025, 8, 20)
DATES = ReviewDates(RELEASED, date(2025, 9, 10), date(2025, 10, 20))
AFTER = date(2025, 10, 21)
A, OUT, R = ReviewAction, ReviewOutcome, ReviewRound

steps = st.lists(st.tuples(st.sampled_from(list(A)), st.integers(0, 30)), max_size=14)


def walk(moves: list[tuple[ReviewAction, int]], start: date = RELEASED) -> list[tuple[date, ReviewState]]:
    """Every state met on the way; refused actions change nothing, days only go forward."""
    day, state, met = start, START, [(start, START)]
    for action, days in moves:
        day += timedelta(days=days)
        try:
            state = transition(state, action, DATES, day).to
        except RuleViolation:
            continue
        met.append((day, state))
    return met


def reach(actions: list[ReviewAction], day: date) -> ReviewState:
    state = START
    for action in actions:
        state = transition(state, action, DATES, day).to
    return state


@given(steps)
def test_r7_waived_stays_waived(moves: list[tuple[ReviewAction, int]]) -> None:
    waived = ReviewState(R.SUPPLEMENTARY, OUT.DEEMED_WAIVED)
    met = [state for _, state in walk(moves)]
    if waived in met:
        assert met[met.index(waived) :] == [waived]


@given(steps)
def test_r7_nothing_leads_to_eligible_after_the_closing_day(moves: list[tuple[ReviewAction, int]]) -> None:
    met = walk(moves)
    for (_, before), (day, after) in pairwise(met):
        if after.outcome is OUT.ELIGIBLE and before.outcome is not OUT.ELIGIBLE:
            assert day <= DATES.supplementary_closes_on


@given(steps)
def test_r4_only_a_finding_or_an_accepted_defence_makes_eligible(moves: list[tuple[ReviewAction, int]]) -> None:
    makers = {a for (_, a), move in TRANSITIONS.items() if move.to.outcome is OUT.ELIGIBLE}
    assert makers == {A.FIND_ELIGIBLE, A.ACCEPT_DEFENCE}
    for _, state in walk(moves):
        assert state.outcome is not OUT.DEFENCE_OPEN or state.round is R.SUPPLEMENTARY


def test_every_state_of_the_table_can_be_reached_and_left_or_is_an_end() -> None:
    reached, work = {START}, [START]
    while work:
        state = work.pop()
        for (before, _), move in TRANSITIONS.items():
            if before == state and move.to not in reached:
                reached.add(move.to)
                work.append(move.to)
    assert {before for before, _ in TRANSITIONS} <= reached
    assert reached - {before for before, _ in TRANSITIONS} == {ReviewState(R.SUPPLEMENTARY, OUT.DEEMED_WAIVED)}
    assert {state.outcome for state in reached} == set(OUT)


def test_every_move_cites_its_clause() -> None:
    assert {move.clause for move in TRANSITIONS.values()} == {"R4", "R5", "R7", "R8", "R9"}


@pytest.mark.parametrize(
    "state", sorted({s for s, _ in TRANSITIONS} | {ReviewState(R.SUPPLEMENTARY, OUT.DEEMED_WAIVED)}, key=str)
)
@pytest.mark.parametrize("action", list(A))
def test_what_is_not_in_the_table_is_refused(state: ReviewState, action: ReviewAction) -> None:
    if (state, action) in TRANSITIONS:
        return
    for day in (RELEASED, DATES.report_due_on, DATES.supplementary_closes_on, AFTER):
        with pytest.raises(RuleViolation) as refusal:
            transition(state, action, DATES, day)
        assert refusal.value.clause in {"R4", "R7"}


@pytest.mark.parametrize(
    ("actions", "last", "first_day", "last_day", "clause"),
    [
        ([], A.FIND_ELIGIBLE, RELEASED, DATES.report_due_on, "R6"),
        ([A.HOLD_PENDING], A.FIND_ELIGIBLE, RELEASED, DATES.report_due_on, "R6"),
        ([A.HOLD_PENDING], A.OPEN_SUPPLEMENTARY, RELEASED, DATES.supplementary_closes_on, "R7"),
        ([A.HOLD_PENDING, A.OPEN_SUPPLEMENTARY], A.FIND_ELIGIBLE, RELEASED, DATES.supplementary_closes_on, "R7"),
        ([A.FIND_INELIGIBLE], A.FILE_DEFENCE, RELEASED, DATES.supplementary_closes_on, "R7"),
        ([A.FIND_INELIGIBLE, A.FILE_DEFENCE], A.ACCEPT_DEFENCE, RELEASED, DATES.supplementary_closes_on, "R7"),
    ],
)
def test_each_window_ends_at_24_00_of_its_last_day(
    actions: list[ReviewAction], last: ReviewAction, first_day: date, last_day: date, clause: str
) -> None:
    state = reach(actions, RELEASED)
    for day in (first_day, last_day):
        transition(state, last, DATES, day)
        assert last in possible_actions(state, DATES, day)
    with pytest.raises(RuleViolation) as refusal:
        transition(state, last, DATES, last_day + timedelta(days=1))
    assert refusal.value.clause == clause
    assert last not in possible_actions(state, DATES, last_day + timedelta(days=1))
    with pytest.raises(RuleViolation, match="scores-not-released"):
        transition(state, last, DATES, first_day - timedelta(days=1))


@pytest.mark.parametrize("actions", [[A.HOLD_PENDING], [A.HOLD_PENDING, A.OPEN_SUPPLEMENTARY]])
def test_r7_who_did_not_come_is_deemed_to_give_up_from_the_day_after(actions: list[ReviewAction]) -> None:
    state = reach(actions, RELEASED)
    with pytest.raises(RuleViolation, match="supplementary-still-open"):
        transition(state, A.LAPSE, DATES, DATES.supplementary_closes_on)
    waived = transition(state, A.LAPSE, DATES, AFTER).to
    for action in A:
        with pytest.raises(RuleViolation, match="deemed-waived"):
            transition(waived, action, DATES, AFTER)


def test_r7_who_was_never_looked_at_is_held_pending_before_anything_lapses() -> None:
    with pytest.raises(RuleViolation):
        transition(START, A.LAPSE, DATES, AFTER)
    assert transition(START, A.HOLD_PENDING, DATES, AFTER).to.outcome is OUT.CONDITIONS_PENDING


def test_r7_a_second_defence_is_refused() -> None:
    rejected = reach([A.FIND_INELIGIBLE, A.FILE_DEFENCE, A.REJECT_DEFENCE], RELEASED)
    with pytest.raises(RuleViolation, match="defence-already-decided"):
        transition(rejected, A.FILE_DEFENCE, DATES, RELEASED, defence_decided=True)


def test_r7_policy_may_leave_days_to_decide_a_defence_filed_in_time() -> None:
    longer = ReviewDates(RELEASED, DATES.report_due_on, DATES.supplementary_closes_on, defence_decision_days=5)
    state = reach([A.FIND_INELIGIBLE, A.FILE_DEFENCE], RELEASED)
    assert transition(state, A.ACCEPT_DEFENCE, longer, AFTER + timedelta(days=4)).to.outcome is OUT.ELIGIBLE
    with pytest.raises(RuleViolation):
        transition(state, A.ACCEPT_DEFENCE, longer, AFTER + timedelta(days=5))


@pytest.mark.parametrize("actions", [[A.FIND_ELIGIBLE], [A.HOLD_PENDING, A.OPEN_SUPPLEMENTARY, A.FIND_ELIGIBLE]])
def test_r5_r9_the_eligible_fall_by_an_upheld_objection_or_in_supervision_on_any_day(
    actions: list[ReviewAction],
) -> None:
    state = reach(actions, RELEASED)
    for action, clause in ((A.OBJECTION_UPHELD, "R5"), (A.FIND_INELIGIBLE, "R9")):
        move = transition(state, action, DATES, AFTER + timedelta(days=900))
        assert (move.to.outcome, move.clause) == (OUT.INELIGIBLE, clause)


def test_windows_are_all_used() -> None:
    assert {move.window for move in TRANSITIONS.values()} == set(Window)
