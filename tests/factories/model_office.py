"""A small office in which something of everything is going on, made by the services (copied by `crowd`).

Four sittings with people of their own: one issued, with cases, corrections, objections, checks and announcements; one
in the middle of its review; one whose paper is being posted; one whose paper has been kept for five years.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from issuer.announcements.service import draft_announcement, publish_announcement
from issuer.clock import SimulatedClock, SystemClock
from issuer.holders.copies import make_copy
from issuer.holders.objections import file_objection
from issuer.holders.sign_in import Holder
from issuer.initialise import initialise
from issuer.invalidation import mass
from issuer.invalidation import service as invalidation
from issuer.invalidation.mass_file import Defaults
from issuer.invalidation.subject import Seat
from issuer.issuance.supersede import supersede
from issuer.paper import keeping, mail, making, parcels, registers, stock
from issuer.paper.service import request_replacement
from issuer.paper.waybill_file import WaybillRow
from issuer.paper.waybills import assign_waybills
from issuer.queues import claims
from issuer.records.paper import PaperCertificate
from issuer.review import sampling
from issuer.review import service as review
from issuer.roster.service import define_sitting, import_roster
from issuer.rules.deadlines import add_years
from issuer.rules.queues import CaseKind
from issuer.rules.terms import InvalidationGround, ReviewRound
from tests.factories.candidates import SITTING, Candidate, invent, sitting_toml, write_files
from tests.factories.copies import PURPOSE, holder_of_certificate
from tests.factories.paper_office import CLERK, HOME, SECOND
from tests.factories.world import APPROVER, PROPOSER, World

IN_REVIEW, POSTED, KEPT = "TEST-2025-2", "PAPER-1", "PAPER-2"
PEOPLE = {SITTING: 100, IN_REVIEW: 20, POSTED: 10, KEPT: 10}
BASIS = "示例依据：经核实不符合报考条件"
NAMES = ("王小明", "欧阳修文", "李娜", "陈静", "赵一鸣", "古丽米热·阿布都拉", "刘洋")


class ModelOffice:
    """The world on a clock that stands on today when it is made."""

    def __init__(self, folder: Path, database_url: str | None = None) -> None:
        self.folder = folder
        self.today = SystemClock().today()
        self.clock = SimulatedClock.on(self.today - timedelta(days=60), hour=0)
        everybody = tuple(
            replace(who, name=NAMES[at % len(NAMES)]) for at, who in enumerate(invent(sum(PEOPLE.values())))
        )
        ends = [sum(list(PEOPLE.values())[: at + 1]) for at in range(len(PEOPLE))]
        self.people: dict[str, tuple[Candidate, ...]] = {
            code: everybody[end - PEOPLE[code] : end] for code, end in zip(PEOPLE, ends, strict=True)
        }
        self.world = World(folder / "data", self.clock, self.people[SITTING], database_url=database_url)
        initialise(self.world.settings, self.clock)
        self._take_in()
        self._review()
        self.clock.move_to(self.today, hour=0)
        self._electronic()
        self._under_review()
        self._posted()
        self._kept()
        # A day on which the office works, after the acts above.
        self.clock.move_to(self.today, hour=9)

    def _take_in(self) -> None:
        ctx = self.world.ctx
        self._ago(55)
        for code, people in self.people.items():
            define_sitting(ctx, PROPOSER, self._definition(code))
            roster, photos = write_files(self.folder / code, people)
            report = import_roster(ctx, PROPOSER, code, file_name=roster.name, content=roster, photos=photos)
            assert report.imported == len(people), report.findings[:3]

    def _definition(self, code: str) -> bytes:
        medium = "paper" if code.startswith("PAPER") else "electronic"
        text = sitting_toml(self.today, code=code, medium=medium).decode()
        days = {}
        if code == KEPT:  # five years are over
            days["exam_ended_on"] = add_years(self.today, -5) - timedelta(days=1)
        if code == IN_REVIEW:
            days["review_report_due_on"] = self.today + timedelta(days=2)
            days["notice_closes_on"] = self.today + timedelta(days=1)
            # R7 ends both rounds within two months of score release, which was 55 days ago.
            days["supplementary_closes_on"] = self.today + timedelta(days=3)
        lines = []
        for line in text.splitlines():
            name = line.partition(" =")[0]
            lines.append(f"{name} = {days[name]}" if name in days else line)
        return "\n".join(lines).encode()

    def _review(self) -> None:
        ctx = self.world.ctx
        self._ago(52)
        self._announce(SITTING, "notice")
        for code in (IN_REVIEW, POSTED, KEPT):
            review.open_notice(ctx, PROPOSER, code)
        sampling.fix_seed(ctx, PROPOSER, SITTING, 100)
        sampling.draw_sample(ctx, PROPOSER, SITTING)
        self._ago(42)
        for code in (SITTING, POSTED, KEPT):
            review.decide_all_eligible(ctx, PROPOSER, code, ReviewRound.FIRST)
        found = ("合格",) * 8 + ("不合格",) * 3 + ("待核查",) * 2
        self._decide(IN_REVIEW, found)
        self._ago(30)
        for code in (SITTING, POSTED, KEPT):
            review.close_first_round(ctx, PROPOSER, code)
            review.open_supplementary(ctx, PROPOSER, code)
            self._announce(code, "results")

    def _announce(self, code: str, kind: str) -> None:
        announcement = draft_announcement(self.world.ctx, PROPOSER, code, kind)
        publish_announcement(self.world.ctx, APPROVER, announcement, version=0)

    def _decide(self, code: str, findings: tuple[str, ...]) -> None:
        file = self.folder / "decisions.csv"
        rows = [
            f"{person.admission_no},{finding},education-not-met,示例说明"
            for person, finding in zip(self.people[code], findings, strict=False)
        ]
        file.write_text("\n".join(["准考证号,核查结果,原因代码,说明", *rows]), encoding="utf-8")
        report = review.apply_decisions(self.world.ctx, PROPOSER, code, ReviewRound.FIRST, content=file)
        assert sum(report.moved.values()) == len(findings), report.findings[:3]

    def _electronic(self) -> None:
        """Issued; then what supervision, holders and staff find."""
        world, ctx = self.world, self.world.ctx
        world.issue()
        draft_announcement(ctx, PROPOSER, SITTING, "issue")
        numbers = [row.management_no for row in world.certificates()]
        ineligible = InvalidationGround.INELIGIBLE_IN_SUPERVISION
        invalidation.approve(ctx, APPROVER, invalidation.propose(ctx, PROPOSER, numbers[0], ineligible, BASIS))
        untrue = InvalidationGround.FALSE_MATERIALS
        invalidation.approve(ctx, APPROVER, invalidation.propose(ctx, PROPOSER, numbers[1], untrue, BASIS))
        invalidation.propose(ctx, PROPOSER, numbers[2], ineligible, BASIS, suspend=True)
        supersede(ctx, PROPOSER, numbers[3], "王更名", BASIS)
        self._by_list(numbers[4:6])
        holder, number = holder_of_certificate(world, 6)
        self._copy(holder, number)
        sat = {row.person_id: row.id for row in world.registrations()}
        file_objection(ctx, holder, sat[holder.person_id], "name", "示例：姓名有误，请予更正。")
        ctx.publish()

    def _by_list(self, numbers: list[str]) -> None:
        ctx, file = self.world.ctx, self.folder / "invalid.csv"
        file.write_text("\n".join(["管理号", *numbers]), encoding="utf-8")
        found = Defaults(InvalidationGround.INELIGIBLE_IN_SUPERVISION, BASIS)
        plan = mass.plan_many(ctx, PROPOSER, file, found)
        act = mass.propose_many(ctx, PROPOSER, file, found, plan.digest, background=False)
        assert act is not None
        mass.work(ctx, act)

    def _copy(self, holder: Holder, number: str) -> None:
        make_copy(self.world.ctx, holder, number, PURPOSE, self.today + timedelta(days=29))

    def _under_review(self) -> None:
        """Ten still wait; two objections, two defences; two cases in somebody's hands."""
        ctx, people = self.world.ctx, self.people[IN_REVIEW]
        for person in people[13:15]:
            who = review.Candidate(admission_no=person.admission_no)
            review.raise_objection(ctx, PROPOSER, IN_REVIEW, who, "示例异议：工作年限不实。")
        for person in people[8:10]:
            who = review.Candidate(admission_no=person.admission_no)
            review.file_defence(ctx, PROPOSER, IN_REVIEW, who, "示例申辩：所附社保记录可证明工作年限。")
        waiting = [row.id for row in self.world.registrations() if row.sitting_code == IN_REVIEW][15:17]
        for registration in waiting:
            claims.claim(ctx, PROPOSER, CaseKind.REVIEW, registration)
        claims.save_draft(ctx, PROPOSER, CaseKind.REVIEW, waiting[0], "示例草稿：待核对毕业院校。")

    def _posted(self) -> None:
        """A sheet in each place between the press and the holder."""
        ctx = self.world.ctx
        serials = self._print(POSTED, "Z0000001")
        making.release_sitting(ctx, CLERK, POSTED)
        mail.open_booking(ctx, CLERK, POSTED)
        for at, serial in enumerate(serials[:5]):
            mail.book(ctx, CLERK, serial, HOME)
            if at:
                waybill = f"EX{at:08}"
                self._label(serial, waybill)
                for step in (parcels.pack, parcels.post, parcels.take_back)[: at - 1]:
                    step(ctx, CLERK, *((serial, waybill) if step is parcels.pack else (waybill,)))
        person = self.people[POSTED][6]
        request_replacement(
            ctx, CLERK, reason="示例：遗失", sitting_code=POSTED, admission_no=person.admission_no, kind="lost"
        )
        who = Seat(POSTED, self.people[POSTED][7].admission_no)
        case = invalidation.propose(ctx, PROPOSER, who, InvalidationGround.INELIGIBLE_IN_SUPERVISION, BASIS)
        invalidation.approve(ctx, APPROVER, case)

    def _label(self, serial: str, waybill: str) -> None:
        with self.world.ctx.database.read() as session:
            wanted = select(PaperCertificate.management_no).where(PaperCertificate.serial == serial)
            number = session.scalars(wanted).one()
        report = assign_waybills(self.world.ctx, CLERK, POSTED, [WaybillRow(2, number, waybill)])
        assert report.assigned == 1, report

    def _print(self, code: str, first: str) -> list[str]:
        ctx, count = self.world.ctx, PEOPLE[code]
        last = f"Z{int(first[1:]) + count + 1:07}"
        receipt = stock.receive(ctx, CLERK, "PAPER", first, last)
        stock.confirm(ctx, SECOND, receipt.id, receipt.count)
        report = making.print_sitting(ctx, CLERK, code)
        return [serial for serial, _ in report.printed]

    def _kept(self) -> None:
        """In boxes since the window closed; half of them counted on the register."""
        ctx = self.world.ctx
        serials = self._print(KEPT, "Z0000101")
        making.release_sitting(ctx, CLERK, KEPT)
        mail.open_booking(ctx, CLERK, KEPT, self.today - timedelta(days=35))
        for serial in serials:
            keeping.store(ctx, CLERK, "BOX-1", serial)
        register = registers.open_register(ctx, CLERK, KEPT)
        for serial in serials[: len(serials) // 2]:
            registers.count_one(ctx, CLERK, register.number, "BOX-1", serial)

    def _ago(self, days: int) -> None:
        self.clock.move_to(self.today - timedelta(days=days), hour=0)
