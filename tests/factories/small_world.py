"""The smallest world the services can act in: a database, a clock, people, sittings; no keys, no pages."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import CreateSchema

import issuer.records.access
import issuer.records.announcements
import issuer.records.hearings
import issuer.records.ledger
import issuer.records.misconduct
import issuer.records.paper
import issuer.records.paper_keeping
import issuer.records.paper_post
import issuer.records.reviews  # noqa: F401 - every table must be known before create_all
from issuer.access.actor import Actor
from issuer.clock import SHANGHAI, Clock, SimulatedClock
from issuer.records.base import SCHEMA, Base
from issuer.records.certificates import ECertificate, StatusEvent
from issuer.records.database import Database
from issuer.records.encryption import DataKey, use_data_key
from issuer.records.holdings import lock_holding, qualification_key
from issuer.records.people import Person, Registration, Score
from issuer.records.reviews import EligibilityReview
from issuer.records.sittings import Programme, Sitting
from issuer.rules.terms import Medium, ReviewOutcome, ReviewRound, Role
from issuer.sealing.room import SealingRoom, first_ceremony, open_sealing_room
from issuer.settings import Settings
from verifier.record.qr import new_token

RESULT_DAY = date(2025, 9, 1)
DATA_KEY = DataKey(bytes(range(32)))


@dataclass
class SmallContext:
    """A `issuer.ports.ServiceContext` whose `publish` counts its calls and runs what the test gives it."""

    database: Database
    clock: Clock
    settings: Settings
    data_key: DataKey = DATA_KEY
    published: int = 0
    on_publish: Callable[[], None] | None = None

    def room(self) -> SealingRoom:
        """Real keys of this folder's own, from a ceremony held when they are first asked for."""
        if not (self.settings.keys_dir / "public").exists():
            first_ceremony(self.settings, self.clock.now())
        return open_sealing_room(self.settings, self.clock)

    def publish(self) -> None:
        """Count, then do what the test asked for."""
        self.published += 1
        if self.on_publish is not None:
            self.on_publish()


PATIENCE_SECONDS = 600
"""For a connection or a lock."""


def small_context(engine: Engine, folder: Path, *, today: date = date(2025, 9, 10)) -> SmallContext:
    """A context over a fresh schema on `engine`, with time to wait: dozens race on it, also on a slow machine."""
    use_data_key(DATA_KEY)
    if isinstance(engine.pool, QueuePool):
        engine.pool._timeout = PATIENCE_SECONDS
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda raw, _: raw.execute(f"PRAGMA busy_timeout={PATIENCE_SECONDS * 1000}"))
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
    Base.metadata.create_all(engine)
    return SmallContext(Database(engine), SimulatedClock.on(today), Settings(data_dir=folder))


def staff(
    username: str, *roles: Role, programmes: frozenset[str] = frozenset(), cities: frozenset[str] = frozenset()
) -> Actor:
    """An acting member of staff."""
    return Actor(username, frozenset(roles), "cli", programmes, cities)


