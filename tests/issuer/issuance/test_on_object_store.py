"""The same issue with files in an S3 bucket: what is published is what lies there, and lost attempts do not."""

import hashlib
from pathlib import Path

import pytest

from issuer.issuance.files import read_file
from issuer.issuance.intent import intend
from issuer.issuance.leftovers import remove_lost_files
from issuer.issuance.workers import file_key
from tests.factories.world import PROPOSER, World
from tests.services.object_store import object_store  # noqa: F401 (a fixture)
from verifier.record.verdict import Verdict


def test_certificates_are_kept_and_read_back_from_the_bucket(
    object_store: str,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ECERT_STORAGE_URL", object_store)
    world = World.eligible(tmp_path / "data", people=3)
    ctx = world.ctx
    assert not (world.folder / "files" / "certificates").exists()
    numbers = [row.id for row in world.registrations()]
    orders = intend(ctx, PROPOSER, world.sitting, numbers).orders
    lost = [file_key(order.content.list_id, order.content.token, order.attempt) for order in orders]
    ctx.storage.put(lost[0], b"sealed by a worker that died before it could write so down")

    assert world.issue().published == 3
    rows = world.certificates()
    assert {row.file_key for row in rows}.isdisjoint(lost), "a second attempt has a file of its own"
    assert lost[0] not in ctx.storage.list("certificates"), "removed at the end of the issue"
    ctx.storage.put(lost[0], b"sealed by a worker that was frozen, woke and died")
    assert remove_lost_files(ctx) == 3
    assert ctx.storage.list("certificates") == tuple(sorted(row.file_key or "" for row in rows))
    checker = world.checker()
    for row in rows:
        content = read_file(ctx, row)
        assert hashlib.sha256(content).hexdigest() == row.file_sha256
        assert checker.check_pdf(content).verdict is Verdict.VALID
    assert ctx.storage.list("photos")
    world.close()
