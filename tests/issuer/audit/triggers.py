"""What somebody who holds the database file can do: take the triggers away that keep the audit table."""

from sqlalchemy import Engine, text


def drop_audit_triggers(engine: Engine) -> int:
    """Drop them (SQLite); how many there were."""
    with engine.begin() as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'"
        names = connection.execute(text(query)).scalars().all()
        for name in names:
            connection.execute(text(f"DROP TRIGGER {name}"))
    return len(names)
