"""A real database, real storage and a sitting, for tests of the roster slice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select, text

import issuer.records.access
import issuer.records.ledger
import issuer.records.paper
import issuer.records.reviews  # noqa: F401 - every table must be known before create_all
from issuer.access.actor import SYSTEM
from issuer.clock import SimulatedClock
from issuer.records.base import Base
from issuer.records.database import Database, make_engine
from issuer.records.encryption import DataKey, use_data_key
from issuer.records.people import Registration
from issuer.records.storage import Storage
from issuer.roster.report import RosterReport
from issuer.roster.service import define_sitting, import_roster
from issuer.settings import Settings
from tests.factories.roster_files import SITTING, SITTING_TOML

DATA_KEY = DataKey(bytes(range(32)))


@dataclass
class RosterWorld:
    """What the roster services need, and a few questions tests ask."""

    folder: Path
    database: Database
    clock: SimulatedClock
    storage: Storage
    settings: Settings
    data_key: DataKey = DATA_KEY

    def publish(self) -> None:
        """An import publishes nothing."""
        raise AssertionError("an import must not publish")

    def take(self, content: Path, photos: Path | None = None, *, dry_run: bool = False) -> RosterReport:
        """Import a file into the sitting."""
        return import_roster(
            self, SYSTEM, SITTING, file_name=content.name, content=content, photos=photos, dry_run=dry_run
        )

    def snapshot(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table, to tell whether anything changed."""
        with self.database.read() as session:
            return {
                table.name: sorted(map(tuple, session.execute(text(f'SELECT * FROM "{table.name}"'))), key=repr)
                for table in Base.metadata.sorted_tables
            }

    def registrations(self) -> dict[str, Registration]:
        """Registrations by admission number."""
        with self.database.read() as session:
            rows = session.scalars(select(Registration)).all()
            session.expunge_all()
        return {row.admission_no: row for row in rows}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RosterWorld]:
    """A world with the factory's sitting defined, the day after score release."""
    use_data_key(DATA_KEY)
    engine = make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}")
    Base.metadata.create_all(engine)
    made = RosterWorld(
        folder=tmp_path,
        database=Database(engine),
        clock=SimulatedClock.on(date(2025, 8, 21)),
        storage=Storage.in_folder(tmp_path / "files"),
        settings=Settings(data_dir=tmp_path),
    )
    define_sitting(made, SYSTEM, SITTING_TOML.encode())
    yield made
    engine.dispose()


def codes(report: RosterReport, level: str = "error") -> dict[int, set[str]]:
    """Row → codes of its findings of one level."""
    out: dict[int, set[str]] = {}
    for finding in report.findings:
        if finding.level == level:
            out.setdefault(finding.row, set()).add(finding.code)
    return out
