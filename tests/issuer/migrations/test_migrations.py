"""The migrated schema is the declared schema, on both databases; the verifier's role may read and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import ProgrammingError

import issuer.records.access
import issuer.records.announcements
import issuer.records.copies
import issuer.records.corrections
import issuer.records.hearings
import issuer.records.holder_requests
import issuer.records.large_acts
import issuer.records.ledger
import issuer.records.misconduct
import issuer.records.paper
import issuer.records.paper_keeping
import issuer.records.paper_post
import issuer.records.personal_data
import issuer.records.registration
import issuer.records.reviews
import issuer.records.watching
import issuer.records.work  # noqa: F401 (each adds its tables)
from issuer.errors import UnavailableError
from issuer.migrations.runner import FOLDER, SIDES, Side, current, grant_reading, migrate, newest
from issuer.records.base import Base
from issuer.records.database import make_engine
from tests.services.postgres import postgres_url  # noqa: F401 (a fixture)
from verifier.record.tables import metadata as public_metadata

METADATA = {"issuer": Base.metadata, "public_record": public_metadata}


def plain(index: Any) -> str:
    """An index as text; its condition comes as an object."""
    options = {key: str(value) for key, value in index.get("dialect_options", {}).items()}
    return str({**index, "dialect_options": options})


def shape(engine: Engine, schema: str | None) -> dict[str, Any]:
    """Everything an inspector sees of a schema, in an order that does not depend on how it was made."""
    inspector = inspect(engine)
    tables: dict[str, Any] = {}
    for table in inspector.get_table_names(schema=schema):
        if table == "alembic_version":
            continue
        tables[table] = {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column.get("autoincrement"))
                for column in inspector.get_columns(table, schema=schema)
            },
            "key": inspector.get_pk_constraint(table, schema=schema),
            "foreign": sorted(map(str, inspector.get_foreign_keys(table, schema=schema))),
            "unique": sorted(map(str, inspector.get_unique_constraints(table, schema=schema))),
            "indexes": sorted(plain(index) for index in inspector.get_indexes(table, schema=schema)),
            "checks": sorted(map(str, inspector.get_check_constraints(table, schema=schema))),
        }
    return tables


def indexes_on_expressions(engine: Engine) -> list[str]:
    """What the inspector passes over on SQLite."""
    with engine.connect() as connection:
        found = connection.execute(text("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%(%(%'"))
        return sorted(" ".join(str(statement).split()) for (statement,) in found)


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.parametrize("side", SIDES)
def test_on_sqlite_the_migrated_schema_is_the_declared_one(tmp_path: Path, side: Side) -> None:
    migrated = make_engine(f"sqlite:///{tmp_path / 'migrated.sqlite3'}")
    declared = make_engine(f"sqlite:///{tmp_path / 'declared.sqlite3'}")
    assert migrate(migrated, side)
    METADATA[side].create_all(declared)
    assert shape(migrated, None) == shape(declared, None)
    assert indexes_on_expressions(migrated) == indexes_on_expressions(declared)
    assert current(migrated, side) == newest(side)
    assert not migrate(migrated, side), "a second time there is nothing to do"


@pytest.mark.parametrize("side", SIDES)
def test_on_postgresql_the_migrated_schema_is_the_declared_one(postgres_url: str, side: Side) -> None:  # noqa: F811
    migrated = make_engine(postgres_url)
    assert migrate(migrated, side)
    found = shape(migrated, side)
    with migrated.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {side} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {side}"))
    METADATA[side].create_all(migrated)
    assert found == shape(migrated, side)
    migrated.dispose()


@pytest.mark.parametrize("side", SIDES)
def test_the_newest_revision_is_alembic_s_head(side: Side) -> None:
    scripts = ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER / side)])
    assert scripts.get_heads() == [newest(side)]


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    migrate(engine, "issuer")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UnavailableError, match="newer"):
        migrate(engine, "issuer")


def test_the_verifier_s_role_may_only_read_the_public_record(postgres_url: str) -> None:  # noqa: F811
    owner = make_engine(postgres_url)
    role = "verifier_of_" + postgres_url.rpartition("/")[2]
    with owner.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
    for side in SIDES:
        migrate(owner, side)
    grant_reading(owner, role)
    reader = create_engine(postgres_url.replace("postgres@", f"{role}@"))
    with reader.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM public_record.certificates")).scalar() == 0
    for statement in (
        "DELETE FROM public_record.certificates",
        "UPDATE public_record.certificates SET status = 'valid'",
        "INSERT INTO public_record.files VALUES ('a', 'b', 'original', NULL)",
        "CREATE TABLE public_record.mine (a int)",
        "SELECT count(*) FROM issuer.persons",
    ):
        with reader.connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text(statement))
    reader.dispose()
    with owner.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {role}"))
        connection.execute(text(f"DROP ROLE {role}"))
    owner.dispose()
