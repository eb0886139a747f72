"""What a roster says beside the scores: declared facts, and the commitment accepted in the registration system."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.orm import Session

from issuer.records.registration import CommitmentAcceptance, DeclaredFact
from issuer.registration.dossier import fact_of
from issuer.rules.commitment import AcceptanceChannel
from issuer.rules.comparison import FactItem

_FACTS = cast(Table, DeclaredFact.__table__)
_ACCEPTANCES = cast(Table, CommitmentAcceptance.__table__)
RECORDED_BY = "roster"


@dataclass(frozen=True, slots=True)
class Promise:
    """An acceptance as the roster tells it."""

    version: str
    at: datetime
    own: bool


def write_facts(
    session: Session, said: Sequence[tuple[int, Mapping[FactItem, str]]], now: datetime, *, anew: bool = False
) -> None:
    """Keep what registrations declare. An item the list is silent of stays as it was.

    anew: the registrations may have declarations already, which give way.
    """
    rows: list[dict[str, Any]] = [
        {
            "registration_id": registration_id,
            "item": item.value,
            "value": value,
            "fact": fact_of(item, value),
            "declared_at": now,
        }
        for registration_id, facts in said
        for item, value in facts.items()
    ]
    if not rows:
        return
    if anew:
        for row in rows:
            session.execute(
                delete(DeclaredFact).where(
                    DeclaredFact.registration_id == row["registration_id"], DeclaredFact.item == row["item"]
                )
            )
    session.execute(insert(_FACTS), rows)


def write_promises(
    session: Session, said: Sequence[tuple[int, Promise]], now: datetime, *, anew: bool = False
) -> None:
    """Keep acceptances. One given here, online or on paper, is not touched by a list.

    anew: the registrations may have an acceptance already; another one of the list takes its place.
    """
    new = list(said)
    if anew:
        new = [(number, promise) for number, promise in said if _gives_way(session, number, promise, now)]
    if new:
        session.execute(
            insert(_ACCEPTANCES),
            [
                {
                    "registration_id": number,
                    "version": promise.version,
                    "accepted_at": promise.at,
                    "channel": AcceptanceChannel.REGISTRATION.value,
                    "own": promise.own,
                    "recorded_by": RECORDED_BY,
                    "recorded_at": now,
                }
                for number, promise in new
            ],
        )


def declared_digests(session: Session, ids: Iterable[int]) -> dict[int, dict[FactItem, str]]:
    """Registration → item → digest of what was declared."""
    out: dict[int, dict[FactItem, str]] = {}
    rows = session.execute(
        select(DeclaredFact.registration_id, DeclaredFact.item, DeclaredFact.fact).where(
            DeclaredFact.registration_id.in_(list(ids))
        )
    )
    for row in rows:
        out.setdefault(row.registration_id, {})[FactItem(row.item)] = row.fact
    return out


def _gives_way(session: Session, registration_id: int, promise: Promise, now: datetime) -> bool:
    """Whether the list's acceptance is new; the earlier one of a list ends then."""
    latest = session.scalars(
        select(CommitmentAcceptance)
        .where(CommitmentAcceptance.registration_id == registration_id)
        .order_by(CommitmentAcceptance.id.desc())
        .limit(1)
    ).one_or_none()
    if latest is None:
        return True
    if latest.channel != AcceptanceChannel.REGISTRATION or latest.withdrawn_by not in (None, RECORDED_BY):
        return False
    if (latest.version, latest.accepted_at, latest.own) == (promise.version, promise.at, promise.own):
        return False
    session.execute(
        update(CommitmentAcceptance)
        .where(CommitmentAcceptance.id == latest.id, CommitmentAcceptance.withdrawn_at.is_(None))
        .values(withdrawn_at=now, withdrawn_by=RECORDED_BY)
    )
    return True
