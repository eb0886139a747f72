"""Units of work joined into one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from issuer.records.base import Base
from issuer.records.database import Database, after_commit, make_engine
from issuer.records.sittings import NumberSeries


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(make_engine(f"sqlite:///{tmp_path / 't.sqlite3'}"))
    Base.metadata.create_all(database.engine, tables=[NumberSeries.__table__])  # type: ignore[list-item]
    yield database
    database.engine.dispose()


def _series(database: Database) -> list[str]:
    """What is committed."""
    with database.committed() as session:
        return sorted(session.scalars(select(NumberSeries.series)))


def _add(database: Database, name: str, *, fail: bool = False) -> None:
    with database.write() as session:
        session.add(NumberSeries(series=name, next_serial=1))
        session.flush()
        if fail:
            raise LookupError(name)


def test_units_inside_are_committed_with_the_outer_one(database: Database) -> None:
    with database.together():
        _add(database, "a")
        assert _series(database) == [], "nothing is visible before the outer commit"
    assert _series(database) == ["a"]


def test_units_inside_fall_with_the_outer_one(database: Database) -> None:
    with pytest.raises(LookupError), database.together():
        _add(database, "a")
        raise LookupError
    assert _series(database) == []


def test_a_failed_unit_inside_is_undone_alone(database: Database) -> None:
    with database.together():
        _add(database, "a")
        with pytest.raises(LookupError):
            _add(database, "b", fail=True)
        _add(database, "c")
    assert _series(database) == ["a", "c"]


def test_after_commit_waits_for_the_outer_commit(database: Database) -> None:
    seen: list[list[str]] = []
    with database.together():
        with database.write() as session:
            session.add(NumberSeries(series="a", next_serial=1))
            after_commit(session, lambda: seen.append(_series(database)))
        assert seen == []
    assert seen == [["a"]]


def test_a_read_inside_sees_what_the_outer_unit_has_written(database: Database) -> None:
    with database.together() as outer:
        outer.add(NumberSeries(series="a", next_serial=1))
        with database.read() as session:
            assert session.scalars(select(NumberSeries.series)).all() == ["a"], "also what was not sent yet"
        _add(database, "b")
        with database.read() as session:
            assert len(session.scalars(select(NumberSeries)).all()) == 2
            _add(database, "c")  # a unit of work while the reading session is open
        assert _series(database) == []
    assert _series(database) == ["a", "b", "c"]


def test_a_read_inside_that_fails_leaves_the_outer_unit_whole(database: Database) -> None:
    with database.together():
        _add(database, "a")
        with pytest.raises(LookupError), database.read() as session:
            session.scalars(select(NumberSeries)).all()
            raise LookupError
        _add(database, "b")
    assert _series(database) == ["a", "b"]


def test_a_read_inside_refuses_to_write(database: Database) -> None:
    with database.together():
        _add(database, "a")
        with database.read() as session:
            with pytest.raises(RuntimeError):
                session.execute(update(NumberSeries).values(next_serial=9))
            session.add(NumberSeries(series="b", next_serial=1))
            with pytest.raises(RuntimeError):
                session.flush()
    assert _series(database) == ["a"]
