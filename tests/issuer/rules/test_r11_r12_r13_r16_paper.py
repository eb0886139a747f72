"""The rules of paper: states and places, the window, envelopes, safekeeping, counts."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuer.rules.deadlines import ends_at, starts_at
from issuer.rules.paper_keeping import (
    DueState,
    keeping_due,
    require_equal_count,
    require_in_right_box,
    require_keeping_over,
    require_not_on_register,
    require_unclaimed,
)
from issuer.rules.paper_mail import (
    Envelope,
    FreightTerms,
    ParcelState,
    booking_window,
    require_address_changeable,
    require_open_window,
    require_right_envelope,
)
from issuer.rules.paper_states import (
    ENDED,
    PaperAction,
    PaperPlace,
    PaperQueue,
    PaperState,
    Standing,
    actions_from,
    after,
    place_of,
    queue_of,
)
from issuer.rules.paper_stock import SerialRange, require_enough, require_new, require_second_count
from issuer.rules.policy import Policy
from issuer.rules.violation import RuleViolation


def refusal(act: object) -> tuple[str, str]:
    with pytest.raises(RuleViolation) as caught:
        act()  # type: ignore[operator]
    return caught.value.clause, caught.value.code


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PaperAction), max_size=30))
def test_a_certificate_is_always_in_exactly_one_place(actions: list[PaperAction]) -> None:
    state = PaperState.PRINTED
    for action in actions:
        try:
            following = after(state, action)
        except RuleViolation as violation:
            assert action not in actions_from(state)
            assert violation.code == "paper-state"
            continue
        assert action in actions_from(state)
        assert state not in ENDED, "nothing leads on from the end"
        assert following is not state
        state = following
        assert place_of(state) in PaperPlace


def test_every_state_has_a_place_and_the_post_is_left_by_two_doors_only() -> None:
    assert {place_of(state) for state in PaperState} == set(PaperPlace)
    assert actions_from(PaperState.POSTED) == {PaperAction.DELIVER, PaperAction.RETURN, PaperAction.VOID}
    assert actions_from(PaperState.HANDED_OVER) == {PaperAction.VOID}
    assert all(actions_from(state) == frozenset() for state in ENDED)


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Standing,
        st.sampled_from(PaperState),
        st.booleans(),
        st.booleans(),
        st.sampled_from([None, "labelled", "packed"]),
        st.booleans(),
        st.sampled_from(["kept", "this-month", "overdue"]),
        st.booleans(),
    )
)
def test_every_certificate_is_in_exactly_one_queue(standing: Standing) -> None:
    queue = queue_of(standing)
    assert queue in PaperQueue
    if standing.registration_void and standing.state not in (*ENDED, PaperState.HANDED_OVER):
        assert queue is PaperQueue.RECALL
    if queue is PaperQueue.TO_POST:
        assert (standing.state, standing.parcel) == (PaperState.BOOKED, "packed")


def test_r12_thirty_days_from_the_announcement_to_the_last_second() -> None:
    window = booking_window(date(2026, 3, 2), Policy())
    assert (window.opens_on, window.closes_on) == (date(2026, 3, 2), date(2026, 4, 1))
    require_open_window(window, starts_at(window.opens_on))
    require_open_window(window, ends_at(window.closes_on) - timedelta(microseconds=1))
    assert refusal(lambda: require_open_window(window, ends_at(window.closes_on))) == ("R12", "booking-closed")
    before = starts_at(window.opens_on) - timedelta(seconds=1)
    assert refusal(lambda: require_open_window(window, before)) == ("R12", "booking-not-open")
    assert refusal(lambda: require_open_window(None, datetime(2026, 3, 3, tzinfo=UTC))) == ("R12", "booking-not-open")
    assert booking_window(date(2026, 3, 2), Policy(booking_days=45)).closes_on == date(2026, 4, 16)


def test_r12_the_addressee_pays() -> None:
    assert list(FreightTerms) == [FreightTerms.COLLECT]


def test_r12_the_right_sheet_in_the_right_envelope() -> None:
    right = Envelope(7, 2, ParcelState.LABELLED)
    require_right_envelope(7, 2, right)
    for paper, revision, envelope, code in (
        (8, 2, right, "wrong-envelope"),
        (7, 3, right, "outdated-label"),
        (7, 2, Envelope(7, 2, ParcelState.CANCELLED), "outdated-label"),
        (7, 2, Envelope(7, 2, ParcelState.PACKED), "envelope-closed"),
        (7, 2, None, "waybill-unknown"),
    ):
        check = lambda p=paper, r=revision, e=envelope: require_right_envelope(p, r, e)  # noqa: E731
        assert refusal(check) == ("R12", code)
    for state in (None, ParcelState.LABELLED, ParcelState.PACKED, ParcelState.RETURNED):
        require_address_changeable(state)
    assert refusal(lambda: require_address_changeable(ParcelState.POSTED)) == ("R12", "courier-has-it")


def test_r13_five_years_by_calendar_from_the_end_of_the_examination() -> None:
    ended = date(2024, 2, 29)
    assert keeping_due(ended, Policy(), date(2029, 1, 31)).state is DueState.KEPT
    assert keeping_due(ended, Policy(), date(2029, 2, 1)).state is DueState.THIS_MONTH
    last = keeping_due(ended, Policy(), date(2029, 2, 28))
    assert (last.kept_until, last.due_on, last.state) == (date(2029, 2, 28), date(2029, 3, 1), DueState.THIS_MONTH)
    assert refusal(lambda: require_keeping_over(last, date(2029, 2, 28))) == ("R13", "safekeeping-not-over")
    require_keeping_over(last, date(2029, 3, 1))
    assert keeping_due(ended, Policy(), date(2029, 3, 1)).state is DueState.OVERDUE


def test_r13_a_difference_in_one_box_blocks_the_register() -> None:
    require_equal_count({"A": 2, "B": 1}, {"A": 2, "B": 1})
    for counted in ({"A": 2}, {"A": 1, "B": 2}, {"A": 2, "B": 1, "C": 1}):
        assert refusal(lambda c=counted: require_equal_count({"A": 2, "B": 1}, c)) == ("R13", "count-differs")
    assert refusal(lambda: require_equal_count({}, {})) == ("R13", "register-empty")
    assert refusal(lambda: require_in_right_box("A", "B")) == ("R13", "wrong-box")
    assert refusal(lambda: require_unclaimed(False, returned=False)) == ("R13", "still-bookable")
    require_unclaimed(False, returned=True)


def test_r13_a_claim_is_told_the_registers_number() -> None:
    require_not_on_register(None, handed_over=False)
    with pytest.raises(RuleViolation) as told:
        require_not_on_register("YJ-2026-0001", handed_over=True)
    assert (told.value.code, "YJ-2026-0001" in told.value.found[1]) == ("handed-over", True)


def test_r16_serials_are_counted_one_by_one() -> None:
    forms = SerialRange.between("豫a0098"[1:], "A0101")
    assert list(forms.serials()) == ["A0098", "A0099", "A0100", "A0101"]
    assert len(forms) == 4
    for first, last in (
        ("A1", "B2"),
        ("A10", "A9"),
        ("A2", "A1"),
        ("", ""),
        ("ABC", "ABD"),
        ("A0", "A9999999"),
        ("=A1", "=A2"),
    ):
        assert refusal(lambda f=first, t=last: SerialRange.between(f, t)) == ("R16", "serial-range")
    assert refusal(lambda: require_new(forms, [SerialRange("A", 101, 200, 4)])) == ("R16", "serials-known")
    require_new(forms, [SerialRange("A", 101, 200, 5), SerialRange("B", 98, 101, 4)])
    assert refusal(lambda: require_second_count(4, 3, same_person=False)) == ("R16", "count-differs")
    assert refusal(lambda: require_second_count(4, 4, same_person=True)) == ("R16", "two-people")
    assert refusal(lambda: require_enough(3, 4)) == ("R16", "stock-short")
