"""R15: service promises run in working days of the Chinese calendar; the notice's own counts stay calendar days."""

from datetime import date

import pytest

from issuer.rules.deadlines import last_day
from issuer.rules.policy import Policy, PolicyError
from issuer.rules.promises import CalendarUnknownError, promised_on
from issuer.working_days import missing_year, promised_day, working_days


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2026-11-23", 5, "2026-11-30"),  # Monday: a weekend in between
        ("2026-09-30", 1, "2026-10-08"),  # over the national holiday
        ("2026-10-09", 1, "2026-10-10"),  # a Saturday that is worked
        ("2026-02-13", 1, "2026-02-14"),  # the Saturday worked before the Spring Festival
        ("2026-02-14", 1, "2026-02-24"),
    ],
)
def test_working_days_of_2026(received: str, days: int, due: str) -> None:
    assert promised_on(date.fromisoformat(received), days, working_days(Policy())).isoformat() == due


def test_the_notices_own_counts_do_not_know_holidays() -> None:
    assert last_day(date(2026, 9, 30), 10) == date(2026, 10, 10)


def test_a_province_has_its_own_days() -> None:
    policy = Policy.from_dict({"days_off": ["2026-11-24"], "days_on": ["2026-11-28"]})
    assert promised_on(date(2026, 11, 23), 5, working_days(policy)) == date(2026, 11, 30)
    assert promised_on(date(2026, 11, 23), 4, working_days(policy)) == date(2026, 11, 28)
    for wrong in ({"days_off": "2026-11-24"}, {"days_on": ["24 November"]}, {"calendar_years": ["2027"]}):
        with pytest.raises(PolicyError):
            Policy.from_dict(wrong)
    with pytest.raises(PolicyError):
        Policy.from_dict({"days_off": ["2026-11-24"], "days_on": ["2026-11-24"]})


def test_a_year_without_a_calendar_is_not_guessed() -> None:
    with pytest.raises(CalendarUnknownError) as unknown:
        promised_on(date(2099, 12, 1), 1, working_days(Policy()))
    assert unknown.value.year == 2099
    assert promised_day(date(2099, 12, 1), 1, Policy()) is None
    known = Policy.from_dict({"calendar_years": [2099], "days_off": ["2099-12-02"]})
    assert promised_day(date(2099, 12, 1), 1, known) == date(2099, 12, 3)


def test_the_missing_year_is_told_from_november() -> None:
    last = max(year for year in range(2020, 2100) if missing_year(date(year, 1, 2)) is None)
    assert missing_year(date(last, 10, 31)) is None
    assert missing_year(date(last, 11, 1)) == last + 1
