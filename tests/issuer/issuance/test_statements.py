"""A group of certificates costs the database the same number of questions, however many there are in it."""

from collections import Counter
from pathlib import Path

from sqlalchemy import event

from issuer.issuance.batches import open_batch
from issuer.issuance.chunk import issue_chunk
from issuer.issuance.service import preview_issue
from tests.factories.world import PROPOSER, World
from tests.services.postgres import postgres_url  # noqa: F401 (a fixture)


def test_statements_do_not_grow_with_the_group(postgres_url: str, tmp_path: Path) -> None:  # noqa: F811
    world = World.eligible(tmp_path / "data", people=8, database_url=postgres_url)
    ctx = world.ctx
    numbers = [registration.id for registration in world.registrations()]
    batch = open_batch(ctx, PROPOSER, preview_issue(ctx, PROPOSER, world.sitting))
    asked: Counter[str] = Counter()

    def ask(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked[statement[:80]] += 1  # what it asks; how many values follow differs

    for engine in (ctx.database.engine, ctx.register_engine):
        event.listen(engine, "before_cursor_execute", ask)
    seen = []
    for group in (numbers[:1], numbers[1:3], numbers[3:8]):
        asked.clear()
        issue_chunk(ctx, batch, group)
        seen.append(Counter(asked))
    assert len(world.certificates()) == 8
    two, five = seen[1], seen[2]
    assert {statement: times for statement, times in five.items() if times - two[statement] >= 3} == {}
    world.close()
