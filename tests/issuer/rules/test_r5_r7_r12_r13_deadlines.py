"""Counting: day 0, 24:00 in Shanghai, calendar months and years."""

import calendar
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.clock import SHANGHAI
from issuer.rules.deadlines import (
    add_months,
    add_years,
    booking_closes_on,
    ends_at,
    is_over,
    last_day,
    notice_closes_on,
    report_due_on,
    safekeeping_ends_on,
    starts_at,
    supplementary_closes_on,
)
from issuer.rules.notice import (
    PublicNotice,
    is_notice_open,
    notice_closed_without_objection,
    require_full_notice,
    require_open_notice,
)
from issuer.rules.policy import Policy, PolicyError
from issuer.rules.violation import RuleViolation

POLICY = Policy()
days = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def test_r5_report_is_due_on_the_fifteenth_day_after_release() -> None:
    assert report_due_on(date(2025, 8, 20), POLICY) == date(2025, 9, 4)


def test_r7_two_months_run_by_the_calendar() -> None:
    assert supplementary_closes_on(date(2025, 8, 20), POLICY) == date(2025, 10, 20)
    assert supplementary_closes_on(date(2025, 12, 31), POLICY) == date(2026, 2, 28)
    assert supplementary_closes_on(date(2027, 12, 30), POLICY) == date(2028, 2, 29)


def test_r12_booking_closes_thirty_days_after_the_results() -> None:
    assert booking_closes_on(date(2025, 9, 10), POLICY) == date(2025, 10, 10)


def test_r13_safekeeping_ends_after_five_years_by_date() -> None:
    assert safekeeping_ends_on(date(2024, 2, 29), POLICY) == date(2029, 2, 28)
    assert safekeeping_ends_on(date(2025, 6, 8), POLICY) == date(2030, 6, 8)


@given(days, st.integers(0, 60))
def test_months_keep_the_day_or_take_the_months_last(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == min(day.day, calendar.monthrange(later.year, later.month)[1])


@given(days, days, st.integers(0, 60))
def test_a_later_start_never_ends_earlier(one: date, two: date, months: int) -> None:
    if one <= two:
        assert add_months(one, months) <= add_months(two, months)
        assert add_years(one, months) <= add_years(two, months)
        assert last_day(one, months) <= last_day(two, months)


@given(days)
def test_a_deadline_ends_at_midnight_in_shanghai(day: date) -> None:
    end = ends_at(day)
    assert end.tzinfo is UTC
    assert end.astimezone(SHANGHAI).date() == day + timedelta(days=1)
    assert not is_over(day, end - timedelta(microseconds=1))
    assert is_over(day, end)
    assert starts_at(day + timedelta(days=1)) == end


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        is_over(date(2025, 1, 1), datetime(2025, 1, 1))  # noqa: DTZ001 - the point of the test


def test_r5_a_notice_of_less_than_ten_days_is_refused() -> None:
    opens = date(2025, 8, 25)
    assert notice_closes_on(opens, POLICY) == date(2025, 9, 4)
    require_full_notice(PublicNotice(opens, date(2025, 9, 4)), POLICY)
    with pytest.raises(RuleViolation) as refusal:
        require_full_notice(PublicNotice(opens, date(2025, 9, 3)), POLICY)
    assert (refusal.value.clause, refusal.value.code) == ("R5", "notice-too-short")


def test_r5_the_notice_stands_from_its_first_midnight_to_its_last() -> None:
    notice = PublicNotice(date(2025, 8, 25), date(2025, 9, 4))
    first, last = starts_at(notice.opens_on), ends_at(notice.closes_on)
    blink = timedelta(microseconds=1)
    assert [is_notice_open(notice, at) for at in (first - blink, first, last - blink, last)] == [
        False,
        True,
        True,
        False,
    ]
    require_open_notice(notice, first)
    with pytest.raises(RuleViolation, match="notice-not-open"):
        require_open_notice(notice, last)


def test_r5_the_notice_has_run_out_only_the_day_after_and_without_objection() -> None:
    notice = PublicNotice(date(2025, 8, 25), date(2025, 9, 4))
    assert not notice_closed_without_objection(notice, 0, date(2025, 9, 4))
    assert notice_closed_without_objection(notice, 0, date(2025, 9, 5))
    assert not notice_closed_without_objection(notice, 1, date(2025, 9, 5))


def test_policy_values_come_from_data_and_unusable_ones_are_named() -> None:
    policy = Policy.from_dict({"notice_days": 15, "regions": {"东江市": "31", "西岭": 7}, "unknown_region": ""})
    assert (policy.notice_days, policy.report_days) == (15, 15)
    assert (policy.region_code("东江"), policy.region_code("西岭市"), policy.region_code("别处")) == (
        "31",
        "07",
        None,
    )
    assert Policy.from_dict(None).region_code("别处") == "00"
    for data, said in (
        ({"notice_days": 9}, "notice_days"),
        ({"notice_days": True}, "notice_days"),
        ({"report_days": "15"}, "report_days"),
        ({"speed": 1}, "speed"),
        ({"regions": {"东江": "x"}}, "regions.东江"),
        ({"regions": []}, "regions"),
        ({"specialty_codes": {"a": 1, "b": 1}}, "same number"),
        ({"min_age": 90, "max_age": 20}, "min_age"),
    ):
        with pytest.raises(PolicyError, match=said):
            Policy.from_dict(data)


def test_specialties_count_by_place_unless_the_policy_numbers_them() -> None:
    names = ("建筑工程", "公路工程")
    assert Policy().specialty_code("公路工程", names) == 2
    assert Policy.from_dict({"specialty_codes": {"公路工程": 7}}).specialty_code("公路工程", names) == 7
    assert Policy().specialty_code("航天工程", names) is None
