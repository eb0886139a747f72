"""The same issue on PostgreSQL: row locks instead of one writer, an advisory lock instead of a file."""

import threading
from pathlib import Path

import pytest

from issuer.errors import ConflictError, UnavailableError
from issuer.initialise import initialise
from issuer.issuance.service import issue_sitting
from issuer.issuance.supersede import approve_supersession, supersede
from issuer.settings import Settings
from tests.factories.world import APPROVER, PROPOSER, World
from tests.services.postgres import postgres_url  # noqa: F401 (a fixture)
from verifier.record.verdict import Verdict


def test_a_sitting_is_issued_once_by_whoever_is_first(postgres_url: str, tmp_path: Path) -> None:  # noqa: F811
    world = World.eligible(tmp_path / "data", people=5, database_url=postgres_url)
    outcomes: list[object] = []

    def issue() -> None:
        try:
            outcomes.append(issue_sitting(world.ctx, PROPOSER, world.sitting, 1).published)
        except ConflictError as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=issue) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome for outcome in outcomes if isinstance(outcome, int)) == 5
    assert world.issue().already == 5
    checker = world.checker()
    for row in world.certificates():
        assert checker.check_qr(world.qr_text(row)).verdict is Verdict.VALID
        assert checker.check_pdf(world.pdf(row)).verdict is Verdict.VALID

    old = world.certificates()[0]
    number = supersede(world.ctx, PROPOSER, old.management_no, "王晓明", "示例：更正证明。")
    new = world.certificate(approve_supersession(world.ctx, APPROVER, number))
    assert checker.check_token(old.token).verdict is Verdict.SUPERSEDED
    assert checker.check_token(new.token).verdict is Verdict.VALID
    world.close()


def test_a_database_belongs_to_the_keys_it_was_made_with(postgres_url: str, tmp_path: Path) -> None:  # noqa: F811
    first = World.eligible(tmp_path / "first", people=1, database_url=postgres_url)
    first.close()
    second = Settings(data_dir=tmp_path / "second", database_url=postgres_url, register_url=postgres_url)
    with pytest.raises(ConflictError, match="belongs"):
        initialise(second, first.clock)
    assert list((tmp_path / "second").iterdir()) == []
    away = Settings(data_dir=tmp_path / "third", database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(UnavailableError, match="cannot be opened"):
        initialise(away, first.clock)
