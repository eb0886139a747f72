"""What issuing a sitting would do, worked out without doing it, and a digest that holds the plan to its day."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from issuer.clock import Clock
from issuer.issuance.facts import Case, Examination, candidates, load_cases, load_examination
from issuer.issuance.numbers import require_numberable
from issuer.issuance.preflight import page_obstacle
from issuer.rules.violation import RuleViolation

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Refused:
    """One registration that gets no certificate now, and why. No personal data."""

    registration: int
    code: str
    clause: str | None

    def to_json(self) -> dict[str, Any]:
        """As reports write it."""
        return {"registration": self.registration, "code": self.code, "clause": self.clause}


@dataclass(frozen=True, slots=True)
class IssuePlan:
    """`new`: registrations to be issued; `resumed`: begun earlier and not published; `done`: published already."""

    sitting: str
    new: tuple[int, ...]
    resumed: tuple[int, ...]
    done: tuple[int, ...]
    refused: tuple[Refused, ...]
    digest: str = field(default="")

    def to_json(self) -> dict[str, Any]:
        """As --plan prints it."""
        return {
            "sitting": self.sitting,
            "new": len(self.new),
            "resumed": len(self.resumed),
            "already_published": len(self.done),
            "refused": [refused.to_json() for refused in self.refused],
            "digest": self.digest,
        }


def plan_issue(
    session: Session,
    clock: Clock,
    sitting_code: str,
    base_url: str,
    *,
    only: Collection[int] | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> IssuePlan:
    """The plan as things stand now, for all registrations or `only` some; raises NotFoundError. Writes nothing.

    `tell` is called with how many people are looked at, of how many.
    """
    examination = load_examination(session, sitting_code)
    new: list[int] = []
    resumed: list[int] = []
    done: list[int] = []
    refused: list[Refused] = []
    facts = hashlib.sha256(f"{sitting_code}\0{clock.today()}".encode())
    asked = candidates(session, sitting_code)
    if only is not None:
        asked = [number for number in asked if number in only]
    seen = 0
    for chunk in chunks(asked, CHUNK):
        for case in load_cases(session, examination, chunk):
            place, code, clause = _sort(case, examination, clock, base_url)
            number = case.registration.id
            if place == "refused":
                refused.append(Refused(number, code, clause))
            else:
                {"new": new, "resumed": resumed, "done": done}[place].append(number)
            facts.update(json.dumps([number, place, code, case.review_version]).encode())
        if tell is not None:
            tell(min(len(asked), seen := seen + len(chunk)), len(asked))
    return IssuePlan(sitting_code, tuple(new), tuple(resumed), tuple(done), tuple(refused), facts.hexdigest()[:16])


def refusal_of(case: Case, examination: Examination, clock: Clock, base_url: str) -> Refused | None:
    """Why this case gets no new certificate today, or None: the law, a number, the page."""
    number = case.registration.id
    try:
        case.require_issuable(examination, clock.today())
        require_numberable(examination, case)
    except RuleViolation as violation:
        return Refused(number, violation.code, violation.clause)
    obstacle = page_obstacle(examination, case, base_url, case.registration.name)
    return Refused(number, obstacle, None) if obstacle else None


def chunks(items: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    """`items` in runs of at most `size`."""
    return (items[at : at + size] for at in range(0, len(items), size))


def _sort(case: Case, examination: Examination, clock: Clock, base_url: str) -> tuple[str, str, str | None]:
    certificate = case.open_certificate
    if certificate is not None and certificate.slot == "live":
        return "done", "published", None
    if certificate is not None and certificate.registration_id == case.registration.id:
        return "resumed", "begun", None
    refusal = refusal_of(case, examination, clock, base_url)
    if refusal is not None:
        return "refused", refusal.code, refusal.clause
    return "new", "issuable", None
