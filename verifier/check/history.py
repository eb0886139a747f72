"""Was it valid on a day in the past? Answered from the public history of the certificate's status.

Two questions that are easily confused are answered apart:

- **shown**: what the public record told those who asked at that instant;
- **known**: what is known today about that day. A certificate void from the beginning (R9) was valid on no day,
  although it was shown as valid; an invalidation that was overturned on appeal has no effect on any day.

The verdict follows what is known. It is `valid` for a day only when it was also public then.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

from verifier.check.judgement import NO_REASON, REASONS, SHANGHAI
from verifier.check.words import say
from verifier.record.public_record import StatusChange
from verifier.record.status import CertificateStatus, ReasonClass
from verifier.record.verdict import Check, CheckResult, PublicCertificate, Verdict

STATUS_WORDS: Final = {
    CertificateStatus.VALID: ("有效", "valid"),
    CertificateStatus.INVALID: ("无效", "invalid"),
    CertificateStatus.SUSPENDED: ("暂停使用", "suspended"),
    CertificateStatus.SUPERSEDED: ("已被取代", "superseded"),
}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_ANSWERABLE: Final = (Verdict.VALID, Verdict.INVALID, Verdict.SUSPENDED, Verdict.SUPERSEDED, Verdict.EXPIRED_COPY)


class MomentError(ValueError):
    """What was given is no day or instant, or lies in the future. `code`: `malformed` or `future`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Moment:
    """A past instant that is asked about. `asked` as it was given; `at` aware, UTC or any zone."""

    asked: str
    at: datetime

    @property
    def day(self) -> date:
        """Its day in Asia/Shanghai."""
        return self.at.astimezone(SHANGHAI).date()


@dataclass(frozen=True, slots=True)
class Past:
    """What the history says of a moment: `shown` None before publication, `known` None when nothing is in force."""

    shown: CertificateStatus | None
    known: StatusChange | None
    void_from_beginning: bool


def read_moment(text: str, now: datetime) -> Moment:
    """A day (`2025-03-01`: its end in Asia/Shanghai, today: now) or an RFC 3339 instant; raises MomentError."""
    given = text.strip()
    try:
        if _DAY.fullmatch(given):
            day = date.fromisoformat(given)
            if day > now.astimezone(SHANGHAI).date():
                raise MomentError("future")
            end = datetime.combine(day, time.max, SHANGHAI)
            return Moment(given, min(end, now))
        # A plus sign in an address that was not quoted arrives as a blank.
        at = datetime.fromisoformat(given.replace(" ", "+") if "T" in given else given)
        if at.tzinfo is None:
            raise MomentError("malformed")
        if at > now:
            raise MomentError("future")
        at.astimezone(SHANGHAI)
    except (ValueError, OverflowError) as error:
        raise error if isinstance(error, MomentError) else MomentError("malformed") from error
    return Moment(given, at)


def past_of(changes: Sequence[StatusChange], moment: Moment) -> Past:
    """What `changes` (oldest first, whole) say of `moment`."""
    shown = [change for change in changes if change.changed_at <= moment.at]
    standing = _standing(changes)
    void = standing[-1].status is CertificateStatus.INVALID and _from_beginning(standing[-1], standing[0])
    in_force = [change for change in standing if change.from_beginning or change.effective_on <= moment.day]
    return Past(shown[-1].status if shown else None, in_force[-1] if in_force else None, void)


def on(result: CheckResult, moment: Moment, history: Callable[[str], Sequence[StatusChange]]) -> CheckResult:
    """`result`, which speaks of now, turned into an answer about `moment`; `extra` keeps what is true now.

    An answer that rests on more than the status (altered, untrusted, not found …) stays what it is. `history` may
    raise RegisterUnavailableError.
    """
    certificate = result.certificate
    if certificate is None or result.verdict not in _ANSWERABLE:
        return result
    changes = history(certificate.token)
    asked: dict[str, Any] = {"asked": moment.asked, "instant": _utc(moment.at)}
    extra = {**result.extra, "on": asked, "now": {"verdict": result.verdict.value, "as_of": _utc(result.as_of)}}
    rest = tuple(check for check in result.checks if check.name != "status")
    if not changes:
        checks = (*rest, say("on-history-missing"))
        return CheckResult(Verdict.STATUS_UNKNOWN, checks, result.as_of, certificate, extra)
    past = past_of(changes, moment)
    asked |= {
        "shown": past.shown.value if past.shown else None,
        "known": past.known.status.value if past.known and past.shown else None,
        "void_from_beginning": past.void_from_beginning,
        "history": [line(change) for change in changes],
    }
    verdict, found = _judge(past, moment, changes[0], certificate)
    if verdict is Verdict.VALID and any(check.ok is not True for check in rest):
        verdict = result.verdict  # an expired copy stays one, whatever its certificate was then
    return CheckResult(verdict, (*rest, *found), result.as_of, certificate, extra)


def line(change: StatusChange) -> dict[str, Any]:
    """One line of a history as the API writes it; nothing in it names anybody."""
    return {
        "status": change.status.value,
        "reason_class": change.reason_class.value if change.reason_class else None,
        "effective_on": change.effective_on.isoformat(),
        "from_beginning": change.from_beginning,
        "changed_at": _utc(change.changed_at),
    }


def _judge(
    past: Past, moment: Moment, first: StatusChange, certificate: PublicCertificate
) -> tuple[Verdict, tuple[Check, ...]]:
    day = moment.day.isoformat()
    if past.void_from_beginning and past.known is not None:
        zh, en = _reason(past.known.reason_class)
        void = say("on-invalid-from-beginning", day=day, reason=zh, reason_en=en)
        return Verdict.INVALID, ((_shown(past.shown, moment), void) if past.shown else (void,))
    if past.shown is None:
        not_yet = say(
            "on-not-yet", day=day, published=_local(first.changed_at), approved=certificate.approved_on.isoformat()
        )
        return Verdict.NOT_FOUND, (not_yet,)
    shown = _shown(past.shown, moment)
    known = past.known or first  # public since before the day it is dated: then from its publication on
    if known.status is CertificateStatus.INVALID:
        zh, en = _reason(known.reason_class)
        since = known.effective_on.isoformat()
        return Verdict.INVALID, (shown, say("on-invalid", day=day, since=since, reason=zh, reason_en=en))
    return Verdict(known.status.value), (shown, say(f"on-{known.status.value}", day=day))


def _standing(changes: Sequence[StatusChange]) -> list[StatusChange]:
    """The changes that count: an invalidation overturned on appeal never took effect."""
    kept: list[StatusChange] = []
    for change in changes:
        overturns = change.status is CertificateStatus.VALID and change.reason_class is ReasonClass.REINSTATED
        if overturns and kept and kept[-1].status is CertificateStatus.INVALID:
            kept.pop()
            continue
        kept.append(change)
    return kept


def _from_beginning(change: StatusChange, first: StatusChange) -> bool:
    return change.from_beginning or change.effective_on <= first.effective_on


def _shown(status: CertificateStatus, moment: Moment) -> Check:
    zh, en = STATUS_WORDS[status]
    return say("on-shown", instant=_local(moment.at), shown=zh, shown_en=en)


def _reason(reason: ReasonClass | None) -> tuple[str, str]:
    return REASONS.get(reason, NO_REASON) if reason else NO_REASON


def _local(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
