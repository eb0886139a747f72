"""`make province`: a sitting of 20,000 from its roster to published certificates, timed per stage, on PostgreSQL.

Every stage goes through the services that the console, the API and the command line call, on a clock that plays the
sitting's days. The issue itself is done by workers as `ecert worker` runs them, beside it one urgent certificate is
asked for; then the same issue again in a copy of the database from before it, while a worker is killed every 10 s.

Options: --people, --workers, --kill-every, --folder. The last line is one JSON object {"people", "stages" (seconds),
"total_s", "issued_per_second", "urgent_s", "with_kills": {"seconds", "kills", "lost", "doubled", "orphans"}}. Exits 1
when anything is lost, doubled or left over.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import xlsxwriter

from issuer.clock import SimulatedClock, SystemClock
from issuer.initialise import initialise
from issuer.issuance.batches import state_of
from issuer.issuance.requests import request_batch, request_urgent
from issuer.review import service as review
from issuer.roster.service import define_sitting, import_roster
from issuer.rules.terms import ReviewRound
from tests.benchmarks.bench_world import people as contents
from tests.factories.candidates import SITTING, SUBJECTS, Candidate, invent, sitting_toml, write_files
from tests.factories.world import PROPOSER, World
from tests.faults.count import Count, count
from tests.faults.machine import Machine
from tests.services.postgres import PostgresServer

PENDING_EVERY, INELIGIBLE_EVERY = 50, 67
"""In the first round one in so many is held pending, or found ineligible."""


class Province:
    """One sitting played day by day; `stages` gathers seconds."""

    def __init__(self, folder: Path, people: int) -> None:
        self.server = PostgresServer("-c fsync=on -c shared_buffers=512MB")
        names = (content.name for content in contents(people))
        self.people = tuple(replace(each, name=name) for each, name in zip(invent(people), names, strict=True))
        self.folder = folder
        self.stages: dict[str, float] = {}
        self.today = SystemClock().today()
        self.clock = SimulatedClock.on(self.today - timedelta(days=60), hour=0)
        self.world = World(folder / "data", self.clock, self.people, database_url=self.server.new_database())
        initialise(self.world.settings, self.clock)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block."""
        began = time.monotonic()
        yield
        self.stages[name] = round(time.monotonic() - began, 1)
        print(f"  {name}: {self.stages[name]} s", flush=True)

    def play(self) -> None:
        """From the roster to the day on which certificates may be made."""
        ctx, people = self.world.ctx, self.people
        roster, photos = _roster(self.folder / "source", people)
        self._day(55)
        define_sitting(ctx, PROPOSER, sitting_toml(self.today))
        with self.stage("import"):
            report = import_roster(ctx, PROPOSER, SITTING, file_name=roster.name, content=roster, photos=photos)
        assert report.imported == len(people), report.findings[:3]
        self._day(52)
        with self.stage("open_notice"):
            review.open_notice(ctx, PROPOSER, SITTING)
        self._day(42)
        pending = people[::PENDING_EVERY]
        with self.stage("first_round"):
            self._decide(ReviewRound.FIRST, people, _first_finding)
        self._day(30)
        with self.stage("close_first_round"):
            review.close_first_round(ctx, PROPOSER, SITTING)
            review.open_supplementary(ctx, PROPOSER, SITTING)
        self._day(20)
        with self.stage("supplementary_round"):
            self._decide(ReviewRound.SUPPLEMENTARY, pending[1:], lambda _number: "合格")
        self._day(4)
        with self.stage("lapse"):  # one did not come (R7)
            review.lapse_supplementary(ctx, PROPOSER, SITTING)
        self._day(0)

    def issue(self, world: World, site: Path, workers: int, while_it_runs: Callable[["Issue"], None]) -> "Issue":
        """Ask for the batch, let workers make it, then count."""
        began = time.monotonic()
        issue = Issue(world, site, workers)
        issue.plan_s = time.monotonic() - began
        with issue.machine:
            while issue.runs():
                while_it_runs(issue)
            issue.seconds = time.monotonic() - began
            issue.wait_for_quiet()
        issue.count = count(world, site, issue.refused, {})
        return issue

    def copy(self) -> World:
        """The world as it stands now, beside this one: another database, another folder."""
        self.world.close()
        url = self.server.copy_database(self.world.settings.issuer_database)
        folder = self.folder / "copy"
        subprocess.run(["cp", "-a", "--reflink=auto", str(self.world.folder), str(folder)], check=True)
        return World(folder, SimulatedClock.on(self.today, hour=0), self.people, database_url=url)

    def _day(self, days_ago: int) -> None:
        self.clock.move_to(self.today - timedelta(days=days_ago), hour=0)

    def _decide(self, round: ReviewRound, people: tuple[Candidate, ...], finding: Callable[[int], str]) -> None:
        file = self.folder / "source" / f"{round.value}.csv"
        rows = [f"{person.admission_no},{finding(number)},document" for number, person in enumerate(people)]
        file.write_text("\n".join(["准考证号,核查结果,原因代码", *rows]), encoding="utf-8")
        report = review.apply_decisions(self.world.ctx, PROPOSER, SITTING, round, content=file)
        assert sum(report.moved.values()) == len(people), report.findings[:3]


