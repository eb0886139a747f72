"""Counting time as the notice does (R5–R7, R12, R13).

Calendar days in Asia/Shanghai. The day of the event is day 0, and a deadline ends at 24:00 of its last
day. Months and years run by calendar date; where the date does not exist, on the last day of the month.
"""

import calendar
from datetime import UTC, date, datetime, time, timedelta

from issuer.clock import SHANGHAI
from issuer.rules.policy import Policy


def last_day(day_zero: date, days: int) -> date:
    """The last day of a deadline of `days` calendar days counted from `day_zero`."""
    return day_zero + timedelta(days=days)


def add_months(day: date, months: int) -> date:
    """Same day of the month, `months` later; the month's last day where there is none (31 Dec + 2 → 28 Feb)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    month += 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def add_years(day: date, years: int) -> date:
    """Same date, `years` later; 29 February becomes 28 February in a common year."""
    return add_months(day, 12 * years)


def ends_at(day: date) -> datetime:
    """The instant (UTC) at which `day` is over: 24:00 in Asia/Shanghai. That instant is already outside."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=SHANGHAI).astimezone(UTC)


def starts_at(day: date) -> datetime:
    """The instant (UTC) at which `day` begins in Asia/Shanghai."""
    return datetime.combine(day, time(), tzinfo=SHANGHAI).astimezone(UTC)


def is_over(day: date, now: datetime) -> bool:
    """Whether a deadline with last day `day` has run out at the instant `now` (timezone-aware)."""
    if now.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return now >= ends_at(day)


def notice_closes_on(opens_on: date, policy: Policy) -> date:
    """Earliest last day of a public notice opened on `opens_on` (R5): the opening day is day 0."""
    return last_day(opens_on, policy.notice_days)


def report_due_on(results_released_on: date, policy: Policy) -> date:
    """Last day for the authority to report first-round results (R5), unless announced otherwise (R6)."""
    return last_day(results_released_on, policy.report_days)


def supplementary_closes_on(results_released_on: date, policy: Policy) -> date:
    """Latest last day of the supplementary round and of defences (R7)."""
    return add_months(results_released_on, policy.supplementary_months)


def booking_closes_on(results_announced_on: date, policy: Policy) -> date:
    """Last day of the mail-booking window for paper certificates (R12)."""
    return last_day(results_announced_on, policy.booking_days)


def safekeeping_ends_on(exam_ended_on: date, policy: Policy) -> date:
    """Last day on which an unclaimed paper certificate is kept before it is handed over (R13)."""
    return add_years(exam_ended_on, policy.safekeeping_years)
