"""The stock-take finds each kind of disagreement, once, and lets go of it when it is mended."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from issuer import doctor
from issuer.access.actor import SYSTEM
from issuer.personal_data import stock_take
from issuer.personal_data.housekeeping import keep_house
from issuer.personal_data.stock_take import last_take, standing_findings, take_portion
from issuer.records.ledger import AuditEvent, SealIntent
from tests.factories.world import World
from verifier.record.tables import certificates, log_checkpoints, log_leaves, status_lists
from verifier.record.tables import files as public_files


def whole_take(world: World) -> set[tuple[str, str]]:
    """One stock-take from beginning to end; what stands afterwards."""
    while not take_portion(world.ctx, SYSTEM).finished:
        continue
    with world.ctx.database.read() as session:
        return {(row.kind, row.subject) for row in standing_findings(session)}


def register(world: World, *statements: object) -> None:
    """Tamper with the public record behind the issuer's back."""
    with world.ctx.register_engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def test_in_order_nothing_is_found_portion_by_portion(world_copy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock_take, "PORTION", 3)
    seen = [take_portion(world_copy.ctx, SYSTEM) for _ in range(4)]
    assert [(each.examined, each.finished) for each in seen] == [(3, False), (6, False), (8, False), (8, True)]
    assert {each.take for each in seen} == {1} and seen[-1].found == 0
    with world_copy.ctx.database.read() as session:
        take = last_take(session)
    assert take is not None and take.file_bytes == sum(row.file_size or 0 for row in world_copy.certificates())


def test_each_disagreement_is_named_and_settled_once_mended(world_copy: World) -> None:
    ctx = world_copy.ctx
    rows = world_copy.certificates()
    tokens = [row.token for row in rows]
    kept = [ctx.storage.get(row.file_key or "") for row in rows[:2]]
    ctx.storage.delete(rows[0].file_key or "")
    ctx.storage.put(rows[1].file_key or "", kept[1] + b"\n")
    register(
        world_copy,
        update(certificates).where(certificates.c.token == tokens[2]).values(status="invalid"),
        update(certificates).where(certificates.c.token == tokens[3]).values(credential_sha256="0" * 64),
        public_files.delete().where(public_files.c.token == tokens[4]),
        log_leaves.delete().where(log_leaves.c.token == tokens[5]),
        update(log_leaves).where(log_leaves.c.token == tokens[6]).values(leaf=b"\x80"),
    )
    with closing(sqlite3.connect(world_copy.folder / "register.sqlite3")) as raw:  # which minds no foreign keys
        raw.execute("UPDATE certificates SET token = ? WHERE token = ?", ("X" * 26, tokens[7]))
        raw.commit()
    with ctx.database.write() as session:
        session.execute(
            update(SealIntent).where(SealIntent.certificate_id == rows[3].id).values(sealed_sha256="1" * 64)
        )
    place = {index: f"certificate:{row.id}" for index, row in enumerate(rows)}
    assert whole_take(world_copy) == {
        ("file-missing", place[0]),
        ("file-changed", place[1]),
        ("record-status", place[2]),
        ("record-credential", place[3]),
        ("seal-unknown", place[3]),
        ("record-file", place[4]),
        ("log-missing", place[5]),
        ("log-changed", place[6]),
        ("record-missing", place[7]),
        ("record-unknown", f"token:{'X' * 26}"),
        ("log-size", "log"),
    }
    with ctx.database.read() as session:
        first = {row.subject: row.id for row in standing_findings(session)}
        trail = session.scalars(select(AuditEvent.act).order_by(AuditEvent.sequence))
        events = [act for act in trail if act.startswith("stock-take")]
    assert events == ["stock-take.found", "stock-take.found", "stock-take.done"]
    found = next(item for item in doctor.examine(ctx) if item.name == "stock-take")
    assert found.ok is False and "11" in found.zh
    for row, content in zip(rows, kept, strict=False):
        ctx.storage.put(row.file_key or "", content)
    again = whole_take(world_copy)
    assert ("file-missing", place[0]) not in again and ("file-changed", place[1]) not in again and len(again) == 9
    with ctx.database.read() as session:
        assert {row.subject: row.id for row in standing_findings(session)}.items() <= first.items(), (
            "none is told twice"
        )


def test_the_status_list_is_compared_bit_by_bit(world_copy: World) -> None:
    register(world_copy, update(status_lists).values(packed=bytes([0xFF]) * (1 << 15)))
    assert {kind for kind, _ in whole_take(world_copy)} == {"list-status"}
    register(world_copy, log_checkpoints.delete())
    assert "log-size" in {kind for kind, _ in whole_take(world_copy)}


def test_it_goes_on_by_itself_and_begins_anew_a_day_later(world_copy: World) -> None:
    ctx = world_copy.ctx
    while keep_house(ctx):
        continue
    assert not keep_house(ctx)
    with ctx.database.read() as session:
        assert (take := last_take(session)) is not None and take.finished_at is not None
    world_copy.clock.move_to(world_copy.clock.today() + timedelta(days=366))  # type: ignore[attr-defined]
    keep_house(ctx)
    with ctx.database.read() as session:
        assert (later := last_take(session)) is not None and later.id == take.id + 1
