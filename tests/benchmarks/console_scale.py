"""`make console-scale`: every page of the console over an office of a million people, timed on the server.

The office is filled by `tests.benchmarks.crowd`. The pages are all GET routes of the application under /console,
each with the numbers of real rows, as every role that may see it; a route without an address here fails the run. The
time held to the limit is what processors spend on a request, in this process and in PostgreSQL's, the median of
several; how long the answer took is printed beside it, and is the same plus little where nothing else runs. What is
not a page (workbooks, packs, pictures) is listed apart and held to no limit.

Options: --people, --rounds, --sqlite, --only (part of an address), --keep FOLDER (the filled office stays there; the
next run with it asks the same office again, on the same day of its clock). The last line is one JSON
object {"people", "database", "fill_s", "pages", "slowest_ms", "slowest_page", "waited_ms",
"largest_kb", "largest_page", "over", "files"}.
Exits 1 when a page takes more than 200 ms or 100 kB.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, text

from issuer.clock import SimulatedClock
from issuer.console.routes import ROUTERS
from issuer.initialise import initialise
from tests.benchmarks.console_pages import addresses
from tests.benchmarks.crowd import Copier, Crowd
from tests.factories.candidates import SITTING
from tests.factories.model_office import IN_REVIEW, KEPT, PEOPLE, POSTED, ModelOffice
from tests.factories.office import Office, office_over
from tests.factories.world import World
from tests.services.postgres import PostgresServer

SHARES = {SITTING: 88, IN_REVIEW: 6, POSTED: 4, KEPT: 2}
"""Per cent of the people in copies of each sitting: most are done with, as in a real register."""
MOST_MS, MOST_KB = 200.0, 100.0
SLOW_S = 5.0
"""What takes so long is asked once."""
OPTIONS = "-c shared_buffers=1GB -c max_wal_size=8GB -c max_parallel_workers_per_gather=0"
"""Without helpers, whose time would not be seen; with them an answer comes sooner."""
ROLES = ("issuer", "approver", "reviewer", "supervisor", "auditor", "operator")


@dataclass(frozen=True, slots=True)
class Asked:
    """One address asked as one role: medians in milliseconds, the size in kB (1,000 bytes).

    `milliseconds`: from request to answer. `busy`: what processors spent on it, here and in the database.
    """

    address: str
    role: str
    milliseconds: float
    busy: float
    kilobytes: float
    page: bool


class Crowded:
    """A filled office: its world and how many copies there are of what."""

    def __init__(self, folder: Path, people: int, server: PostgresServer | None) -> None:
        self.crowd = Crowd.of(people, PEOPLE, SHARES)
        self.filled = folder / "filled.json"
        if self.filled.exists():
            self.world = self._found(folder, people, server)
        else:
            self.world = self._made(folder, people, server)

    def _made(self, folder: Path, people: int, server: PostgresServer | None) -> World:
        """A model office, copied; `filled.json` says how to find it again: people, database, instant of its clock."""
        url = server.new_database() if server else None
        model = ModelOffice(folder, url)
        ctx = model.world.ctx
        Copier(ctx.database.engine, ctx.register_engine, self.crowd, PEOPLE).run()
        name = url.rpartition("/")[2] if url else None
        kept = {"people": people, "database": name, "now": ctx.clock.now().isoformat()}
        self.filled.write_text(json.dumps(kept), encoding="utf-8")
        return model.world

    def _found(self, folder: Path, people: int, server: PostgresServer | None) -> World:
        """The office that an earlier run left. Raises SystemExit where it is of another size or kind."""
        kept = json.loads(self.filled.read_text(encoding="utf-8"))
        if kept["people"] != people or bool(kept["database"]) != bool(server):
            sys.exit(f"{folder} holds another office: {kept}")
        url = server.url(kept["database"]) if server else None
        world = World(folder / "data", SimulatedClock(datetime.fromisoformat(kept["now"])), database_url=url)
        initialise(world.settings, world.clock)  # the tables may be those of an earlier version
        return world


class Processors:
    """Processor time of this process and of the database's processes that serve it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._others: list[Path] = []

    def look_around(self) -> None:
        """Find the database's processes; connections are kept, so they stay the same while one address is asked."""
        if self._engine.dialect.name == "postgresql":
            with self._engine.connect() as connection:
                rows = connection.execute(text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()"))
                self._others = [Path(f"/proc/{pid}/schedstat") for (pid,) in rows]

    def spent(self) -> float:
        """Milliseconds so far."""
        others = sum(int(place.read_text().split()[0]) for place in self._others if place.exists())
        return 1000 * time.process_time() + others / 1e6


def ask(office: Office, role: str, address: str, rounds: int, processors: Processors) -> Asked | None:
    """Ask once to warm, then `rounds` times; None where the role may not see it. Raises on any other answer."""
    times, busy = [], []
    desk = office.desk(role)
    works = office.world.ctx.works
    began = time.monotonic()
    answer = desk.get(address)
    works.close()
    if answer.status_code in (403, 404):  # another office's list is as if it were not there
        return None
    assert answer.status_code in (200, 303, 307), (address, role, answer.status_code, _title(answer.text))
    processors.look_around()
    for _ in range(1 if time.monotonic() - began > SLOW_S else rounds):
        before, began = processors.spent(), time.perf_counter()
        answer = desk.get(address)
        times.append(1000 * (time.perf_counter() - began))
        busy.append(processors.spent() - before)
        works.close()  # what goes on beside the page would be counted with the next
    page = answer.headers.get("content-type", "text/html").startswith("text/html")
    kilobytes = len(answer.content) / 1000
    return Asked(address, role, statistics.median(times), statistics.median(busy), kilobytes, page)


def _title(text: str) -> str:
    """What an error page says first."""
    return text.partition("<h1")[2][:300]


def ask_all(crowded: Crowded, office: Office, rounds: int, only: str) -> list[Asked]:
    """Every page as every role that may see it, the slowest first. Raises KeyError for a route left out."""
    known = addresses(office.world, crowded.crowd)
    paths = [route.path for router in ROUTERS for route in router.routes if "GET" in route.methods]  # type: ignore[attr-defined]
    left_out = [path for path in paths if path not in known and "{" in path]
    assert not left_out, f"no address in console_pages: {left_out}"
    wanted = [address for path in paths for address in known.get(path, [path]) if only in address]
    found, failed = [], []
    processors = Processors(office.world.ctx.database.engine)
    for role in ROLES:
        for address in wanted:
            try:
                asked = ask(office, role, address, rounds, processors)
            except AssertionError as answer:
                failed.append(str(answer))
                print(answer, file=sys.stderr)  # at once: asking the others takes its time
            else:
                found += [asked] if asked else []
    assert not failed, "\n".join(failed)
    unseen = set(wanted) - {each.address for each in found}
    assert not unseen, f"no role sees {sorted(unseen)}"
    return sorted(found, key=lambda each: -each.busy)


def main() -> int:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sqlite", action="store_true", help="the embedded database instead of PostgreSQL")
    parser.add_argument("--only", default="", help="only addresses that hold this text")
    parser.add_argument("--keep", type=Path, help="keep the filled office here, and use the one that is here")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="ecert-console-"))
    server = None if options.sqlite else PostgresServer(OPTIONS, folder / "server" if options.keep else None)
    try:
        began = time.monotonic()
        crowded = Crowded(folder, options.people, server)
        fill = round(time.monotonic() - began)
        print(f"{options.people} people, filled in {fill} s", flush=True)
        with office_over(crowded.world) as office:
            found = ask_all(crowded, office, options.rounds, options.only)
        crowded.world.close()
    finally:
        if server and options.keep:
            server.leave()
        elif server:
            server.stop()
        if not options.keep:
            shutil.rmtree(folder)
    return report(options.people, "sqlite" if options.sqlite else "postgresql", fill, found)


