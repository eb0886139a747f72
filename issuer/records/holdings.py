"""The lock that every act on one person's one qualification takes first."""

from typing import Any, cast

from sqlalchemy import Table, select
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
