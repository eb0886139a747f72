"""Composition root of the private side: what every service is handed."""

import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, make_url

from issuer.clock import Clock, SystemClock
from issuer.errors import UnavailableError, Words
from issuer.migrations.runner import grant_reading, migrate
from issuer.records.database import Database, make_engine
from issuer.records.encryption import DataKey, use_data_key
from issuer.records.storage import Storage
from issuer.settings import Settings

if TYPE_CHECKING:
    from issuer.audit_place import SecondPlace
    from issuer.jobs.port import Jobs
    from issuer.long_work import LongWorks
    from issuer.publication.relay import Relay
    from issuer.sealing.room import SealingRoom


@dataclass
class Context:
    """Settings, clock, databases, files and keys of one running program. Made by `open_context`.

    `lookup_key` is what numbers and names are digested with for the public record; the data key of the
    encrypted columns is `data_key`. Private keys are opened on the first call of `room` and not before.
    """

    settings: Settings
    clock: Clock
    database: Database
    register_engine: Engine
    storage: Storage
    data_key: DataKey
    lookup_key: bytes
    _room: "SealingRoom | None" = None
    second_place: "SecondPlace | None" = None
    """Where heads of the audit trail are compared and put; None where the setting is unset."""
    _opening: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def relay(self) -> "Relay":
        """Carries committed events to the public record."""
        from issuer.publication.fork_guard import MEMORY_FILE
        from issuer.publication.relay import Relay
        from issuer.publication.witnesses import read_witnesses

        return Relay(
            self.database,
            self.register_engine,
            self.room,
            self.clock,
            base_url=self.settings.verify_base_url,
            memory=self.settings.log_memory or self.settings.data_dir / MEMORY_FILE,
            witnesses=read_witnesses(self.settings.witnesses),
        )

    def room(self) -> "SealingRoom":
        """The private keys, opened once per program; raises what `open_sealing_room` raises."""
        with self._opening:
            if self._room is None:
                from issuer.sealing.room import open_sealing_room

                self._room = open_sealing_room(self.settings, self.clock)
            return self._room

    def publish(self) -> None:
        """Bring the public record up to date with everything committed so far; all paths show it at once."""
        self.relay.flush()

    def at(self, clock: Clock) -> "Context":
        """The same program with another clock (the demo plays a sitting's months)."""
        return Context(
            self.settings,
            clock,
            self.database,
            self.register_engine,
            self.storage,
            self.data_key,
            self.lookup_key,
            second_place=self.second_place,
        )

    @cached_property
    def works(self) -> "LongWorks":
        """Reckoning that takes longer than a page may; this process's own."""
        from issuer.long_work import LongWorks

        return LongWorks()

    @cached_property
    def jobs(self) -> "Jobs":
        """Work that goes on in the background: of this process, or of the workers (`Settings.jobs_engine`)."""
        if self.settings.jobs_engine == "workers":
            from issuer.jobs.distributed import DistributedJobs

            return DistributedJobs(self)
        from issuer.jobs.embedded import EmbeddedJobs

        return EmbeddedJobs(self)

    def close(self) -> None:
        """Finish background work, let go of database connections."""
        if "works" in self.__dict__:
            self.works.close()
        if "jobs" in self.__dict__:
            self.jobs.close()
        self.database.engine.dispose()
        self.register_engine.dispose()


def open_storage(settings: Settings) -> Storage:
    """Where files are kept: `ECERT_STORAGE_URL`, or the folder `files` under DATA_DIR."""
    if settings.storage_url:
        return Storage.at(settings.storage_url)
    return Storage.in_folder(settings.data_dir / "files")


def open_context(settings: Settings, clock: Clock | None = None) -> Context:
    """Open an initialised data folder, migrating its databases when they are behind.

    Raises UnavailableError when the folder was never initialised, is half-made, or lacks its keys or a database.
    """
    key, lookup_key = _data_keys(settings), _secret(settings, "lookup.key")
    for url in (settings.issuer_database, settings.register_database):
        _refuse_lost_database(url)
    use_data_key(key)
    clock = clock or SystemClock()
    from issuer.personal_data.ring import apply_use, follow

    issuer_engine, register_engine = make_engine(settings.issuer_database), make_engine(settings.register_database)
    migrate_both(settings, issuer_engine, register_engine)
    database = Database(issuer_engine)
    with database.read() as session:
        apply_use(session.connection(), key)
    database.at_start = follow(key)
    place = None
    if settings.audit_second_place:
        from issuer.audit_place import SecondPlace

        place = SecondPlace(settings, database, clock)
        database.require_writable = place.require_writable
    return Context(
        settings=settings,
        clock=clock,
        database=database,
        register_engine=register_engine,
        storage=open_storage(settings),
        data_key=key,
        lookup_key=lookup_key,
        second_place=place,
    )


def migrate_both(settings: Settings, issuer_engine: Engine, register_engine: Engine) -> None:
    """Run missing revisions on both schemas; on PostgreSQL let the verifier's role read the public one."""
    migrate(issuer_engine, "issuer")
    changed = migrate(register_engine, "public_record")
    if changed and settings.verifier_role:
        grant_reading(register_engine, settings.verifier_role)


def _refuse_lost_database(url: str) -> None:
    # SQLite makes a missing file anew: an empty database would give used numbers out again, and an empty public
    # record would say "no such certificate" of every good one. So a lost file is named before it is opened.
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return
    path = Path(parsed.database or "")
    if not path.exists():
        raise UnavailableError(
            "database-missing",
            Words(
                f"缺少数据库文件 {path.name}，未作任何改动。",
                f"The database file {path.name} is missing; nothing was changed.",
            ),
            remedy=Words(
                "把该文件放回原处，或用 `ecert restore` 从备份恢复；不要另建空库。",
                "Put it back, or restore a backup with `ecert restore`; an empty one in its place would do harm.",
            ),
        )


def _data_keys(settings: Settings) -> DataKey:
    from issuer.personal_data.ring import key_missing, load_ring, read_keys

    try:
        if read_keys(settings.keys_dir):
            return load_ring(settings.keys_dir)
    except (OSError, ValueError) as exc:
        raise key_missing("data.key") from exc
    return DataKey(_secret(settings, "data.key"))  # says which file is missing


def _secret(settings: Settings, name: str) -> bytes:
    from issuer.marker import MARKER

    if not (settings.data_dir / MARKER).exists():
        raise UnavailableError(
            "not-initialised",
            Words("数据目录尚未初始化。", "The data folder has not been initialised."),
            remedy=Words(
                "先运行 `ecert init`，或用 --data-dir 指明已有的数据目录。",
                "Run `ecert init` first, or point --data-dir at an existing one.",
            ),
        )
    try:
        secret = (settings.keys_dir / name).read_bytes()
    except OSError:
        secret = b""
    if len(secret) != 32:
        from issuer.personal_data.ring import key_missing

        raise key_missing(name)
    return secret
