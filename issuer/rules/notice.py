"""The public notice (公示): at least ten days (R5)."""

from dataclasses import dataclass
from datetime import date, datetime

from issuer.rules.deadlines import is_over, notice_closes_on, starts_at
from issuer.rules.policy import Policy
from issuer.rules.violation import RuleViolation


@dataclass(frozen=True, slots=True)
class PublicNotice:
    """First and last day of the notice, in Asia/Shanghai; it runs from 00:00 to 24:00."""

    opens_on: date
    closes_on: date


def require_full_notice(notice: PublicNotice, policy: Policy) -> None:
    """Raise RuleViolation (R5) when the notice is shorter than the policy's days; the opening day is day 0."""
    earliest = notice_closes_on(notice.opens_on, policy)
    if notice.closes_on < earliest:
        days = (notice.closes_on - notice.opens_on).days
        raise RuleViolation(
            "R5",
            "notice-too-short",
            found=(
                f"公示 {notice.opens_on} 至 {notice.closes_on}，共 {days} 天",
                f"notice from {notice.opens_on} to {notice.closes_on}, {days} days",
            ),
            expected=(
                f"公示不少于 {policy.notice_days} 天，最早于 {earliest} 结束",
                f"at least {policy.notice_days} days, to {earliest} or later",
            ),
        )


def is_notice_open(notice: PublicNotice, now: datetime) -> bool:
    """Whether the notice stands at the instant `now` (timezone-aware)."""
    return starts_at(notice.opens_on) <= now and not is_over(notice.closes_on, now)


def is_notice_closed(notice: PublicNotice, today: date) -> bool:
    """Whether the notice's last day is over on the day `today`."""
    return today > notice.closes_on


def notice_closed_without_objection(notice: PublicNotice, open_objections: int, today: date) -> bool:
    """Whether the notice has run out and no objection to this person is open (R5)."""
    return is_notice_closed(notice, today) and open_objections == 0


def require_open_notice(notice: PublicNotice, now: datetime) -> None:
    """Raise RuleViolation (R5) unless an objection may be raised at `now`: only while the notice stands."""
    if not is_notice_open(notice, now):
        raise RuleViolation(
            "R5",
            "notice-not-open",
            found=("当前不在公示期内", "the public notice does not stand now"),
            expected=(
                f"公示期 {notice.opens_on} 00:00 至 {notice.closes_on} 24:00",
                f"from 00:00 on {notice.opens_on} to 24:00 on {notice.closes_on}",
            ),
        )
