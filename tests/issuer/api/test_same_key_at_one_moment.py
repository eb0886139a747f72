"""One Idempotency-Key sent several times at the same moment, on both databases: one effect, one answer for all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.api.idempotency import is_replayed, once
from issuer.errors import ConflictError, Words
from issuer.records.database import make_engine
from issuer.records.sittings import NumberSeries
from tests.factories.small_world import SmallContext, race, small_context
from tests.services.postgres import postgres_url  # noqa: F401 - a fixture

ASKED_AT_ONCE = 5
CLERK = Actor("clerk", frozenset(), "api")


@pytest.fixture(params=["sqlite", "postgresql"])
def context(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallContext]:
    """A database of either kind with one series that stands at 1."""
    url = f"sqlite:///{tmp_path / 'issuer.sqlite3'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    engine = make_engine(url)
    context = small_context(engine, tmp_path)
    with context.database.write() as session:
        session.add(NumberSeries(series="s", next_serial=1))
    yield context
    engine.dispose()


def standing(context: SmallContext) -> int:
    """What a service answers with: read by a session of its own."""
    with context.database.read() as session:
        return session.scalars(select(NumberSeries.next_serial)).one()


def move(context: SmallContext) -> dict[str, int]:
    """An act that the law allows once: it locks, looks, and changes; then says how things stand."""
    with context.database.write() as session:
        row = session.scalars(select(NumberSeries).with_for_update()).one()
        if row.next_serial != 1:
            raise ConflictError("already", Words("已办理", "already done"))
        row.next_serial = 2
    return {"standing": standing(context)}


def count(context: SmallContext) -> dict[str, int]:
    """An act that nothing but the key keeps from happening twice."""
    with context.database.write() as session:
        row = session.scalars(select(NumberSeries).with_for_update()).one()
        row.next_serial += 1
    return {"standing": standing(context)}


@pytest.mark.parametrize("act", [move, count])
def test_one_key_at_one_moment_acts_once_and_answers_all_alike(context: SmallContext, act: Any) -> None:
    ctx: Any = context
    answers: list[Any] = race(
        *(lambda: once(ctx, CLERK, "k", "test.route", {"a": 1}, lambda: act(context)) for _ in range(ASKED_AT_ONCE))
    )
    assert [type(answer).__name__ for answer in answers] == ["JSONResponse"] * ASKED_AT_ONCE, answers
    bodies = [json.loads(answer.body) for answer in answers]
    assert bodies == [{"standing": 2}] * ASKED_AT_ONCE, "the answer tells of its own effect"
    assert sum(not is_replayed(answer) for answer in answers) == 1
    assert standing(context) == 2


def test_the_kept_answer_is_the_one_after_the_act(context: SmallContext) -> None:
    ctx: Any = context
    first = once(ctx, CLERK, "k", "test.route", {}, lambda: count(context))
    again = once(ctx, CLERK, "k", "test.route", {}, lambda: count(context))
    assert json.loads(first.body) == json.loads(again.body) == {"standing": standing(context)} == {"standing": 2}


def test_other_keys_do_not_wait_and_count_for_themselves(context: SmallContext) -> None:
    ctx: Any = context
    race(*(lambda n=n: once(ctx, CLERK, f"k{n}", "test.route", {}, lambda: count(context)) for n in range(3)))  # type: ignore[misc]
    assert standing(context) == 4
