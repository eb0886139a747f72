"""What the hostile runs shoot at and with: a published world, its files, QR texts and status lists.

One folder is built once and opened by every process; the attacker also has an authority of his own with our names.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from issuer.clock import SimulatedClock
from issuer.sealing.room import SealingRoom, first_ceremony, open_sealing_room
from issuer.settings import Settings
from keys.public.keyset import KeySet
from tests.factories.world import World
from verifier.check.checker import Checker
from verifier.check.document import inspect_document
from verifier.check.findings import DocumentFindings
from verifier.record.register import SqlRegister
from verifier.record.status_list import verify_status_list
from verifier.record.verdict import Verdict


@dataclass
class Arsenal:
    """The world at `folder`; `clock` stands where it stood when the world was built."""

    folder: Path
    world: World
    _seen: DocumentFindings | None = None

    @classmethod
    def build(cls, folder: Path, people: int = 8) -> "Arsenal":
        """A new world of `people` published certificates and a foreign authority beside it."""
        world = World.eligible(folder / "data", people)
        world.issue()
        first_ceremony(Settings(data_dir=folder / "foreign"), world.clock.now() - timedelta(days=1))
        (folder / "instant").write_text(world.clock.now().isoformat(), encoding="utf-8")
        return cls(folder, world)

    @classmethod
    def open(cls, folder: Path) -> "Arsenal":
        """The same in another process."""
        instant = datetime.fromisoformat((folder / "instant").read_text(encoding="utf-8"))
        return cls(folder, World(folder / "data", SimulatedClock(instant)))

    def assert_genuine_is_valid(self) -> None:
        """A run against a check that refuses everything would prove nothing."""
        now = self.world.clock.now()
        assert all(self.checker.check_pdf(pdf).verdict is Verdict.VALID for pdf in self.pdfs)
        assert all(self.checker.check_qr(text).verdict is Verdict.VALID for text in self.qr_texts)
        assert all(verify_status_list(token, self.world.key_set, list_id="1", now=now) for token in self.lists)

    @cached_property
    def pdfs(self) -> list[bytes]:
        """The sealed files."""
        return [self.world.pdf(certificate) for certificate in self.world.certificates()]

    @cached_property
    def qr_texts(self) -> list[str]:
        """The texts of the QR codes, in the order of the files."""
        return [self.world.qr_text(certificate) for certificate in self.world.certificates()]

    @cached_property
    def lists(self) -> tuple[bytes, bytes]:
        """The first status list as JWT and as CWT."""
        stored = SqlRegister(self.world.settings.register_database).status_list("1")
        assert stored is not None
        return stored.token_jwt, stored.token_cwt

    @cached_property
    def checker(self) -> Checker:
        """The public check."""
        world, keys = self.world, self.world.key_set
        register = SqlRegister(world.settings.register_database)
        origins = (world.settings.verify_base_url,)
        return Checker(register, lambda: keys, world.ctx.lookup_key, world.clock.now, origins, inspect=self._inspect)

    def believes(self, pdf: bytes) -> bool:
        """Whether the whole check, or the ten steps without any register, takes `pdf` for a sound certificate."""
        return self.checker.check_pdf(pdf).verdict is Verdict.VALID or (self._seen is not None and self._seen.ok)

    def _inspect(
        self, pdf: bytes, key_set: KeySet, *, now: datetime, known_since: datetime | None = None
    ) -> DocumentFindings:
        self._seen = inspect_document(pdf, key_set, now=now, known_since=known_since)
        return self._seen

    @cached_property
    def foreign(self) -> SealingRoom:
        """The attacker's own authority, certificates named as ours are."""
        return open_sealing_room(Settings(data_dir=self.folder / "foreign"), self.world.clock)
