"""Service promises in working days (R15). The notice's own counts stay calendar days (`issuer.rules.deadlines`).

Which day is a working day is decided outside the law: the caller passes a function, since the State Council
announces each year's holidays and make-up days only in November of the year before.
"""

from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum

from issuer.rules.policy import Policy

IsWorkingDay = Callable[[date], bool]
"""Whether a day is worked; raises CalendarUnknownError for a year not announced yet."""


class CalendarUnknownError(LookupError):
    """The holidays of this year have not been announced, or are not in the calendar."""

    def __init__(self, year: int) -> None:
        super().__init__(f"no calendar for {year}")
        self.year = year


class Promise(StrEnum):
    """What the department promises to answer within so many working days."""

    OBJECTION = "objection"
    """公示异议."""
    DEFENCE = "defence"
    """申辩."""
    CORRECTION = "correction"
    """信息更正申请."""


def promised_days(promise: Promise, policy: Policy) -> int:
    """Working days the policy promises."""
    return {
        Promise.OBJECTION: policy.objection_working_days,
        Promise.DEFENCE: policy.defence_working_days,
        Promise.CORRECTION: policy.correction_working_days,
    }[promise]


def promised_on(received_on: date, working_days: int, is_working_day: IsWorkingDay) -> date:
    """Last day of a promise of `working_days` (1 or more); the day it was received does not count.

    Raises CalendarUnknownError when the count reaches a year whose calendar is not known.
    """
    if working_days < 1:
        raise ValueError("a promise has at least one working day")
    day = received_on
    while working_days:
        day += timedelta(days=1)
        working_days -= is_working_day(day)
    return day
