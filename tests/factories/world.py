"""A whole small world: data folder, keys, staff, one sitting taken through review, certificates on request.

Built once and copied for tests that change it; copies share the keys, and so the data key of the process.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.clock import Clock, SimulatedClock, SystemClock
from issuer.context import Context, open_context
from issuer.initialise import initialise
from issuer.issuance.files import read_file
from issuer.issuance.publish import CREDENTIAL_PURPOSE
from issuer.issuance.service import BatchReport, issue_sitting
from issuer.publication import list_writing
from issuer.records.certificates import ECertificate
from issuer.records.encryption import use_data_key
from issuer.records.people import Registration
from issuer.review import service as review
from issuer.roster.service import define_sitting, import_roster
from issuer.rules.terms import ReviewRound, Role
from issuer.settings import Settings
from keys.public.keyset import KeySet, load_key_set
from tests.factories.candidates import SITTING, Candidate, invent, sitting_toml, write_files
from verifier.check.checker import Checker
from verifier.record.qr import qr_text
from verifier.record.register import SqlRegister

PROPOSER = Actor("wang.issuer", frozenset({Role.AUTHORITY_ISSUER}), "cli")
APPROVER = Actor("li.approver", frozenset({Role.AUTHORITY_APPROVER}), "cli")
AUDITOR = Actor("zhao.auditor", frozenset({Role.AUDITOR}), "cli")


@contextmanager
def lists_outlast_the_day() -> Iterator[None]:
    """Status lists signed meanwhile hold for two days: a world signs at its midnight, and by the machine's clock they
    may be read after the next one."""
    with patch.object(list_writing, "LIFETIME", timedelta(days=2)):
        yield


@dataclass
class World:
    """A data folder and what a test needs to act in it. `clock` stands at 00:00 of the real day in Shanghai."""

    folder: Path
    clock: Clock
    people: tuple[Candidate, ...] = ()
    sitting: str = SITTING
    database_url: str | None = None
    """Both schemas in this database instead of two SQLite files."""

    @classmethod
    def eligible(
        cls, folder: Path, people: int | tuple[Candidate, ...] = 8, database_url: str | None = None
    ) -> "World":
        """Roster in, both rounds over, everybody found eligible, the public notice closed; nothing issued."""
        today = SystemClock().today()
        clock = SimulatedClock.on(today - timedelta(days=60), hour=0)
        candidates = invent(people) if isinstance(people, int) else people
        world = cls(folder, clock, candidates, database_url=database_url)
        initialise(world.settings, clock)
        source = folder.parent / f"{folder.name}-source"
        roster, photos = write_files(source, world.people)
        ctx = world.ctx
        clock.move_to(today - timedelta(days=55), hour=0)
        define_sitting(ctx, PROPOSER, sitting_toml(today))
        import_roster(ctx, PROPOSER, SITTING, file_name=roster.name, content=roster, photos=photos)
        clock.move_to(today - timedelta(days=52), hour=0)
        review.open_notice(ctx, PROPOSER, SITTING)
        clock.move_to(today - timedelta(days=42), hour=0)
        decisions = source / "decisions.csv"
        rows = [f"{person.admission_no},合格" for person in world.people]
        decisions.write_text("\n".join(["准考证号,核查结果", *rows]), encoding="utf-8")
        review.apply_decisions(ctx, PROPOSER, SITTING, ReviewRound.FIRST, content=decisions)
        clock.move_to(today, hour=0)
        return world

    @property
    def settings(self) -> Settings:
        """Settings that point at this folder."""
        return Settings(
            data_dir=self.folder,
            verify_base_url="http://127.0.0.1:8000",
            database_url=self.database_url,
            register_url=self.database_url,
        )

    @cached_property
    def _ctx(self) -> Context:
        return open_context(self.settings, self.clock)

    @property
    def ctx(self) -> Context:
        """The opened context; the process reads this world's personal data from here on."""
        use_data_key(self._ctx.data_key)
        return self._ctx

    def issue(self, workers: int = 1) -> BatchReport:
        """Issue to everybody who may have a certificate."""
        return issue_sitting(self.ctx, PROPOSER, self.sitting, workers)

    def catch_up(self) -> None:
        """Put the clock to the machine's time, which other processes go by: what is signed now they find fresh."""
        self.close()
        self.clock = SimulatedClock(SystemClock().now())

    def copy(self, folder: Path) -> "World":
        """The same world elsewhere, to be changed at will."""
        self.close()
        shutil.copytree(self.folder, folder)
        return World(folder, SimulatedClock(self.clock.now()), self.people, self.sitting)

    def close(self) -> None:
        """Close databases, so that the folder can be copied or served by another process."""
        if "_ctx" in self.__dict__:
            self._ctx.close()
            del self.__dict__["_ctx"]

    @property
    def key_set(self) -> KeySet:
        """The published keys."""
        return load_key_set(self.settings.keys_dir)

    def certificates(self, state: str = "published") -> list[ECertificate]:
        """Certificates in one state, oldest first."""
        with self.ctx.database.read() as session:
            statement = select(ECertificate).where(ECertificate.state == state).order_by(ECertificate.id)
            return list(session.scalars(statement))

    def certificate(self, management_no: str) -> ECertificate:
        """One certificate as it stands now."""
        with self.ctx.database.read() as session:
            return session.scalars(select(ECertificate).where(ECertificate.management_no == management_no)).one()

    def registrations(self) -> list[Registration]:
        """All registrations of the sitting, oldest first."""
        with self.ctx.database.read() as session:
            return list(session.scalars(select(Registration).order_by(Registration.id)))

    def pdf(self, certificate: ECertificate) -> bytes:
        """Its sealed file."""
        return read_file(self.ctx, certificate)

    def credential(self, certificate: ECertificate) -> bytes:
        """The COSE bytes in its QR."""
        return self.ctx.data_key.open(CREDENTIAL_PURPOSE, certificate.credential or b"")

    def qr_text(self, certificate: ECertificate) -> str:
        """What its QR code says."""
        return qr_text(self.settings.verify_base_url, certificate.token, self.credential(certificate))

    def checker(self) -> Checker:
        """The public check over this world's register."""
        keys = self.key_set
        register = SqlRegister(self.settings.register_database)
        origins = (self.settings.verify_base_url,)
        return Checker(register, lambda: keys, self.ctx.lookup_key, self.clock.now, origins)