class Issue:
    """A batch at work on a machine of its own."""

    def __init__(self, world: World, site: Path, workers: int) -> None:
        site.mkdir()
        self.world, self.site = world, site
        self.kills, self.plan_s, self.seconds = 0, 0.0, 0.0
        self.count: Count | None = None
        self.batch = request_batch(world.ctx, PROPOSER, world.sitting)
        self._conninfo = world.settings.issuer_database.replace("postgresql+psycopg", "postgresql")
        self.refused = self._numbers("SELECT registration_id FROM issuer.batch_items WHERE result = 'refused'")
        self.machine = Machine(world, site, workers=workers, urgent_workers=1)

    def runs(self, batch: int | None = None) -> bool:
        """Whether the batch (or another) is not finished; raises RuntimeError when nobody works on it."""
        self.machine.require_alive()
        time.sleep(0.1)
        return state_of(self.world.ctx, batch or self.batch) == "running"

    def published(self) -> int:
        """Certificates so far."""
        return self._ask("SELECT count(*) FROM issuer.batch_items WHERE result = 'published'")

    def kill_a_worker(self) -> None:
        """SIGKILL to the one that lived longest."""
        self.kills += self.machine.kill_oldest()

    def wait_for_quiet(self) -> None:
        """Until no job is left and the public record was told everything."""
        jobs = "SELECT count(*) FROM jobs.procrastinate_jobs"
        while self._ask(jobs) or self._ask("SELECT count(*) FROM issuer.outbox WHERE applied_at IS NULL"):
            time.sleep(0.2)
        time.sleep(8)  # what dead attempts left is removed every 6 s

    def _ask(self, query: str) -> int:
        return self._numbers(query)[0]

    def _numbers(self, query: str) -> list[int]:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            return [number for (number,) in connection.execute(query.encode()).fetchall()]


class Urgent:
    """One person's certificate asked for in the middle of the batch, timed until it is published."""

    def __init__(self, after: int) -> None:
        self._after, self.seconds = after, -1.0

    def __call__(self, issue: Issue) -> None:
        """Called while the batch runs."""
        if self.seconds >= 0 or issue.published() < self._after:
            return
        last = max(registration.id for registration in issue.world.registrations())
        began = time.monotonic()
        number = request_urgent(issue.world.ctx, PROPOSER, issue.world.sitting, last)
        while issue.runs(number):
            pass
        self.seconds = time.monotonic() - began
        print(f"  urgent: {self.seconds:.1f} s, {issue.published()} of the others published", flush=True)


class Killer:
    """Kills a worker every so many seconds."""

    def __init__(self, every: float) -> None:
        self._every, self._next = every, time.monotonic() + every

    def __call__(self, issue: Issue) -> None:
        """Called while the batch runs."""
        if time.monotonic() >= self._next:
            issue.kill_a_worker()
            self._next += self._every


def _first_finding(number: int) -> str:
    if number % PENDING_EVERY == 0:
        return "待核查"
    return "不合格" if number % INELIGIBLE_EVERY == 1 else "合格"


def _roster(folder: Path, people: tuple[Candidate, ...]) -> tuple[Path, Path]:
    """The exam centre's workbook and the archive of portraits."""
    csv_file, photos = write_files(folder, people)
    roster = folder / "roster.xlsx"
    with xlsxwriter.Workbook(roster, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate(csv_file.read_text(encoding="utf-8").splitlines()):
            for column, cell in enumerate(line.split(",")):
                marks = number and column in range(8, 8 + len(SUBJECTS))
                sheet.write_number(number, column, int(cell)) if marks else sheet.write_string(number, column, cell)
    return roster, photos


def main() -> int:
    """Play, issue, issue again under kills, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--kill-every", type=float, default=10.0)
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ecert-province-", dir=options.folder))
    province = Province(folder, options.people)
    try:
        province.play()
        before = province.copy()
        urgent = Urgent(options.people // 4)
        quiet = province.issue(province.world, folder / "quiet", options.workers, urgent)
        province.world.close()
        print(f"  issue: {quiet.seconds:.1f} s; again, a worker killed every {options.kill_every:.0f} s", flush=True)
        killed = province.issue(before, folder / "killed", options.workers, Killer(options.kill_every))
        before.close()
    finally:
        province.server.stop()
    province.stages |= {"plan": round(quiet.plan_s, 1), "issue": round(quiet.seconds - quiet.plan_s, 1)}
    assert quiet.count is not None and killed.count is not None, "counted at the end of an issue"
    good = quiet.count.good and killed.count.good and killed.kills > 0
    for each in (quiet.count, killed.count):
        print(f"  {each}", flush=True)
    if good:
        shutil.rmtree(folder)
    result = {
        "people": options.people,
        "stages": province.stages,
        "total_s": round(sum(province.stages.values()), 1),
        "issued_per_second": round(quiet.count.eligible / quiet.seconds, 1),
        "urgent_s": round(urgent.seconds, 1),
        "with_kills": {
            "seconds": round(killed.seconds, 1),
            "kills": killed.kills,
            "lost": killed.count.lost,
            "doubled": killed.count.doubled,
            "orphans": killed.count.orphans + killed.count.unknown_seals,
        },
    }
    print(json.dumps(result))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
