"""Bring a database to the shape this program needs; run by `ecert init` and at start when it is behind."""

import re
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from issuer.errors import UnavailableError, Words

Side = Literal["issuer", "public_record"]
SIDES: tuple[Side, ...] = ("issuer", "public_record")

FOLDER = Path(__file__).parent
_LOCK = 7_234_001  # an advisory lock of our own, so that two servers starting together migrate once


def newest(side: Side) -> str:
    """The newest revision of a side, read from file names, so that a start need not load Alembic."""
    names = (re.match(r"(\d{4})_\w+\.py$", path.name) for path in (FOLDER / side).iterdir())
    return max(found[1] for found in names if found)


def current(engine: Engine, side: Side) -> str | None:
    """The revision a database stands at, or None when it has never been migrated.

    Raises UnavailableError when the server does not answer or the file is no database.
    """
    try:
        return _revision(engine, side)
    except DatabaseError as exc:
        raise UnavailableError(
            "database-unreachable",
            Words("数据库无法打开，未作任何改动。", "The database cannot be opened; nothing was changed."),
            remedy=Words(
                "检查数据库服务与 ECERT_DATABASE_URL；文件损坏时从备份恢复：ecert restore",
                "Check the server and ECERT_DATABASE_URL; restore a damaged file from a backup: ecert restore",
            ),
        ) from exc


def _revision(engine: Engine, side: Side) -> str | None:
    schema = _schema(engine, side)
    with engine.connect().execution_options(ecert_read_only=True) as connection:
        if not inspect(connection).has_table("alembic_version", schema=schema):
            return None
        place = "alembic_version" if schema is None else f"{schema}.alembic_version"
        found = connection.execute(text(f"SELECT version_num FROM {place}")).scalar()  # noqa: S608 (fixed names) # nosec B608
        return None if found is None else str(found)


def migrate(engine: Engine, side: Side) -> bool:
    """Run the revisions that are missing, in one transaction; returns whether there were any.

    Raises UnavailableError when the database is newer than this program.
    """
    at, head = current(engine, side), newest(side)
    if at == head:
        return False
    if at is not None and at > head:
        raise UnavailableError(
            "database-too-new",
            Words(
                "数据库比本程序新，未作任何改动。", "The database is newer than this program; nothing was changed."
            ),
            remedy=Words("请使用更新版本的程序。", "Use the newer version of the program."),
        )
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {side}"))
        _upgrade(connection, side)
    return True


def grant_reading(engine: Engine, role: str) -> None:
    """On PostgreSQL: let `role` (the verifier's) SELECT the schema public_record, and nothing else.

    The role must exist; making it (with its password) is the database owner's act. Nothing happens on SQLite.
    """
    if engine.dialect.name != "postgresql":
        return
    name = engine.dialect.identifier_preparer.quote_identifier(role)
    with engine.begin() as connection:
        for statement in (
            "REVOKE ALL ON SCHEMA public_record FROM PUBLIC",
            f"REVOKE ALL ON ALL TABLES IN SCHEMA public_record FROM {name}",
            f"GRANT USAGE ON SCHEMA public_record TO {name}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public_record TO {name}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public_record GRANT SELECT ON TABLES TO {name}",
        ):
            connection.execute(text(statement))
        if inspect(connection).has_schema("issuer"):
            connection.execute(text("REVOKE ALL ON SCHEMA issuer FROM PUBLIC"))
            connection.execute(text(f"REVOKE ALL ON SCHEMA issuer FROM {name}"))


def migrate_to(connection: Connection, side: Side, revision: str) -> None:
    """Make an empty schema as a revision left it, in the caller's transaction (restoring a backup).

    Raises UnavailableError when the revision is newer than this program.
    """
    if revision > newest(side):
        raise UnavailableError(
            "backup-too-new",
            Words(
                "备份来自更新的程序，未作任何改动。", "The backup was made by a newer program; nothing was changed."
            ),
            remedy=Words("请使用更新版本的程序。", "Use the newer version of the program."),
        )
    _upgrade(connection, side, revision)


def _upgrade(connection: Connection, side: Side, revision: str = "head") -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(FOLDER / side).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["side"] = side
    command.upgrade(config, revision)


def _schema(engine: Engine, side: Side) -> str | None:
    return side if engine.dialect.name == "postgresql" else None