@dataclass
class SmallWorld:
    """Puts rows where the services expect them."""

    context: SmallContext
    programme: str = "EJJZ"
    sitting: str = "EJJZ-2025-1"
    _people: int = field(default=0)

    def build(self, *, medium: Medium = Medium.ELECTRONIC) -> "SmallWorld":
        """One programme and one sitting whose results came out on RESULT_DAY."""
        with self.context.database.write() as session:
            session.add(
                Programme(
                    code=self.programme,
                    name="二级建造师",
                    level="二级",
                    medium=medium,
                    review_body="示例省建设执业资格注册中心",
                    authority="示例省人力资源和社会保障厅",
                    management_no_pattern="{year}{serial:06}",
                    policy={},
                )
            )
            session.flush()
            session.add(
                Sitting(
                    code=self.sitting,
                    programme_code=self.programme,
                    exam_ended_on=date(2025, 6, 15),
                    results_released_on=RESULT_DAY,
                    notice_opens_on=date(2025, 9, 2),
                    notice_closes_on=date(2025, 9, 12),
                    review_report_due_on=date(2025, 9, 16),
                    supplementary_closes_on=date(2025, 11, 1),
                    approved_on=date(2025, 9, 30),
                    specialties=["建筑工程"],
                    pass_marks={"施工管理": 60},
                )
            )
        return self

    def register(
        self,
        count: int,
        *,
        round: ReviewRound = ReviewRound.FIRST,
        outcome: ReviewOutcome = ReviewOutcome.AWAITING,
        city: str = "示例市",
    ) -> list[int]:
        """`count` people with a registration, one score and a review each; their registration ids."""
        at = datetime(2025, 9, 1, 1, tzinfo=UTC)
        ids: list[int] = []
        with self.context.database.write() as session:
            for _ in range(count):
                self._people += 1
                ids.append(self._one(session, self._people, at, city))
                session.add(
                    EligibilityReview(
                        registration_id=ids[-1],
                        sitting_code=self.sitting,
                        round=round,
                        outcome=outcome,
                        version=0,
                        changed_at=at,
                    )
                )
        return ids

    def _one(self, session: Session, number: int, at: datetime, city: str) -> int:
        person = Person(id_type="passport", id_index=f"{number:064}", id_no=f"P{number:08}", created_at=at)
        session.add(person)
        session.flush()
        registration = Registration(
            sitting_code=self.sitting,
            person_id=person.id,
            admission_no=admission_no(number),
            name="张三",
            name_index="0" * 64,
            city=city,
            specialty="建筑工程",
            level="二级",
            basis="commitment",
            row_digest="0" * 64,
            imported_at=at,
        )
        session.add(registration)
        session.flush()
        session.add(
            Score(
                registration_id=registration.id,
                subject="施工管理",
                score=DATA_KEY.seal("scores.score", b"71"),
                passed=True,
            )
        )
        return registration.id

    def certificate(self, registration_id: int, *, status: str = "valid", slot: str = "live") -> str:
        """A published certificate for one registration; its management number."""
        at = datetime(2025, 10, 1, 1, tzinfo=UTC)
        management_no = f"2025{registration_id:06}"
        with self.context.database.write() as session:
            registration = session.get_one(Registration, registration_id)
            qualification = qualification_key(self.programme, "二级", "建筑工程", self.sitting)
            holding = lock_holding(session, registration.person_id, qualification)
            holding.e_certificate_made_at = at
            certificate = ECertificate(
                registration_id=registration_id,
                sitting_code=self.sitting,
                person_id=registration.person_id,
                qualification=qualification,
                management_no=management_no,
                token=new_token(),
                name="张三",
                state="published",
                status=status,
                slot=slot,
                approved_on=date(2025, 9, 30),
                issued_on=date(2025, 10, 1),
                list_id="1",
                list_index=registration_id,
                intended_at=at,
                published_at=at,
            )
            session.add(certificate)
            session.flush()
            session.add(
                StatusEvent(
                    certificate_id=certificate.id,
                    sequence=0,
                    status="valid",
                    effective_on=date(2025, 10, 1),
                    at=at,
                    actor="issuer",
                )
            )
        return management_no


def race(*acts: Callable[[], object]) -> list[object]:
    """Do all acts at the same moment in threads of their own; what each returned, or raised, in order."""
    results: list[object] = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def run(index: int, act: Callable[[], object]) -> None:
        start.wait()
        try:
            results[index] = act()
        except Exception as exc:  # noqa: BLE001 - the loser's error is what the test looks at
            results[index] = exc

    threads = [threading.Thread(target=run, args=(index, act)) for index, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def admission_no(number: int) -> str:
    """The admission number of the n-th person of a small world."""
    return f"41{number:010}"


def noon(day: date) -> datetime:
    """Twelve o'clock of a day in Asia/Shanghai."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI)
