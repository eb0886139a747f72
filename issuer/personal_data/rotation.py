"""Rotation of the data keys: a new one is used at once everywhere, the old one goes when nothing rests under it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import ConflictError, NotFoundError, UnavailableError, Words
from issuer.personal_data import ring
from issuer.personal_data.moving import count_indexed_before, count_under, unfinished
from issuer.records.database import Database
from issuer.records.encryption import FIRST
from issuer.records.personal_data import DataKeyRecord, DataKeyUse
from issuer.rules.terms import Role

SETTLING = timedelta(hours=1)
"""So long after a rotation its old key stays: what was sealed just before may be on its way to storage."""
LOCK_WAIT = "5s"


@dataclass(frozen=True, slots=True)
class KeyState:
    """One data key. `present`: its file is on this machine."""

    number: int
    made_at: datetime | None
    retired_at: datetime | None
    seals: bool
    indexes: bool
    present: bool


def list_data_keys(ctx: Context) -> list[KeyState]:
    """Every data key there ever was, oldest first."""
    with ctx.database.read() as session:
        rows = {row.number: row for row in session.scalars(select(DataKeyRecord))}
        use = session.get(DataKeyUse, 1)
    ctx.data_key.read_again()
    numbers = sorted({FIRST, *rows, *ctx.data_key.numbers})
    seals, indexes = (use.value_key, use.index_key) if use else (FIRST, FIRST)
    return [
        KeyState(
            number,
            rows[number].made_at if number in rows else None,
            rows[number].retired_at if number in rows else None,
            number == seals,
            number == indexes,
            number in ctx.data_key.numbers,
        )
        for number in numbers
    ]


def rotate(ctx: Context, actor: Actor, *, values_only: bool = False) -> int:
    """Make a new data key and use it for everything new; returns its number.

    values_only: blind indexes stay under the key they have. When this returns, no unit of work on any machine seals
    with the old key. Raises ConflictError (the last rotation is not finished), UnavailableError (a long unit of work
    is under way).
    """
    actor.require(Role.OPERATOR)
    if unfinished(ctx):
        raise ConflictError(
            "rotation-unfinished",
            Words("上一次更换尚未完成，未作任何改动。", "The last rotation is not finished; nothing was changed."),
            remedy=Words("先运行 `ecert keys move-data`。", "Run `ecert keys move-data` first."),
        )
    keys_dir = ctx.settings.keys_dir
    with ctx.database.read() as session:
        number = (session.scalar(select(func.max(DataKeyRecord.number))) or FIRST) + 1
    ring.keep_digests(keys_dir, ctx.data_key)
    if not ring.key_file(keys_dir, number).exists():  # one that a killed rotation left was never used
        ring.write_whole(ring.key_file(keys_dir, number), secrets.token_bytes(32))
    with _alone(ctx) as session:
        if session.get(DataKeyRecord, number) is not None:
            raise ConflictError(
                "rotated-meanwhile",
                Words("另一处刚刚更换了密钥，未作任何改动。", "Somebody else rotated just now; nothing was changed."),
            )
        use = session.get(DataKeyUse, 1)
        index_key = (use.index_key if use else FIRST) if values_only else number
        if use is None:
            session.add(DataKeyRecord(number=FIRST))
            use = DataKeyUse(id=1, value_key=number, index_key=index_key, changed_at=ctx.clock.now())
            session.add(use)
        use.value_key, use.index_key, use.changed_at = number, index_key, ctx.clock.now()
        session.add(DataKeyRecord(number=number, made_at=ctx.clock.now(), made_by=actor.username))
        session.flush()
        details = {"values": number, "indexes": index_key}
        record_event(session, ctx.clock, actor, "keys.data-rotate", f"data-key:{number}", details=details)
    ctx.data_key.read_again()
    ctx.data_key.use(number, index_key)
    return number


def retire(ctx: Context, actor: Actor, number: int) -> None:
    """Delete a key's file on this machine, once counting shows that nothing rests under it.

    Raises NotFoundError, ConflictError (in use, still needed, too soon). On other machines the file is deleted by
    the same command, which then changes nothing else.
    """
    actor.require(Role.OPERATOR)
    state = next((key for key in list_data_keys(ctx) if key.number == number), None)
    if state is None or not (state.present or state.retired_at is None):
        raise NotFoundError("data-key-not-found", Words("没有这个数据密钥。", "There is no such data key."))
    _require_unused(ctx, state)
    with ctx.database.write() as session:
        row = session.get(DataKeyRecord, number, with_for_update=True)
        if row is None:
            row = DataKeyRecord(number=number)
            session.add(row)
        if row.retired_at is None:
            row.retired_at, row.retired_by = ctx.clock.now(), actor.username
            session.flush()
            record_event(session, ctx.clock, actor, "keys.data-retire", f"data-key:{number}")
    # The row first: a key file left by a crash in between is deleted by the next run, a lost one could not be.
    path = ring.key_file(ctx.settings.keys_dir, number)
    path.unlink(missing_ok=True)
    ring.sync_folder(path.parent)
    ctx.data_key.read_again()


def _require_unused(ctx: Context, state: KeyState) -> None:
    if state.seals or state.indexes:
        raise _refused("data-key-in-use", "该密钥正在使用。", "That key is in use.")
    with ctx.database.read() as session:
        use = session.get(DataKeyUse, 1)
    if use is not None and ctx.clock.now() - use.changed_at < SETTLING:
        raise _refused(
            "data-key-too-soon",
            "更换后一小时内不删除旧密钥。",
            "An old key stays for an hour after the rotation.",
        )
    found = count_under(ctx, state.number)
    if not found:
        found = count_indexed_before(ctx)
    if found:
        where = "、".join(f"{place} {count}" for place, count in sorted(found.items()))
        raise _refused(
            "data-key-needed",
            f"仍有数据使用该密钥：{where}。",
            f"Data still rests under it: {where.replace('、', ', ')}.",
        )


def _refused(code: str, zh: str, en: str) -> ConflictError:
    return ConflictError(
        code,
        Words(f"{zh}未删除。", f"{en} It was not deleted."),
        remedy=Words(
            "先运行 `ecert keys move-data`，稍后重试。", "Run `ecert keys move-data`, then try again later."
        ),
    )


@contextmanager
def _alone(ctx: Context) -> Iterator[Session]:
    """A unit of work while no other one writes anywhere; raises UnavailableError when one takes too long to end."""
    database = Database(ctx.database.engine)  # without the lock that all others share
    database.require_writable = ctx.database.require_writable
    with database.write() as session:
        if session.connection().dialect.name == "postgresql":
            session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
            try:
                session.execute(select(func.pg_advisory_xact_lock(ring.LOCK)))
            except OperationalError as exc:
                raise UnavailableError(
                    "office-busy",
                    Words("有较长的办理正在进行，未作任何改动。", "A long act is under way; nothing was changed."),
                    remedy=Words("稍后重试。", "Try again later."),
                ) from exc
            session.execute(text("SET LOCAL lock_timeout = 0"))
        yield session
