"""Large acts on PostgreSQL: written to the queue with what they are for, and done by a worker process."""

import time
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy import text

from issuer.invalidation import mass
from issuer.invalidation.mass_file import Defaults
from issuer.invalidation.mass_report import show_many
from issuer.issuance.extensions import progress_of, request_extensions
from issuer.jobs.worker import work
from issuer.rules.terms import InvalidationGround
from tests.factories.world import APPROVER, PROPOSER, World
from tests.services.postgres import postgres_url  # noqa: F401 (a fixture)
from verifier.record.verdict import Verdict

DEFAULTS = Defaults(InvalidationGround.INELIGIBLE_IN_SUPERVISION, "豫人社函〔2024〕25号一（三）：不符合报考条件")


def test_a_worker_carries_a_list_out_and_renews_files(postgres_url: str, tmp_path: Path) -> None:  # noqa: F811
    world = World.eligible(tmp_path / "data", people=4, database_url=postgres_url)
    world.issue()
    ctx = world.ctx
    assert ctx.settings.jobs_engine == "workers"
    path = tmp_path / "list.csv"
    path.write_text("\n".join(["管理号", *(row.management_no for row in world.certificates()[:3])]), encoding="utf-8")
    act = mass.propose_many(ctx, PROPOSER, path, DEFAULTS, mass.plan_many(ctx, PROPOSER, path, DEFAULTS).digest)
    renewal = request_extensions(ctx, PROPOSER, sitting_code=world.sitting)
    assert act is not None and renewal is not None
    with ctx.database.write() as session:  # as from a backup without its queue: what is unfinished gets jobs again
        session.execute(text("SET LOCAL search_path TO jobs"))
        session.execute(text("DELETE FROM jobs.procrastinate_jobs"))
    assert ctx.jobs.resume() == 2
    assert ctx.jobs.resume() == 0, "what has a job gets no second one"
    process = get_context("spawn").Process(target=work, args=(world.settings,), kwargs={"clock": world.clock})
    process.start()
    try:
        until(lambda: show_many(ctx, PROPOSER, act).state == "proposed")
        until(lambda: progress_of(ctx, PROPOSER, renewal)["state"] == "done")
        assert progress_of(ctx, PROPOSER, renewal)["counts"]["done"] == 4
        mass.decide_many(ctx, APPROVER, act, "approve")
        until(lambda: show_many(ctx, PROPOSER, act).state == "done")
    finally:
        process.terminate()
        process.join(120)
    checker = world.checker()
    verdicts = [checker.check_pdf(world.pdf(row)).verdict for row in world.certificates()]
    assert verdicts == [Verdict.INVALID] * 3 + [Verdict.VALID]
    world.close()


def until(holds: object) -> None:
    limit = time.monotonic() + 400
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < limit
        time.sleep(0.1)
