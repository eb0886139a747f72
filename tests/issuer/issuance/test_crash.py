"""SIGKILL at every step of an issue: a rerun finishes with the same numbers and tokens, and nothing twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from issuer.records.certificates import Batch, BatchItem, ECertificate, StatusEvent
from issuer.records.ledger import SealIntent
from issuer.records.sittings import NumberSeries
from tests.factories.killed_issue import BETWEEN
from tests.factories.world import World
from verifier.record.verdict import Verdict

ROOT = Path(__file__).parents[3]
STEPS = [("intended", 1), ("pressed", 3), ("recorded", 1), (BETWEEN, 1), ("published", 1), ("closed", 1)]


@pytest.mark.parametrize(("step", "occurrence"), STEPS, ids=[step for step, _ in STEPS])
def test_a_rerun_after_sigkill_finishes_the_same_certificates(
    eligible_world: World, step: str, occurrence: int
) -> None:
    eligible_world.close()
    command = [
        sys.executable,
        "-m",
        "tests.factories.killed_issue",
        str(eligible_world.folder),
        step,
        str(occurrence),
    ]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    with eligible_world.ctx.database.read() as session:
        begun = {row.token: row.management_no for row in session.scalars(select(ECertificate))}
    assert len(begun) == 8

    eligible_world.issue()

    certificates = eligible_world.certificates()
    assert {row.token: row.management_no for row in certificates} == begun
    files = eligible_world.ctx.storage.list("certificates")
    assert files == tuple(sorted(row.file_key or "" for row in certificates)), "no file of an attempt that died"
    checker = eligible_world.checker()
    for row in certificates:
        assert checker.check_qr(eligible_world.qr_text(row)).verdict is Verdict.VALID
        assert checker.check_pdf(eligible_world.pdf(row)).verdict is Verdict.VALID
    with eligible_world.ctx.database.read() as session:
        assert len(list(session.scalars(select(StatusEvent)))) == 8
        serials = {row.series: row.next_serial - 1 for row in session.scalars(select(NumberSeries))}
        assert serials.pop("status-list-entries") == 8
        assert sum(serials.values()) == 8, "no number was spent twice"
        sealed = {row.sealed_sha256 for row in session.scalars(select(SealIntent)) if row.sealed_sha256}
        assert {row.file_sha256 for row in certificates} <= sealed, "no seal the database does not know"
        assert {row.state for row in session.scalars(select(Batch))} == {"done"}
        results = {row.result for row in session.scalars(select(BatchItem))}
        assert results == {"published"}
    again = eligible_world.issue()
    assert (again.published, again.already) == (0, 8)
