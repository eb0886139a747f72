"""`make growth`: what issuing and looking up cost with ten thousand, a hundred thousand, a million certificates.

One PostgreSQL database is filled to each size in turn (`large_office`); at each, groups of 25 are issued by the code
workers run, and staff and public look-ups are asked. Besides milliseconds, which depend on what else the machine
does, the rows that PostgreSQL read are counted: they stay the same, or something grows.

Options: --sizes (ascending; 10000000 wants 60 GB of disk), --groups, --folder. The last line is one JSON object
{"sizes", "issue_ms", "issue_database_ms", "rows_per_certificate", "lookup_ms": {name: […]}, "rows_per_lookup",
"bytes_per_certificate", "ratio_issue", "ratio_rows", "ratio_lookup"}, ratios of the last size to the first, for
look-ups the worst. Exits 1 when the rows read per certificate or per look-up have more than doubled.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import Engine, event, select

from issuer.audit_view import list_events
from issuer.issuance.chunk import issue_chunk
from issuer.issuance.leftovers import remove_lost_files
from issuer.issuance.plan import plan_issue
from issuer.issuance.queries import show_batch, show_certificate
from issuer.issuance.requests import list_batches, list_items, request_batch
from issuer.issuance.search import find_by_person, list_certificates
from issuer.records.certificates import BatchItem
from issuer.rules.terms import Role
from tests.benchmarks.large_office import FIRST, digest, grow
from tests.factories.world import PROPOSER, World
from tests.services.postgres import PostgresServer
from verifier.record.register import SqlRegister

GROUP = 25
ASKED = 40
DOUBLED = 2.0
NOISE_ROWS = 100.0
"""Rows a look-up may read more than before without saying that it grows: the few sittings and batches (one for
20,000 certificates) are read whole, because that is quicker than their index."""


class Measured:
    """Times spent in the database, and rows it read."""

    def __init__(self, conninfo: str, engines: tuple[Engine, ...]) -> None:
        self._conninfo = conninfo
        self.seconds = 0.0
        for engine in engines:
            event.listen(engine, "before_cursor_execute", self._before)
            event.listen(engine, "after_cursor_execute", self._after)

    def _before(self, connection: object, *_: object) -> None:
        self._began = time.perf_counter()

    def _after(self, connection: object, *_: object) -> None:
        self.seconds += time.perf_counter() - self._began

    def rows(self) -> int:
        """Rows read in our tables so far, by index or by scan, as PostgreSQL counts them."""
        query = (
            "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables"
            " WHERE schemaname IN ('issuer', 'public_record')"
        )
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0


class Office:
    """A world on PostgreSQL in which one sitting is being issued, beside any number of earlier certificates."""

    def __init__(self, folder: Path, groups: int) -> None:
        self.server = PostgresServer("-c shared_buffers=1GB -c max_wal_size=8GB")
        self.world = World.eligible(folder / "data", people=groups * GROUP, database_url=self.server.new_database())
        self.conninfo = self.world.settings.issuer_database.replace("postgresql+psycopg", "postgresql")
        ctx = self.world.ctx
        self.measured = Measured(self.conninfo, (ctx.database.engine, ctx.register_engine))
        self.register = SqlRegister(self.world.settings.register_database)
        self.batch = request_batch(ctx, PROPOSER, self.world.sitting)
        self._next()  # warms what is kept in the process
        self.model = self.world.certificates()[0].management_no
        self.certificates = 0

    def grow(self, size: int) -> None:
        """Fill up to so many earlier certificates."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            grow(connection, self.model, self.certificates, size)
        self.certificates = size

    def bytes(self) -> int:
        """What the database takes on disk."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0

    def issue(self, groups: int) -> tuple[float, float, float]:
        """Per certificate: milliseconds, of them in the database, rows read. Medians over the groups."""
        whole, database, rows = [], [], []
        for _ in range(groups):
            with self._counting() as found:
                self._next()
            whole.append(found[0] / GROUP)
            database.append(found[1] / GROUP)
            rows.append(found[2] / GROUP)
        return statistics.median(whole), statistics.median(database), statistics.median(rows)

    def lookups(self) -> dict[str, tuple[float, float]]:
        """By name: milliseconds and rows read, each look-up asked of `ASKED` certificates spread over all."""
        return {name: self._ask(ask) for name, ask in self._questions().items()}

    def _questions(self) -> dict[str, Callable[[int, str, str], object]]:
        world, register = self.world, self.register
        ctx, someone = world.ctx, world.people[0]

        def plan(_g: int, _token: str, _file: str) -> None:
            with ctx.database.read() as session:
                plan_issue(session, ctx.clock, world.sitting, ctx.settings.verify_base_url)

        return {
            "certificate by number": lambda g, _t, _f: show_certificate(ctx, PROPOSER, f"OLD{g}"),
            "newest certificates": lambda _g, _t, _f: list_certificates(ctx, PROPOSER),
            "certificates of a sitting": lambda g, _t, _f: list_certificates(
                ctx, PROPOSER, sitting_code=f"OLD-{g // 20_000}"
            ),
            "invalid certificates": lambda _g, _t, _f: list_certificates(ctx, PROPOSER, status="invalid"),
            "suspended certificates": lambda _g, _t, _f: list_certificates(ctx, PROPOSER, status="suspended"),
            "by ID number": lambda _g, _t, _f: find_by_person(ctx, PROPOSER, id_no=someone.id_no),
            "by name": lambda _g, _t, _f: find_by_person(ctx, PROPOSER, name=someone.name),
            "batches": lambda _g, _t, _f: list_batches(ctx, PROPOSER),
            "batch": lambda _g, _t, _f: show_batch(ctx, PROPOSER, self.batch),
            "outcomes of a batch": lambda g, _t, _f: list_items(ctx, PROPOSER, FIRST + g // 20_000),
            "plan of a sitting": plan,
            "audit events": lambda _g, _t, _f: list_events(ctx, PROPOSER_AND_AUDITOR),
            "nothing to publish": lambda _g, _t, _f: ctx.publish(),
            "nothing to tidy": lambda _g, _t, _f: remove_lost_files(ctx),
            "batches without jobs": lambda _g, _t, _f: ctx.jobs.resume(),
            "public: by token": lambda _g, token, _f: register.by_token(token),
            "public: history": lambda _g, token, _f: register.history(token),
            "public: by file": lambda _g, _t, file: register.by_file(file),
            "public: by number": lambda g, _t, _f: register.by_number_digest(digest("number", g)),
            "public: by number and name": lambda g, _t, _f: register.by_holder_digest(digest("holder", g)),
        }

    def _ask(self, ask: Callable[[int, str, str], object]) -> tuple[float, float]:
        step = max(1, self.certificates // ASKED)
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            asked = connection.execute(
                "SELECT id - %s, token, file_sha256 FROM issuer.e_certificates WHERE id = ANY(%s)",
                (FIRST, [FIRST + number for number in range(1, self.certificates, step)]),
            ).fetchall()
        ask(*asked[0])
        times = []
        with self._counting() as found:
            for each in asked:
                began = time.perf_counter()
                ask(*each)
                times.append(1000 * (time.perf_counter() - began))
        return statistics.median(times), found[2] / len(asked)

    @contextmanager
    def _counting(self) -> Iterator[list[float]]:
        """Milliseconds, of them in the database, rows; known after the block."""
        # A session tells what it read when it is idle for a second, or when it ends.
        self._settle()
        rows, inside, began = self.measured.rows(), self.measured.seconds, time.perf_counter()
        found: list[float] = []
        yield found
        found += [1000 * (time.perf_counter() - began), 1000 * (self.measured.seconds - inside)]
        self._settle()
        found.append(self.measured.rows() - rows)

    def _settle(self) -> None:
        self.register.close()
        for engine in (self.world.ctx.database.engine, self.world.ctx.register_engine):
            engine.dispose()
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            others = (
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend' AND application_name = ''"
            )
            end = time.monotonic() + 5
            while connection.execute(others).fetchone() and time.monotonic() < end:
                time.sleep(0.01)
            connection.execute("SELECT pg_stat_clear_snapshot()")

    def _next(self) -> None:
        """Issue to the next group of the sitting."""
        ctx = self.world.ctx
        waiting = select(BatchItem.registration_id).where(
            BatchItem.batch_id == self.batch, BatchItem.result == "waiting"
        )
        with ctx.database.read() as session:
            numbers = list(session.scalars(waiting.order_by(BatchItem.registration_id).limit(GROUP)))
        assert len(numbers) == GROUP, "people left"
        issue_chunk(ctx, self.batch, numbers)

    def close(self) -> None:
        """Stop the server."""
        self.world.close()
        self.server.stop()


PROPOSER_AND_AUDITOR = type(PROPOSER)("zhao.auditor", frozenset({Role.AUDITOR}), "cli")


def main() -> int:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ecert-growth-", dir=options.folder))
    office = Office(folder, 1 + options.groups * len(options.sizes))
    empty = office.bytes()
    issued, asked = [], []
    try:
        for size in options.sizes:
            began = time.monotonic()
            office.grow(size)
            print(f"{size} certificates, filled in {time.monotonic() - began:.0f} s", flush=True)
            issued.append(office.issue(options.groups))
            whole, inside, rows = issued[-1]
            print(f"  issue: {whole:.1f} ms a certificate, {inside:.2f} in the database, {rows:.0f} rows", flush=True)
            asked.append(office.lookups())
            for name, (milliseconds, rows) in asked[-1].items():
                print(f"  {name}: {milliseconds:.2f} ms, {rows:.0f} rows", flush=True)
        size_on_disk = (office.bytes() - empty) / options.sizes[-1]
    finally:
        office.close()
        shutil.rmtree(folder)
    names = list(asked[0])
    ratio_rows = issued[-1][2] / issued[0][2]
    worse = {
        name: asked[-1][name][1] / max(asked[0][name][1], 1.0)
        for name in names
        if asked[-1][name][1] - asked[0][name][1] > NOISE_ROWS
    }
    result = {
        "sizes": options.sizes,
        "issue_ms": [round(each[0], 1) for each in issued],
        "issue_database_ms": [round(each[1], 2) for each in issued],
        "rows_per_certificate": [round(each[2], 1) for each in issued],
        "lookup_ms": {name: [round(each[name][0], 2) for each in asked] for name in names},
        "rows_per_lookup": {name: [round(each[name][1], 1) for each in asked] for name in names},
        "bytes_per_certificate": round(size_on_disk),
        "ratio_issue": round(issued[-1][0] / issued[0][0], 2),
        "ratio_rows": round(ratio_rows, 2),
        "ratio_lookup": round(max(asked[-1][name][0] / asked[0][name][0] for name in names), 2),
    }
    print(f"grows: {', '.join(name for name, ratio in worse.items() if ratio > DOUBLED) or 'nothing'}")
    print(json.dumps(result, ensure_ascii=False))
    return int(ratio_rows > DOUBLED or any(ratio > DOUBLED for ratio in worse.values()))


if __name__ == "__main__":
    sys.exit(main())
