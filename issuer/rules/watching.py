"""Watching certificates (R16: certificate management and risk control, data sharing): how long, how many, how often.

An employer who relies on a certificate may be told when it changes. The holder sees who watches and may end it.
"""

from datetime import date, timedelta

from issuer.rules.violation import RuleViolation

CLAUSE = "R16"
MAX_ORGANISATION = 80
MAX_LABEL = 60
WATCHES_PER_ADDRESS = 2000
ROSTER_ROWS = 500
"""Lines of one file of certificates to watch."""

BACK_OFF = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Waits after the first, second, … failure, as Standard Webhooks recommends; after the last it is given up."""


def next_wait(failures: int) -> timedelta | None:
    """How long to wait after so many failures (1 or more); None when it is to be given up."""
    return BACK_OFF[failures - 1] if failures <= len(BACK_OFF) else None


def watch_ends_on(watch_days: int, today: date) -> date:
    """The last day of a watch begun or renewed today."""
    return today + timedelta(days=watch_days)


def require_room(standing: int) -> None:
    """Raise RuleViolation (R16), watches-limit, when an address watches as many as it may."""
    if standing >= WATCHES_PER_ADDRESS:
        raise RuleViolation(
            CLAUSE,
            "watches-limit",
            found=(f"已关注 {standing} 份证书", f"{standing} certificates are watched"),
            expected=(f"不超过 {WATCHES_PER_ADDRESS} 份", f"at most {WATCHES_PER_ADDRESS}"),
        )


def clean_line(text: str, longest: int) -> str:
    """A name or label on one line, blanks squeezed; raises RuleViolation (R16), watch-text."""
    line = " ".join(text.split())
    if not line or len(line) > longest or not all(char == " " or char.isprintable() for char in line):
        raise RuleViolation(
            CLAUSE,
            "watch-text",
            found=(f"文字共 {len(line)} 个字", f"a text of {len(line)} characters"),
            expected=(f"1 至 {longest} 个可显示的字", f"1 to {longest} characters that can be shown"),
        )
    return line
