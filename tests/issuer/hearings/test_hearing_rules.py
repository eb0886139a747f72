"""When a hearing may be asked for, notified, recorded and answered (R7, R9, R10)."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from issuer.rules import hearing as rules
from issuer.rules.hearing import OPEN, HearingDays, HearingState
from issuer.rules.policy import Policy
from issuer.rules.violation import RuleViolation

DAYS = HearingDays(ask_until=date(2025, 11, 1), decide_by=date(2025, 11, 1), notice_days=7, answer_days=5)
S = HearingState
TODAY = date(2025, 10, 10)


def refused(code: str, clause: str, act: Callable[[], None]) -> None:
    with pytest.raises(RuleViolation) as violation:
        act()
    assert (violation.value.code, violation.value.clause) == (code, clause)


def test_r7_a_hearing_is_asked_for_once_and_while_it_can_still_be_held() -> None:
    rules.may_ask("R7", None, DAYS, date(2025, 10, 25))
    refused("hearing-too-late", "R7", lambda: rules.may_ask("R7", None, DAYS, date(2025, 10, 26)))
    for state in S:
        refused("hearing-asked", "R7", lambda state=state: rules.may_ask("R7", state, DAYS, TODAY))  # type: ignore[misc]


def test_r9_without_a_last_day_to_decide_only_the_days_to_ask_count() -> None:
    days = HearingDays(date(2025, 10, 15), None, 7, 5)
    rules.may_ask("R9", None, days, date(2025, 10, 15))
    refused("hearing-too-late", "R9", lambda: rules.may_ask("R9", None, days, date(2025, 10, 16)))


@pytest.mark.parametrize(
    ("on", "chair", "code"),
    [
        (date(2025, 10, 16), "chair", "hearing-notice-short"),
        (date(2025, 11, 2), "chair", "hearing-after-deadline"),
        (date(2025, 10, 17), "Finder", "chair-investigated"),
        (date(2025, 10, 17), "chair", None),
        (date(2025, 11, 1), "chair", None),
    ],
)
def test_r7_notice_is_given_seven_days_ahead_by_somebody_who_did_not_find(
    on: date, chair: str, code: str | None
) -> None:
    def act(state: HearingState | None = S.ASKED) -> None:
        rules.may_set("R7", state, DAYS, today=TODAY, on=on, chair=chair, investigators=("finder",))

    if code is None:
        for state in (None, S.ASKED, S.SET):
            act(state)
        for state in set(S) - {S.ASKED, S.SET}:
            refused("hearing-over", "R7", lambda state=state: act(state))  # type: ignore[misc]
    else:
        refused(code, "R7", act)


def test_r10_a_hearing_is_recorded_once_it_has_begun() -> None:
    starts = datetime(2025, 10, 17, 1, tzinfo=UTC)
    rules.may_record("R10", S.SET, starts, starts)
    refused(
        "hearing-ahead", "R10", lambda: rules.may_record("R10", S.SET, starts, datetime(2025, 10, 17, 0, tzinfo=UTC))
    )
    for state in set(S) - {S.SET}:
        refused("hearing-not-set", "R10", lambda state=state: rules.may_record("R10", state, starts, starts))  # type: ignore[misc]


def test_r7_minutes_are_answered_in_time_or_closed_afterwards_with_a_reason() -> None:
    due = date(2025, 10, 22)
    rules.may_answer("R7", S.HELD, due, due)
    refused("answer-too-late", "R7", lambda: rules.may_answer("R7", S.HELD, due, date(2025, 10, 23)))
    rules.may_close_unsigned("R7", S.HELD, due, date(2025, 10, 23))
    refused("answer-open", "R7", lambda: rules.may_close_unsigned("R7", S.HELD, due, due))
    for state in set(S) - {S.HELD}:
        refused("not-to-answer", "R7", lambda state=state: rules.may_answer("R7", state, due, due))  # type: ignore[misc]


def test_r9_nothing_is_decided_while_a_hearing_is_open() -> None:
    rules.require_heard("R9", None)
    for state in S:
        if state in OPEN:
            refused("hearing-open", "R9", lambda state=state: rules.require_heard("R9", state))  # type: ignore[misc]
        else:
            rules.require_heard("R9", state)


def test_only_what_is_not_held_yet_is_taken_back() -> None:
    for state in S:
        if state in (S.ASKED, S.SET):
            rules.may_waive("R7", state)
        else:
            refused("hearing-over", "R7", lambda state=state: rules.may_waive("R7", state))  # type: ignore[misc]


def test_the_days_are_policy() -> None:
    policy = Policy.from_dict({"hearing_ask_days": 3, "hearing_notice_days": 10, "hearing_answer_days": 2})
    assert (policy.hearing_ask_days, policy.hearing_notice_days, policy.hearing_answer_days) == (3, 10, 2)
    assert (Policy().hearing_ask_days, Policy().hearing_notice_days, Policy().hearing_answer_days) == (5, 7, 5)
