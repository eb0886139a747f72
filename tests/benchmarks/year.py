"""`make year`: a whole year of a sitting of 20,000 on a clock that plays its days, timed per stage, on PostgreSQL.

What `make province` plays, and around it what the notice orders besides: the joint announcement that opens the public
notice, a random sample with a published seed, results announced, defences filed and decided, who did not come deemed
to have given up, the issue announced, invalidations by list, and a paper programme whose unclaimed certificates are
kept, counted and handed over. Every act goes through the services that console, API and command line call.

Options: --people, --workers, --folder. The last line is one JSON object {"people", "stages" (seconds), "total_s",
"counts"}. Exits 1 when a count is not the one that the rules give.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from issuer.announcements.service import draft_announcement, publish_announcement
from issuer.audit import verify_chain
from issuer.invalidation import mass
from issuer.invalidation.mass_file import Defaults
from issuer.paper import counting, keeping, mail, making, registers, stock
from issuer.records.announcements import Announcement, SampledCheck
from issuer.records.certificates import ECertificate
from issuer.records.paper import PaperCertificate
from issuer.records.reviews import EligibilityReview
from issuer.review import sampling
from issuer.review import service as review
from issuer.roster.service import define_sitting, import_roster
from issuer.rules.deadlines import add_years
from issuer.rules.terms import InvalidationGround, ReviewOutcome, ReviewRound
from tests.benchmarks.province import INELIGIBLE_EVERY, PENDING_EVERY, Province, _first_finding, _roster
from tests.factories.candidates import SITTING, invent, sitting_toml, write_files
from tests.factories.paper_office import CLERK, DEPARTMENT, SECOND
from tests.factories.world import APPROVER, PROPOSER

PAPER_SITTING = "PAPER-1"
SAMPLED_PER_MILLE = 50
INVALID_EVERY, PAPER_EVERY = 500, 20
"""One certificate in so many is found invalid; the paper programme has one candidate for so many of the other."""


class Year(Province):
    """The year of one electronic sitting and of a small one on paper."""

    def __init__(self, folder: Path, people: int) -> None:
        super().__init__(folder, people)
        self.on_paper = invent(max(4, people // PAPER_EVERY))
        numbered = [(number, person) for number, person in enumerate(self.people) if number % PENDING_EVERY]
        self.refused = [person for number, person in numbered if number % INELIGIBLE_EVERY == 1]

    def play(self) -> None:
        """From the rosters to the day on which certificates may be made."""
        ctx = self.world.ctx
        self._take_in()
        self._day(52)
        with self.stage("notice"):
            self.announce("notice")
            review.open_notice(ctx, PROPOSER, PAPER_SITTING)
        with self.stage("sample"):
            sampling.fix_seed(ctx, PROPOSER, SITTING, SAMPLED_PER_MILLE)
            sampling.draw_sample(ctx, PROPOSER, SITTING)
        self._day(42)
        with self.stage("first_round"):
            self._decide(ReviewRound.FIRST, self.people, _first_finding)
            review.decide_all_eligible(ctx, PROPOSER, PAPER_SITTING, ReviewRound.FIRST)
        self._day(30)
        with self.stage("close_first_round"):
            review.close_first_round(ctx, PROPOSER, SITTING)
            review.open_supplementary(ctx, PROPOSER, SITTING)
        with self.stage("announce_results"):
            self.announce("results")
        with self.stage("defences"):
            self._defend()
        self._day(20)
        with self.stage("supplementary_round"):
            self._decide(ReviewRound.SUPPLEMENTARY, self.people[::PENDING_EVERY][1:], lambda _number: "合格")
        self._day(4)
        with self.stage("lapse"):  # one did not come (R7)
            review.lapse_supplementary(ctx, PROPOSER, SITTING)
            self.announce("supplementary")
        self._day(0)

    def finish(self, workers: int) -> None:
        """Issue, announce, invalidate; then the paper programme to the handover of what nobody fetched."""
        with self.stage("issue"):
            self.world.issue(workers)
        with self.stage("announce_issue"):
            self.announce("issue")
        with self.stage("invalidate"):
            self._invalidate()
        with self.stage("paper"):
            self._keep_paper()
        with self.stage("handover"):
            self._hand_over()

    def announce(self, kind: str) -> None:
        """Drafted by one person and published by another."""
        ctx = self.world.ctx
        draft = draft_announcement(ctx, PROPOSER, SITTING, kind)
        publish_announcement(ctx, APPROVER, draft, version=0)

    def counts(self) -> dict[str, int]:
        """What stands in the tables at the end."""
        with self.world.ctx.database.read() as session:

            def rows(table: type, *where: object) -> int:
                return session.scalar(select(func.count()).select_from(table).where(*where)) or 0  # type: ignore[arg-type]

            return {
                "published": rows(ECertificate, ECertificate.state == "published"),
                "invalid": rows(ECertificate, ECertificate.status == "invalid"),
                "waived": rows(EligibilityReview, EligibilityReview.outcome == ReviewOutcome.DEEMED_WAIVED),
                "ineligible": rows(EligibilityReview, EligibilityReview.outcome == ReviewOutcome.INELIGIBLE),
                "sampled": rows(SampledCheck),
                "announcements": rows(Announcement, Announcement.state == "published"),
                "handed_over": rows(PaperCertificate, PaperCertificate.state == "handed-over"),
                "audit_faults": len(verify_chain(session).faults),
            }

    def expected(self) -> dict[str, int]:
        """What the rules give."""
        people = len(self.people)
        ineligible = len(self.refused) // 2
        published = people - 1 - ineligible
        return {
            "published": published,
            "invalid": -(-published // INVALID_EVERY),
            "waived": 1,
            "ineligible": ineligible,
            "sampled": -(-people * SAMPLED_PER_MILLE // 1000),
            "announcements": 4,
            "handed_over": len(self.on_paper),
            "audit_faults": 0,
        }

    def _take_in(self) -> None:
        ctx = self.world.ctx
        roster, photos = _roster(self.folder / "source", self.people)
        paper_roster, paper_photos = write_files(self.folder / "paper", self.on_paper)
        self._day(55)
        define_sitting(ctx, PROPOSER, sitting_toml(self.today))
        # Kept for five years already when nobody has fetched them in the month after the announcement.
        ended = add_years(self.today, -5) - timedelta(days=1)
        plain = sitting_toml(self.today, code=PAPER_SITTING, medium="paper").decode()
        lines = [f"exam_ended_on = {ended}" if "exam_ended_on" in line else line for line in plain.splitlines()]
        define_sitting(ctx, PROPOSER, "\n".join(lines).encode())
        with self.stage("import"):
            for code, file, pictures, people in (
                (SITTING, roster, photos, self.people),
                (PAPER_SITTING, paper_roster, paper_photos, self.on_paper),
            ):
                report = import_roster(ctx, PROPOSER, code, file_name=file.name, content=file, photos=pictures)
                assert report.imported == len(people), report.findings[:3]

    def _defend(self) -> None:
        """Everybody found ineligible makes a defence; every other one is accepted."""
        ctx = self.world.ctx
        for place, person in enumerate(self.refused):
            who = review.Candidate(admission_no=person.admission_no)
            review.file_defence(ctx, PROPOSER, SITTING, who, "所附社保记录可证明工作年限。")
            accepted = place % 2 == 0
            review.decide_defence(ctx, PROPOSER, SITTING, who, accepted=accepted, note="经复核社保记录。")

    def _invalidate(self) -> None:
        ctx = self.world.ctx
        file = self.folder / "invalid.csv"
        numbers = [row.management_no for row in self.world.certificates()][::INVALID_EVERY]
        file.write_text("\n".join(["管理号", *numbers]), encoding="utf-8")
        found = Defaults(InvalidationGround.INELIGIBLE_IN_SUPERVISION, "日常监管：不符合报考条件")
        plan = mass.plan_many(ctx, PROPOSER, file, found)
        act = mass.propose_many(ctx, PROPOSER, file, found, plan.digest, background=False)
        assert act is not None
        mass.work(ctx, act)
        mass.decide_many(ctx, APPROVER, act, "approve", background=False)
        mass.work(ctx, act)
        ctx.publish()

    def _keep_paper(self) -> None:
        """Printed, compared, nobody books in the window, into boxes."""
        ctx, people = self.world.ctx, len(self.on_paper)
        receipt = stock.receive(ctx, CLERK, PAPER_SITTING.partition("-")[0], "Z0000001", f"Z{people:07}")
        stock.confirm(ctx, SECOND, receipt.id, people)
        report = making.print_sitting(ctx, CLERK, PAPER_SITTING)
        making.release_sitting(ctx, CLERK, PAPER_SITTING)
        mail.open_booking(ctx, CLERK, PAPER_SITTING)
        self.clock.move_to(self.today + timedelta(days=31), hour=0)
        for place, (serial, _) in enumerate(report.printed):
            keeping.store(ctx, CLERK, f"BOX-{1 + place // 100}", serial)

    def _hand_over(self) -> None:
        ctx = self.world.ctx
        register = registers.open_register(ctx, CLERK, PAPER_SITTING)
        with ctx.database.read() as session:
            boxed = [(label, paper.serial) for paper, label in keeping.kept(session, PAPER_SITTING)]
        for label in dict(boxed):
            counting.count_box(ctx, CLERK, register.number, label, [serial for box, serial in boxed if box == label])
        registers.close_count(ctx, CLERK, register.number)
        registers.countersign(ctx, DEPARTMENT, register.number)


def play_year(folder: Path, people: int, workers: int) -> tuple[Year, dict[str, int]]:
    """Play it; the year with its stages, and the counts at its end."""
    year = Year(folder, people)
    try:
        year.play()
        year.finish(workers)
        counts = year.counts()
        year.world.close()
    finally:
        year.server.stop()
    return year, counts


def main() -> int:
    """Play, count, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ecert-year-", dir=options.folder))
    year, counts = play_year(folder, options.people, options.workers)
    expected = year.expected()
    good = counts == expected
    if good:
        shutil.rmtree(folder)
    else:
        print(f"  expected {expected}", flush=True)
    total = round(sum(year.stages.values()), 1)
    print(json.dumps({"people": options.people, "stages": year.stages, "total_s": total, "counts": counts}))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
