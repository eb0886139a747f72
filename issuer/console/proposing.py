"""The form that proposes an invalidation, the same for a certificate and for a registration (R9, R10)."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Depends, Form

from issuer.console.session import Visit
from issuer.errors import InputError, Words
from issuer.invalidation import service
from issuer.invalidation.overview import require_plan

Basis = Annotated[str, Form(max_length=4000)]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the form said. digest: of the plan that was shown; effective_on: YYYY-MM-DD, empty for today."""

    ground: str
    basis: str
    digest: str
    effective_on: str
    from_beginning: bool
    misconduct_term: str
    suspend: bool


def _proposal(
    ground: Annotated[str, Form(max_length=40)],
    basis: Basis,
    digest: Annotated[str, Form(max_length=64)],
    effective_on: Annotated[str, Form(max_length=10)] = "",
    from_beginning: Annotated[bool, Form()] = False,
    misconduct_term: Annotated[str, Form(max_length=16)] = "",
    suspend: Annotated[bool, Form()] = False,
) -> Proposal:
    return Proposal(ground, basis, digest, effective_on, from_beginning, misconduct_term, suspend)


Proposed = Annotated[Proposal, Depends(_proposal)]


def propose(visit: Visit, about: str | int, proposed: Proposal) -> int:
    """Propose what was shown, about a management number or a registration; the case's number.

    Raises DomainError: a day that is none, a plan that has moved since, and what `service.propose` raises.
    """
    day = _day_of(proposed.effective_on)
    require_plan(visit.ctx, visit.actor, about, proposed.ground, proposed.digest)
    return service.propose(
        visit.ctx,
        visit.actor,
        about,
        proposed.ground,
        proposed.basis,
        day,
        proposed.from_beginning,
        proposed.suspend,
        proposed.misconduct_term or None,
    )


def _day_of(text: str) -> date | None:
    """The day a form's date field holds, None when it is empty; raises InputError."""
    try:
        return date.fromisoformat(text) if text.strip() else None
    except ValueError as exc:
        raise InputError("day-unusable", Words("日期应如 2026-01-31。", "A day is written 2026-01-31.")) from exc
