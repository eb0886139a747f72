"""What stands in the way of finding somebody eligible, and what such a finding says of the materials (R3)."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import NewEvent
from issuer.clock import Clock
from issuer.errors import ConflictError
from issuer.records.registration import Material
from issuer.refusals import refusal_from
from issuer.registration.dossier import load_dossiers
from issuer.review.sitting import OpenSitting
from issuer.rules.materials import require_complete
from issuer.rules.violation import RuleViolation

LEFT_OPEN = frozenset({"materials-open", "comparison-open"})
"""Codes of these refusals: the candidate goes on waiting, everybody else goes through."""


def silent_gaps(
    session: Session, sitting: OpenSitting, wishes: Sequence[tuple[int, str | None]], on: date
) -> dict[int, ConflictError]:
    """Those of `wishes` (registration, reason code) who may not be found eligible in silence, each with its refusal.

    Costs nothing where the programme compares nothing.
    """
    if not sitting.policy.comparison_items or not wishes:
        return {}
    dossiers = load_dossiers(session, sitting, [number for number, _ in wishes], on)
    refused: dict[int, ConflictError] = {}
    for number, reason in wishes:
        dossier = dossiers.get(number)
        if dossier is None:
            continue
        waiting = len(dossier.waiting) if sitting.policy.uncompared_blocks else 0
        try:
            require_complete(len(dossier.missing), waiting, reason)
        except RuleViolation as violation:
            refused[number] = refusal_from(violation)
    return refused


def accept_given(session: Session, clock: Clock, actor: Actor, ids: Sequence[int]) -> list[NewEvent]:
    """Found eligible on what was handed in: those materials are accepted, and not asked for again (R15).

    Returns the audit events, which the caller records last.
    """
    waiting = select(Material.id, Material.registration_id).where(
        Material.registration_id.in_(ids), Material.state == "given"
    )
    counts: dict[int, int] = {}
    for row in session.execute(waiting.order_by(Material.id).with_for_update()):
        counts[row.registration_id] = counts.get(row.registration_id, 0) + 1
    if not counts:
        return []
    session.execute(
        update(Material)
        .where(Material.registration_id.in_(list(counts)), Material.state == "given")
        .values(state="accepted", decided_by=actor.username, decided_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return [
        NewEvent("material.accept", f"registration:{number}", clause="R3", details={"materials": count})
        for number, count in counts.items()
    ]
