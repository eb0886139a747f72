"""The lock that every act on one person's one qualification takes first."""

from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import Table, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from issuer.records.certificates import Holding


def qualification_key(programme_code: str, level: str, specialty: str, sitting_code: str) -> str:
    """One qualification: programme, level, specialty and sitting (reading of R14)."""
    return "|".join((programme_code, level, specialty, sitting_code))


def lock_holding(session: Session, person_id: int, qualification: str) -> Holding:
    """The holding's row, made if missing and locked until the unit of work ends.

    On PostgreSQL by SELECT … FOR UPDATE; on SQLite a write unit of work is alone by BEGIN IMMEDIATE.
    """
    table = cast(Table, Holding.__table__)
    values: dict[str, Any] = {
        "person_id": person_id,
        "qualification": qualification,
        "paper_replacement_open": False,
    }
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    session.execute(insert.values(values).on_conflict_do_nothing())
    statement = (
        select(Holding)
        .where(Holding.person_id == person_id, Holding.qualification == qualification)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).scalar_one()


def lock_holdings(session: Session, keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], Holding]:
    """Many holdings by (person id, qualification): made if missing, locked in one order as `lock_holding` does."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    table = cast(Table, Holding.__table__)
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    rows = [{"person_id": p, "qualification": q, "paper_replacement_open": False} for p, q in wanted]
    session.execute(insert.on_conflict_do_nothing(), rows)
    statement = (
        select(Holding)
        .where(tuple_(Holding.person_id, Holding.qualification).in_(wanted))
        .order_by(Holding.person_id, Holding.qualification)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {(held.person_id, held.qualification): held for held in session.scalars(statement)}
