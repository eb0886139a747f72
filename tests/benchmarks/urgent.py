"""`make urgent`: one urgent certificate behind 50,000 waiting jobs, on PostgreSQL, with `ecert worker`'s workers.

Measured twice: with a worker for urgent jobs alone, as `ecert worker` keeps one beside the others, and with a single
worker that has everything to do and must put it first. Options: --jobs, --folder. The last line is one JSON object
{"jobs", "urgent_s", "urgent_s_one_worker", "left"}: seconds from the request until it is published, and the jobs that
still waited then (with one worker). Exits 1 when either took longer than 15 s.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from issuer.issuance.batches import state_of
from issuer.issuance.requests import request_batch, request_urgent
from issuer.jobs.distributed import TASK
from tests.factories.world import PROPOSER, World
from tests.faults.machine import Machine
from tests.services.postgres import PostgresServer

LONGEST_S = 15.0
PEOPLE = 60


def measure(server: PostgresServer, folder: Path, jobs: int, *, beside: bool) -> tuple[float, int]:
    """Seconds until the urgent one is published, and jobs that waited then."""
    world = World.eligible(folder / "data", people=PEOPLE, database_url=server.new_database())
    site = folder / "site"
    site.mkdir()
    request_batch(world.ctx, PROPOSER, world.sitting)
    # The batch's own jobs many times over: a chunk can be run any number of times.
    copies = text(
        "INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, priority, args)"
        " SELECT queue_name, task_name, priority, args FROM jobs.procrastinate_jobs, generate_series(1, :times)"
        " WHERE task_name = :task"
    )
    waiting = text("SELECT count(*) FROM jobs.procrastinate_jobs WHERE queue_name <> 'urgent'")
    with world.ctx.database.write() as session:
        first = session.execute(waiting).scalar_one()
        session.execute(text("SET LOCAL search_path TO jobs"))
        session.execute(copies, {"times": max(1, jobs // first - 1), "task": TASK})
    with Machine(world, site, urgent_workers=int(beside)) as machine:
        machine.wait_until_ready(1 + beside)
        began = time.monotonic()
        last = world.registrations()[-1].id
        batch = request_urgent(world.ctx, PROPOSER, world.sitting, last)
        while state_of(world.ctx, batch) == "running":
            machine.require_alive()
            time.sleep(0.02)
        seconds = time.monotonic() - began
    with world.ctx.database.read() as session:
        left = session.execute(waiting).scalar_one()
    world.close()
    return seconds, left


def main() -> int:
    """Measure both ways, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ecert-urgent-", dir=options.folder))
    server = PostgresServer("-c fsync=on")
    try:
        beside, _ = measure(server, folder / "beside", options.jobs, beside=True)
        alone, left = measure(server, folder / "alone", options.jobs, beside=False)
    finally:
        server.stop()
        shutil.rmtree(folder)
    result = {
        "jobs": options.jobs,
        "urgent_s": round(beside, 2),
        "urgent_s_one_worker": round(alone, 2),
        "left": left,
    }
    print(json.dumps(result))
    return int(max(beside, alone) > LONGEST_S)


if __name__ == "__main__":
    sys.exit(main())
