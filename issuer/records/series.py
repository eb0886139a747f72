"""Serial numbers of documents: one series for each kind and year, without gaps or doubles."""

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from issuer.records.sittings import NumberSeries


def next_serial(session: Session, series: str) -> int:
    """The next serial of a series, from 1; its row stays locked until the unit of work ends."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(NumberSeries).values(series=series, next_serial=1).on_conflict_do_nothing())
    row = session.get_one(NumberSeries, series, with_for_update=True, populate_existing=True)
    serial = row.next_serial
    row.next_serial += 1
    return serial
