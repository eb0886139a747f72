"""People, two sittings, staff and the clock, acting in any order through the real services.

What the law says must hold after every act, whatever came before:

  1. no certificate, electronic or paper, without an eligible review (R4, R5);
  2. never two live certificates for one qualification of one person;
  3. never paper beside electronic (R11, R14);
  4. waived stays waived (R7);
  5. invalid falls whole: certificate or paper sheet, registration and every subject (R9), and stands up whole;
  6. nothing is deleted, and the audit chain holds.

An act may be refused in words; a refused act changes nothing but what it was asked to remember.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import Select, func, select

from issuer.access.actor import Actor
from issuer.audit import verify_chain
from issuer.clock import SimulatedClock
from issuer.context import Context, open_context
from issuer.errors import DomainError
from issuer.initialise import initialise
from issuer.invalidation import service as invalidation
from issuer.invalidation.subject import Seat
from issuer.issuance import supersede as corrections
from issuer.issuance.service import issue_sitting
from issuer.paper import making, replacing, stock
from issuer.paper.service import close_replacement, request_replacement
from issuer.records.base import Base
from issuer.records.certificates import ECertificate, Holding, Invalidation
from issuer.records.encryption import use_data_key
from issuer.records.paper import PaperCertificate
from issuer.records.people import Registration, Score
from issuer.records.reviews import EligibilityReview
from issuer.review import service as review
from issuer.review.service import Candidate as Who
from issuer.roster.service import define_sitting, import_roster
from issuer.rules.terms import InvalidationGround, ReviewRound, Role
from issuer.rules.violation import RuleViolation
from issuer.settings import Settings
from tests.factories.candidates import Candidate, invent, sitting_toml, write_files

TODAY = date(2026, 9, 15)
"""Always the same day, so that the same walk is walked on every day of the year and at every hour."""
PEOPLE = 4
SITTINGS = {"TEST-2025-1": "electronic", "PAPR-2025-1": "paper"}
BASIS = "豫人社函〔2024〕25号一（三）：经核实不符合报考条件"
CLERK = Actor("wang.issuer", frozenset({Role.AUTHORITY_ISSUER}), "cli")
SECOND = Actor("zhou.issuer", frozenset({Role.AUTHORITY_ISSUER}), "cli")
CHIEF = Actor("li.approver", frozenset({Role.AUTHORITY_APPROVER}), "cli")
_FINDINGS = ("合格", "合格", "合格", "不合格", "待核查")

people = st.integers(0, PEOPLE - 1)
sittings = st.sampled_from(sorted(SITTINGS))


ACTS: dict[str, tuple[int, dict[str, st.SearchStrategy[Any]]]] = {
    "days_pass": (3, {"days": st.sampled_from((1, 1, 3, 7, 12))}),
    "open_notice": (1, {"code": sittings}),
    "decide": (
        2,
        {
            "code": sittings,
            "findings": st.lists(st.sampled_from(_FINDINGS), min_size=PEOPLE, max_size=PEOPLE),
            "round": st.sampled_from(ReviewRound),
        },
    ),
    "close_first_round": (1, {"code": sittings}),
    "open_supplementary": (1, {"code": sittings}),
    "lapse": (1, {"code": sittings}),
    "object_and_resolve": (1, {"code": sittings, "who": people}),
    "defend": (1, {"code": sittings, "who": people, "accepted": st.booleans()}),
    "issue": (3, {"code": sittings}),
    "print_paper": (2, {"code": sittings}),
    "correct": (2, {"pick": people, "approved": st.booleans()}),
    "propose": (3, {"pick": people, "ground": st.sampled_from(InvalidationGround)}),
    "decide_case": (
        4,
        {
            "pick": people,
            "actor": st.sampled_from((CLERK, CHIEF, CHIEF)),
            "how": st.sampled_from(("approve", "approve", "reject", "withdraw")),
        },
    ),
    "overturn": (2, {"pick": people}),
    "propose_seat": (
        3,
        {"code": sittings, "who": people, "ground": st.sampled_from(InvalidationGround)},
    ),
    "overturn_seat": (2, {"pick": people}),
    "replace": (2, {"code": sittings, "who": people, "approve": st.booleans()}),
}
"""Every act: how often, and what it is about."""
_WEIGHTED = tuple(name for name, (weight, _) in ACTS.items() for _ in range(weight))


class NoticeMachine(RuleBasedStateMachine):
    """One data folder, from the day scores are out."""

    template: Path | None = None
    acts: ClassVar[Counter[str]] = Counter()
    """Acts tried, and what became of them (`done …`, `refused …`); over all machines of the process."""

    @classmethod
    def prepare(cls, folder: Path) -> None:
        """Two sittings of the same people, handed over and not yet looked at; copied for every machine."""
        clock = SimulatedClock.on(TODAY - timedelta(days=55), hour=0)
        settings = Settings(data_dir=folder / "data", verify_base_url="http://127.0.0.1:8000")
        initialise(settings, clock)
        ctx = open_context(settings, clock)
        for code, medium in SITTINGS.items():
            define_sitting(ctx, CLERK, sitting_toml(TODAY, code=code, medium=medium))
            roster, photos = write_files(folder / code, invent(PEOPLE))
            import_roster(ctx, CLERK, code, file_name=roster.name, content=roster, photos=photos)
        receipt = stock.receive(ctx, CLERK, "PAPR", "Z0000001", "Z0000060")
        stock.confirm(ctx, SECOND, receipt.id, 60)
        ctx.close()
        cls.template = folder / "data"

    @initialize(begun=st.booleans())
    def open(self, begun: bool) -> None:
        """A copy of the template; `begun`: with the notice over and most people found eligible."""
        assert self.template is not None
        self.folder = Path(tempfile.mkdtemp(prefix="ecert-machine-"))
        shutil.copytree(self.template, self.folder / "data")
        self.clock = SimulatedClock.on(TODAY - timedelta(days=53), hour=0)
        settings = Settings(data_dir=self.folder / "data", verify_base_url="http://127.0.0.1:8000")
        self.ctx: Context = open_context(settings, self.clock)
        use_data_key(self.ctx.data_key)
        self.people: tuple[Candidate, ...] = invent(PEOPLE)
        self.waived: set[int] = set()
        self.rows: dict[str, int] = {}
        if begun:
            for code in SITTINGS:
                self.open_notice(code)
            self.clock.move_to(self.clock.today() + timedelta(days=14), hour=1)
            for code in SITTINGS:
                self.decide(code, ["合格"] * (PEOPLE - 1) + ["待核查"], ReviewRound.FIRST)

    def teardown(self) -> None:
        """Close and remove the copy; the whole chain is read once more."""
        if hasattr(self, "ctx"):
            with self.ctx.database.read() as session:
                assert verify_chain(session).intact
            self.ctx.close()
            shutil.rmtree(self.folder)

    def act(self, name: str, what: Callable[[], Any]) -> Any:
        """Do it; a refusal in words is an answer too."""
        self.acts[name] += 1
        try:
            done = what()
        except (DomainError, RuleViolation) as refusal:
            self.acts[f"refused {name}: {refusal.code}"] += 1
            return None
        self.acts[f"done {name}"] += 1
        return done

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """One act of `ACTS`. One rule for all: hypothesis would else leave out most of them in most machines."""
        name = data.draw(st.sampled_from(_WEIGHTED))
        getattr(self, name)(**{key: data.draw(values) for key, values in ACTS[name][1].items()})

    # The clock

    def days_pass(self, days: int) -> None:
        """At most a year in all."""
        day = min(self.clock.today() + timedelta(days=days), TODAY + timedelta(days=300))
        if day > self.clock.today():
            self.clock.move_to(day, hour=1)

    # Review (R4–R8)

    def open_notice(self, code: str) -> None:
        self.act("open notice", lambda: review.open_notice(self.ctx, CLERK, code))

    def decide(self, code: str, findings: list[str], round: ReviewRound) -> None:
        rows = [f"{person.admission_no},{word},X,说明" for person, word in zip(self.people, findings, strict=True)]
        file = self.folder / "decisions.csv"
        file.write_text("\n".join(["准考证号,核查结果,原因代码,说明", *rows]), encoding="utf-8")
        self.act("decide", lambda: review.apply_decisions(self.ctx, CLERK, code, round, content=file))

    def close_first_round(self, code: str) -> None:
        self.act("close first round", lambda: review.close_first_round(self.ctx, CLERK, code))

    def open_supplementary(self, code: str) -> None:
        self.act("open supplementary", lambda: review.open_supplementary(self.ctx, CLERK, code))

    def lapse(self, code: str) -> None:
        self.act("lapse", lambda: review.lapse_supplementary(self.ctx, CLERK, code))

    def object_and_resolve(self, code: str, who: int) -> None:
        candidate = Who(admission_no=self.people[who].admission_no)
        number = self.act("object", lambda: review.raise_objection(self.ctx, CLERK, code, candidate, "其学历不符"))
        if number is not None:
            upheld = who % 2 == 0
            self.act(
                "resolve",
                lambda: review.resolve_objection(self.ctx, CLERK, number, upheld=upheld, resolution="已核实"),
            )

    def defend(self, code: str, who: int, accepted: bool) -> None:
        candidate = Who(admission_no=self.people[who].admission_no)
        self.act("defend", lambda: review.file_defence(self.ctx, CLERK, code, candidate, "我符合条件"))
        self.act(
            "decide defence",
            lambda: review.decide_defence(self.ctx, CLERK, code, candidate, accepted=accepted, note="已听取"),
        )

    # Certificates (R11)

    def issue(self, code: str) -> None:
        self.act("issue", lambda: issue_sitting(self.ctx, CLERK, code))

    def print_paper(self, code: str) -> None:
        self.act("print", lambda: making.print_sitting(self.ctx, CLERK, code))

    def correct(self, pick: int, approved: bool) -> None:
        if not self._numbers():
            return
        number = self._pick(pick)
        case = self.act(
            "correct", lambda: corrections.supersede(self.ctx, CLERK, number, "王更名" + "甲乙丙丁"[pick], BASIS)
        )
        if case is not None and approved:
            self.act("approve correction", lambda: corrections.approve_supersession(self.ctx, CHIEF, case))
        elif case is not None:
            self.act("refuse correction", lambda: corrections.refuse_supersession(self.ctx, CHIEF, case))

    # Invalidation (R9, R10)

    def propose(self, pick: int, ground: InvalidationGround) -> None:
        if not self._numbers():
            return
        self.act("propose", lambda: invalidation.propose(self.ctx, CLERK, self._pick(pick), ground, BASIS))

    def propose_seat(self, code: str, who: int, ground: InvalidationGround) -> None:
        """Against whoever sat there: with an electronic certificate, with paper, or with a score report only."""
        self.act("propose seat", lambda: invalidation.propose(self.ctx, CLERK, self._seat(code, who), ground, BASIS))

    def overturn_seat(self, pick: int) -> None:
        """One of the registrations that fell, whatever it had led to."""
        with self.ctx.database.read() as session:
            void = list(session.scalars(select(Registration.id).where(Registration.void_since.is_not(None))))
        if void:
            number = void[pick % len(void)]
            self.act("overturn seat", lambda: invalidation.overturn(self.ctx, CLERK, number, BASIS))

    def _seat(self, code: str, who: int) -> Seat:
        return Seat(code, self.people[who].admission_no)

    def decide_case(self, pick: int, actor: Actor, how: str) -> None:
        with self.ctx.database.read() as session:
            open_cases = list(session.scalars(select(Invalidation.id).where(Invalidation.state == "proposed")))
        if not open_cases:
            return
        case = open_cases[pick % len(open_cases)]
        if how == "approve":
            self.act("approve", lambda: invalidation.approve(self.ctx, actor, case))
        else:
            self.act(how, lambda: getattr(invalidation, how)(self.ctx, actor, case, "经复核，理由成立"))

    def overturn(self, pick: int) -> None:
        if not self._numbers():
            return
        self.act("overturn", lambda: invalidation.overturn(self.ctx, CLERK, self._pick(pick), BASIS))

    # Paper replacement (R14)

    def replace(self, code: str, who: int, approve: bool) -> None:
        admission = self.people[who].admission_no
        number = self.act(
            "replace",
            lambda: request_replacement(self.ctx, CLERK, reason="遗失", sitting_code=code, admission_no=admission),
        )
        if number is None:
            return
        decided = self.act(
            "decide replacement", lambda: replacing.decide(self.ctx, CHIEF, number, approve=approve, note="已核实")
        )
        if decided is not None and approve:
            self.act("print replacement", lambda: replacing.print_replacement(self.ctx, CLERK, number))
        elif decided is None:
            self.act("withdraw replacement", lambda: close_replacement(self.ctx, CLERK, number, "withdrawn"))

    # What must hold

    @invariant()
    def the_notice_holds(self) -> None:
        """All six at once, by one reading."""
        if not hasattr(self, "ctx"):
            return
        with self.ctx.database.read() as session:
            reviews = {row.registration_id: row.outcome for row in session.scalars(select(EligibilityReview))}
            electronic = list(session.scalars(select(ECertificate)))
            papers = list(session.scalars(select(PaperCertificate)))
            registrations = {row.id: row for row in session.scalars(select(Registration))}
            scores = list(session.scalars(select(Score)))
            applied = list(session.scalars(select(Invalidation).where(Invalidation.state == "applied")))
            holdings = list(session.scalars(select(Holding)))
            rows = dict(session.execute(_rows_of_every_table()).mappings().one())
        self._no_certificate_without_review(reviews, electronic, papers)
        self._one_live(electronic, papers)
        self._no_paper_beside(electronic, papers, holdings)
        self._waived_stays(reviews, electronic, papers)
        self._falls_whole(electronic, papers, registrations, scores, applied)
        assert all(rows[name] >= count for name, count in self.rows.items()), "something was deleted"
        self.rows = rows

    @staticmethod
    def _no_certificate_without_review(
        reviews: dict[int, str], electronic: list[ECertificate], papers: list[PaperCertificate]
    ) -> None:
        for certificate in electronic:
            if certificate.state == "published" and certificate.status == "valid":
                assert reviews[certificate.registration_id] == "eligible", certificate.management_no
        for paper in papers:
            if paper.slot == "live":
                assert reviews[paper.registration_id] == "eligible", paper.serial

    @staticmethod
    def _one_live(electronic: list[ECertificate], papers: list[PaperCertificate]) -> None:
        for rows in (electronic, papers):
            live = Counter((row.person_id, row.qualification) for row in rows if row.slot == "live")
            assert all(count == 1 for count in live.values())

    @staticmethod
    def _no_paper_beside(
        electronic: list[ECertificate], papers: list[PaperCertificate], holdings: list[Holding]
    ) -> None:
        made = {(row.person_id, row.qualification) for row in electronic if row.state == "published"}
        assert not made & {(row.person_id, row.qualification) for row in papers}
        for holding in holdings:
            assert holding.e_certificate_made_at is None or not holding.paper_replacement_open
            assert holding.e_certificate_made_at is None or holding.paper_made_at is None

    def _waived_stays(
        self, reviews: dict[int, str], electronic: list[ECertificate], papers: list[PaperCertificate]
    ) -> None:
        assert all(reviews[number] == "deemed-waived" for number in self.waived)
        self.waived |= {number for number, outcome in reviews.items() if outcome == "deemed-waived"}
        assert not self.waived & {row.registration_id for row in electronic if row.status == "valid"}
        assert not self.waived & {row.registration_id for row in papers if row.slot == "live"}

    @staticmethod
    def _falls_whole(
        electronic: list[ECertificate],
        papers: list[PaperCertificate],
        registrations: dict[int, Registration],
        scores: list[Score],
        applied: list[Invalidation],
    ) -> None:
        fallen = {case.registration_id for case in applied if case.kind == "invalidate"}
        for paper in papers:
            assert paper.slot == "ended" or paper.registration_id not in fallen, paper.serial
            assert paper.state != "void" or paper.box_id is None
        sheets = {row.id: row for row in papers}
        for case in applied:  # a reinstatement that holds: its sheet counts again
            if case.kind == "reinstate" and case.paper_id and case.registration_id not in fallen:
                assert any(row.slot == "live" for row in papers if row.registration_id == case.registration_id)
                assert case.paper_id in sheets
        for row in electronic:
            if row.registration_id in fallen and row.status is not None:
                assert row.status in ("invalid", "superseded"), (row.status, row.management_no)
            if row.status == "valid":
                assert registrations[row.registration_id].void_since is None
        for number, registration in registrations.items():
            assert (registration.void_since is not None) == (number in fallen), number
        for score in scores:
            assert (score.void_since is not None) == (score.registration_id in fallen)

    def _numbers(self) -> list[str]:
        with self.ctx.database.read() as session:
            published = select(ECertificate.management_no).where(ECertificate.state == "published")
            return sorted(session.scalars(published))

    def _pick(self, number: int) -> str:
        numbers = self._numbers()
        return numbers[number % len(numbers)]


_TRANSIENT = frozenset({"outbox", "idempotency_keys", "staff_sessions", "holder_sessions"})
"""Tables whose rows may go: what was delivered, what expired."""


@cache
def _rows_of_every_table() -> Select[Any]:
    """How many rows each table holds, asked in one statement: one for each table took a fifth of the walk."""
    kept = (
        table for table in Base.metadata.sorted_tables if table.schema == "issuer" and table.name not in _TRANSIENT
    )
    return select(*(select(func.count()).select_from(table).scalar_subquery().label(table.name) for table in kept))
