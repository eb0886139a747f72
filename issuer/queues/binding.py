"""A claim binds every way a case can be decided: page, spreadsheet, API and command line ask here (R1).

Knows only the claims' rows, so that the services of all kinds of cases can ask it.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.clock import SHANGHAI, Clock
from issuer.errors import ConflictError, Words
from issuer.records.work import CaseClaim
from issuer.rules.queues import CaseKind

_AT_ONCE = 5000


def require_not_held(session: Session, clock: Clock, actor: Actor, kind: CaseKind, case_id: int) -> None:
    """Raise ConflictError case-held while somebody else has the case in hand; it names who, and until when.

    The caller holds the case's own lock, under which it decides.
    """
    refusal = held_by_others(session, clock, actor, kind, (case_id,)).get(case_id)
    if refusal is not None:
        raise refusal


def held_by_others(
    session: Session, clock: Clock, actor: Actor, kind: CaseKind, case_ids: Iterable[int]
) -> dict[int, ConflictError]:
    """The refusal for each of the cases that somebody else has in hand now."""
    if actor.via in ("holder", "system"):
        return {}
    ids, now = list(case_ids), clock.now()
    found: dict[int, ConflictError] = {}
    for start in range(0, len(ids), _AT_ONCE):
        rows = session.execute(
            select(CaseClaim.case_id, CaseClaim.holder, CaseClaim.expires_at).where(
                CaseClaim.kind == kind.value,
                CaseClaim.case_id.in_(ids[start : start + _AT_ONCE]),
                CaseClaim.holder.is_not(None),
                CaseClaim.holder != actor.username,
                CaseClaim.expires_at > now,
            )
        )
        found |= {row.case_id: held(row.holder or "", row.expires_at) for row in rows}
    return found


def end_own_holds(session: Session, actor: Actor, kind: CaseKind, case_ids: Iterable[int]) -> None:
    """What was decided is in nobody's hands any more: the next one of its queue can take it at once."""
    ids = list(case_ids)
    for start in range(0, len(ids), _AT_ONCE):
        session.execute(
            update(CaseClaim)
            .where(
                CaseClaim.kind == kind.value,
                CaseClaim.case_id.in_(ids[start : start + _AT_ONCE]),
                CaseClaim.holder == actor.username,
            )
            .values(holder=None)
        )


def held(holder: str, until: datetime | None) -> ConflictError:
    """The refusal that names who has a case, and until when."""
    when = until.astimezone(SHANGHAI).strftime("%H:%M") if until else ""
    who = holder or "另一人"
    return ConflictError(
        "case-held",
        Words(
            f"{who} 正在办理该事项" + (f"（至 {when}）" if when else "") + "，未作改动。",
            f"{holder or 'Somebody else'} has this case"
            + (f" until {when}" if when else "")
            + "; nothing was changed.",
        ),
        remedy=Words("请办理下一件，或由监督人员接管。", "Take the next one, or ask a supervisor to take it over."),
    )
