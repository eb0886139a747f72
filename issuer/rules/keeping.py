"""How long personal data is kept, and what may be erased (PIPL arts. 19 and 47; R9, R10, R13).

PIPL is the Personal Information Protection Law. Article 47 orders erasure when the purpose is reached, the time of
keeping is over, or consent is withdrawn, unless another law or regulation orders keeping; here that is the register
of certificates (R11, R14), records of misconduct (R10), and paper in safekeeping (R13).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from issuer.rules.deadlines import last_day, safekeeping_ends_on
from issuer.rules.policy import Policy


class DataKind(StrEnum):
    """Kinds of personal data that are kept and erased together."""

    CONTACT = "contact"
    """Telephone, employer, postal address."""
    FILE = "file"
    """What a review rested on: declarations, comparisons, materials, notes, objections, defences, the portrait."""
    IDENTITY = "identity"
    """Name, ID number, date of birth, admission number, scores."""
    PAPER = "paper"
    """Booking and handing out of a paper certificate."""
    REGISTER = "register"
    """Certificates, their corrections and the decisions on them."""


ERASABLE = (DataKind.CONTACT, DataKind.FILE, DataKind.IDENTITY, DataKind.PAPER, DataKind.REGISTER)
"""In the order in which they are told."""


class ErasureReason(StrEnum):
    """Why something is to be erased (PIPL art. 47 ¶1)."""

    PURPOSE_REACHED = "purpose-reached"
    TIME_OVER = "time-over"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    UNLAWFUL = "unlawful"


class KeepReason(StrEnum):
    """Why something is kept."""

    OPEN_CASE = "open-case"
    REVIEW = "review"
    REGISTER = "register"
    MISCONDUCT = "misconduct"
    SAFEKEEPING = "safekeeping"


CLAUSES = {
    KeepReason.REVIEW: "R7",
    KeepReason.REGISTER: "R14",
    KeepReason.MISCONDUCT: "R10",
    KeepReason.SAFEKEEPING: "R13",
}


@dataclass(frozen=True, slots=True)
class SittingFacts:
    """What matters of one registration: the sitting's days and its programme's policy."""

    exam_ended_on: date
    reviews_close_on: date
    policy: Policy


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What matters of one person. `certificate`: an electronic or a paper one was made, whatever became of it."""

    sittings: tuple[SittingFacts, ...]
    certificate: bool
    paper: bool
    misconduct: bool
    open_case: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind is kept until the end of a day (None: for good), and why."""

    kind: DataKind
    until: date | None
    reason: KeepReason

    @property
    def clause(self) -> str | None:
        """The clause of the notice it rests on, if it is one of them."""
        return CLAUSES.get(self.reason)


def what_is_kept(facts: PersonFacts, on: date) -> tuple[Kept, ...]:
    """What may not be erased on a day; a kind that is not in the answer may be."""
    found = (_kept(kind, facts, on) for kind in DataKind)
    return tuple(kept for kept in found if kept is not None)


def erasable(facts: PersonFacts, on: date) -> tuple[DataKind, ...]:
    """The kinds that may be erased on a day, in order."""
    kept = {each.kind for each in what_is_kept(facts, on)}
    return tuple(kind for kind in ERASABLE if kind not in kept)


def _kept(kind: DataKind, facts: PersonFacts, on: date) -> Kept | None:
    if kind is DataKind.REGISTER and (facts.certificate or facts.misconduct):
        return Kept(kind, None, KeepReason.REGISTER)
    if facts.open_case:
        return Kept(kind, None, KeepReason.OPEN_CASE)
    if facts.misconduct and kind is not DataKind.CONTACT:
        return Kept(kind, None, KeepReason.MISCONDUCT)
    if kind is DataKind.IDENTITY and facts.certificate:
        return Kept(kind, None, KeepReason.REGISTER)
    if kind is DataKind.PAPER:
        until = _latest(safekeeping_ends_on(each.exam_ended_on, each.policy) for each in facts.sittings)
        return Kept(kind, until, KeepReason.SAFEKEEPING) if facts.paper and until and on <= until else None
    days = (
        each.policy.keep_contact_days if kind is DataKind.CONTACT else each.policy.keep_file_days
        for each in facts.sittings
    )
    until = _latest(last_day(each.reviews_close_on, n) for each, n in zip(facts.sittings, days, strict=True))
    return Kept(kind, until, KeepReason.REVIEW) if until and on <= until else None


def _latest(days: Iterable[date]) -> date | None:
    return max(days, default=None)