def report(people: int, database: str, fill: int, found: list[Asked]) -> int:
    """Print the table and the figures; the exit code."""
    for each in found:
        kind = "" if each.page else "  (file)"
        figures = f"{each.busy:8.1f} ms busy {each.milliseconds:8.1f} ms {each.kilobytes:7.1f} kB"
        print(f"{figures}  {each.role:10} {each.address}{kind}")
    pages = [each for each in found if each.page]
    over = [each for each in pages if each.busy > MOST_MS or each.kilobytes > MOST_KB]
    largest = max(pages, key=lambda each: each.kilobytes)
    print(
        json.dumps(
            {
                "people": people,
                "database": database,
                "fill_s": fill,
                "pages": len(pages),
                "slowest_ms": round(pages[0].busy, 1),
                "slowest_page": f"{pages[0].role} {pages[0].address}",
                "waited_ms": round(max(each.milliseconds for each in pages), 1),
                "largest_kb": round(largest.kilobytes, 1),
                "largest_page": f"{largest.role} {largest.address}",
                "over": sorted({each.address for each in over}),
                "files": {each.address: round(each.milliseconds) for each in reversed(found) if not each.page},
            },
            ensure_ascii=False,
        )
    )
    return int(bool(over))


if __name__ == "__main__":
    sys.exit(main())
