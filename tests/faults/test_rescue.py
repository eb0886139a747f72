"""Jobs of dead workers go back to the queue: of known dead ones at once, of silent ones after a while."""

import time
from pathlib import Path

import psycopg

from issuer.issuance.requests import request_batch
from issuer.jobs.rescue import STALLED_SECONDS, Rescuer
from tests.factories.world import PROPOSER, World
from tests.services.postgres import postgres_url  # noqa: F401 (a fixture)


def test_the_process_above_gives_back_what_its_dead_and_silent_workers_held(
    postgres_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    world = World.eligible(tmp_path / "data", people=60, database_url=postgres_url)
    request_batch(world.ctx, PROPOSER, world.sitting)
    conninfo = postgres_url.replace("+psycopg", "")
    options = "-c search_path=jobs"
    with psycopg.connect(conninfo, autocommit=True, options=options) as connection:
        register = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + %s::interval) RETURNING id"
        ages = ("1 hour", "1 hour", f"-{STALLED_SECONDS + 1} seconds")
        living, dead, silent = (connection.execute(register, (age,)).fetchone()[0] for age in ages)  # type: ignore[index]
        for worker in (living, dead, silent):
            job = connection.execute("SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", (worker,)).fetchone()
            assert job is not None

        def held() -> set[int]:
            query = "SELECT worker_id FROM procrastinate_jobs WHERE status = 'doing'"
            return {worker for (worker,) in connection.execute(query)}

        assert held() == {living, dead, silent}
        rescuer = Rescuer(world.settings)
        rescuer.start()
        try:
            rescuer.bury(dead)
            end = time.monotonic() + 120
            while held() != {living} and time.monotonic() < end:
                time.sleep(0.02)
            assert held() == {living}
        finally:
            rescuer.stop()
            rescuer.join(120)
        assert not rescuer.is_alive()
    world.close()
