"""Working days of the Chinese calendar, with a province's own days on top (`days_off`, `days_on` in its policy)."""

from datetime import date
from functools import partial

import chinese_calendar

from issuer.rules.policy import Policy
from issuer.rules.promises import CalendarUnknownError, IsWorkingDay, promised_on

KNOWN_FROM_MONTH = 11
"""The State Council announces the next year's holidays around November."""


def working_days(policy: Policy) -> IsWorkingDay:
    """The function `issuer.rules.promises` asks for one programme."""
    return partial(_is_working_day, policy)


def promised_day(received_on: date, days: int, policy: Policy) -> date | None:
    """Last day of a promise; None when it reaches a year whose holidays are not known yet."""
    try:
        return promised_on(received_on, days, working_days(policy))
    except CalendarUnknownError:
        return None


def missing_year(today: date) -> int | None:
    """The year the built-in calendar should hold by now and does not: this one, from November the next."""
    years = [today.year] + ([today.year + 1] if today.month >= KNOWN_FROM_MONTH else [])
    return next((year for year in years if not _knows(year)), None)


def _is_working_day(policy: Policy, day: date) -> bool:
    if day in policy.days_off:
        return False
    if day in policy.days_on:
        return True
    if day.year in policy.calendar_years:
        return day.weekday() < 5
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError as exc:
        raise CalendarUnknownError(day.year) from exc


def _knows(year: int) -> bool:
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True
