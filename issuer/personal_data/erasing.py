"""Erasure of one person's data: proposed by one, approved by another, done in one unit of work (PIPL art. 47).

Erased values are overwritten, files deleted; what stands in place of a blind index is random. The audit trail holds
no personal data and stays whole. A list of erasures outside the databases keeps an older backup from bringing them
back (`issuer.personal_data.erasure_list`).
"""

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError, Words
from issuer.personal_data.about import facts_of, kind_of, rows_about
from issuer.personal_data.tables import BYTES, sealed_tables
from issuer.records.database import after_commit
from issuer.records.encryption import EncryptedText, data_key
from issuer.records.people import Person
from issuer.records.personal_data import Erasure
from issuer.rules.keeping import DataKind, ErasureReason, Kept, erasable, what_is_kept
from issuer.rules.terms import Role

PROPOSERS = (Role.AUTHORITY_ISSUER,)
DECIDERS = (Role.AUTHORITY_APPROVER,)
READERS = (Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER, Role.AUDITOR)
MAX_NOTE = 2000
_INDEXES = frozenset({"id_index", "name_index", "row_digest", "fact", "digest", "found_index"})
"""Digests of personal data: random where it was erased."""
_PLAIN = {
    ("registrations", "gender"): "",
    ("registrations", "city"): "",
    ("registrations", "extra"): {},
}


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What would be erased of a person today, and what is kept until when and why."""

    person_id: int
    kinds: tuple[DataKind, ...]
    kept: tuple[Kept, ...]


def plan_erasure(ctx: Context, person_id: int) -> ErasurePlan:
    """What the rules allow today. Raises NotFoundError."""
    with ctx.database.read() as session:
        return _plan(ctx, session, person_id)


def propose_erasure(ctx: Context, actor: Actor, person_id: int, reason: str, note: str) -> int:
    """Propose to erase what may be erased; returns the proposal's number.

    The person themselves may ask; else one of PROPOSERS. Raises NotAllowedError, NotFoundError, InputError,
    ConflictError (one is open already, or nothing may be erased yet).
    """
    if actor.via != "holder" or actor.username != f"holder:{person_id}":
        actor.require(*PROPOSERS)
    note = note.strip()
    if not note or len(note) > MAX_NOTE:
        raise InputError(
            "erasure-note", Words("请说明理由（2000 字以内）。", "Say why, in 2,000 characters at most.")
        )
    if reason not in {each.value for each in ErasureReason}:
        raise InputError("erasure-reason", Words("删除事由不在所列之中。", "The ground is not one of those listed."))
    with ctx.database.write() as session:
        session.get(Person, person_id, with_for_update=True)
        plan = _plan(ctx, session, person_id)
        if session.scalars(
            select(Erasure).where(Erasure.person_id == person_id, Erasure.state == "proposed")
        ).first():
            raise ConflictError("erasure-open", Words("已有一项删除申请待决定。", "An erasure is waiting already."))
        if not plan.kinds:
            raise ConflictError(
                "nothing-to-erase",
                Words(
                    "现在没有可以删除的个人信息，未作任何改动。", "Nothing may be erased today; nothing was changed."
                ),
                remedy=Words("保留的内容、期限和依据见列表。", "What is kept, until when and why is in the list."),
            )
        row = Erasure(
            person_id=person_id,
            state="proposed",
            reason=reason,
            note=note,
            kinds=[kind.value for kind in plan.kinds],
            kept=[_kept_json(kept) for kept in plan.kept],
            proposed_by=actor.username,
            proposed_at=ctx.clock.now(),
        )
        session.add(row)
        session.flush()
        details = {"person": person_id, "reason": reason, "kinds": list(row.kinds)}
        record_event(session, ctx.clock, actor, "erasure.propose", f"erasure:{row.id}", details=details)
        return row.id


def decide_erasure(ctx: Context, actor: Actor, erasure_id: int, *, approve: bool, note: str = "") -> Erasure:
    """Approve, which erases at once what may be erased today, or refuse with a reason.

    Raises NotAllowedError (also for the one who proposed), NotFoundError, ConflictError (decided already, or nothing
    may be erased any more), InputError (a refusal without a reason).
    """
    actor.require(*DECIDERS)
    if not approve and not note.strip():
        raise InputError(
            "erasure-note", Words("请说明理由（2000 字以内）。", "Say why, in 2,000 characters at most.")
        )
    files: list[str] = []
    with ctx.database.write() as session:
        row = session.get(Erasure, erasure_id, with_for_update=True)
        if row is None:
            raise NotFoundError("erasure-not-found", Words("没有这项删除申请。", "There is no such erasure."))
        if row.state != "proposed":
            raise ConflictError("erasure-decided", Words("该删除申请已经办结。", "That erasure was decided already."))
        if row.proposed_by == actor.username:
            raise NotAllowedError(
                "erasure-two-people",
                Words("提出人不能自己批准。", "Whoever proposed it may not decide it."),
                remedy=Words("请由另一人办理。", "Ask somebody else."),
            )
        row.decided_by, row.decided_at, row.decision_note = actor.username, ctx.clock.now(), note.strip() or None
        if approve:
            plan = _plan(ctx, session, row.person_id)  # the day may have moved, or a case been opened
            if not plan.kinds:
                raise ConflictError(
                    "nothing-to-erase",
                    Words(
                        "现在没有可以删除的个人信息，未作任何改动。",
                        "Nothing may be erased today; nothing was changed.",
                    ),
                )
            row.kinds = [kind.value for kind in plan.kinds]
            row.kept = [_kept_json(kept) for kept in plan.kept]
            row.cells, files = overwrite(session, row.person_id, plan.kinds)
            row.state = "done"
        else:
            row.state = "refused"
        session.flush()
        details: dict[str, Any] = {"person": row.person_id, "kinds": list(row.kinds) if approve else []}
        if approve:
            details |= {"cells": row.cells, "files": len(files)}
        act = "erasure.done" if approve else "erasure.refuse"
        record_event(session, ctx.clock, actor, act, f"erasure:{row.id}", details=details)
        if approve:
            after_commit(session, lambda: _afterwards(ctx, tuple(files)))
    return row


def _afterwards(ctx: Context, files: tuple[str, ...]) -> None:
    """After the commit, whoever's unit of work it was: a row never names a file that is gone."""
    from issuer.personal_data.erasure_list import note_erasures

    for key in files:
        ctx.storage.delete(key)
    note_erasures(ctx)


def list_erasures(ctx: Context, actor: Actor, *, person_id: int | None = None, state: str = "") -> list[Erasure]:
    """Erasures, newest first; 200 at most. A person sees their own."""
    if actor.via != "holder" or person_id is None or actor.username != f"holder:{person_id}":
        actor.require(*READERS)
    query = select(Erasure).order_by(Erasure.id.desc()).limit(200)
    if person_id is not None:
        query = query.where(Erasure.person_id == person_id)
    if state:
        query = query.where(Erasure.state == state)
    with ctx.database.read() as session:
        return list(session.scalars(query))


def overwrite(session: Session, person_id: int, kinds: tuple[DataKind, ...]) -> tuple[int, list[str]]:
    """Overwrite all values of these kinds; returns how many, and the storage keys of files to delete afterwards."""
    cells, files = 0, list[str]()
    sealed = {one.table.name: one for one in sealed_tables()}
    for table, rows in rows_about(session, person_id).items():
        one = sealed.get(table.name)
        for row in rows:
            values = _overwritten(table, row, kinds, {} if one is None else one.files)
            if not values:
                continue
            if one is not None:
                files += [row[name] for name in one.files if name in values and row[name]]
            key = [column == row[column.name] for column in table.primary_key.columns]
            session.execute(update(table).where(*key).values(values))
            cells += len(values)
    return cells, _unshared(session, files)


def _overwritten(table: Table, row: Any, kinds: tuple[DataKind, ...], files: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in table.columns:
        name, old = column.name, row[column.name]
        if table.name == "erasures" or kind_of(table, name) not in kinds or old is None:
            continue
        if isinstance(column.type, EncryptedText):
            values[name] = None if column.nullable else ""
        elif (table.name, name) in BYTES:
            values[name] = None if column.nullable else _sealed_nothing(BYTES[table.name, name])
        elif name in files:
            values[name] = None if column.nullable else "erased"
        elif name in _INDEXES:
            values[name] = f"erased{secrets.token_hex(29)}"
        elif (table.name, name) in _PLAIN:
            values[name] = _PLAIN[table.name, name]
        elif (table.name, name) == ("registrations", "admission_no"):
            values[name] = f"erased-{row['id']}"
    return {
        name: value
        for name, value in values.items()
        if row[name] != value and not str(row[name]).startswith("erased") and not _nothing(table, row, name)
    }


def _nothing(table: Table, row: Any, name: str) -> bool:
    """Whether a sealed value is the seal of nothing already."""
    if (purpose := BYTES.get((table.name, name))) is None:
        return False
    return data_key().open(purpose, bytes(row[name])) == b""


def _sealed_nothing(purpose: str) -> bytes:
    return data_key().seal(purpose, b"")


def _unshared(session: Session, keys: list[str]) -> list[str]:
    """Those that no other row names: equal photos of a sitting are one file."""
    used: set[str] = set()
    for one in sealed_tables():
        for name in one.files:
            column = one.table.c[name]
            used |= {key for key in session.scalars(select(column).where(column.in_(keys))) if key}
    return [key for key in dict.fromkeys(keys) if key not in used]


def _plan(ctx: Context, session: Session, person_id: int) -> ErasurePlan:
    rows = rows_about(session, person_id)
    if not rows:
        raise NotFoundError("person-unknown", Words("没有这个人的记录。", "There is no such person."))
    facts, today = facts_of(session, person_id, rows), ctx.clock.today()
    kinds = tuple(kind for kind in erasable(facts, today) if _anything(rows, kind))
    kept = tuple(each for each in what_is_kept(facts, today) if _anything(rows, each.kind))
    return ErasurePlan(person_id, kinds, kept)


def _anything(rows: Any, kind: DataKind) -> bool:
    sealed = {one.table.name: one.files for one in sealed_tables()}
    return any(
        _overwritten(table, row, (kind,), sealed.get(table.name, {}))
        for table, found in rows.items()
        for row in found
    )


def _kept_json(kept: Kept) -> dict[str, Any]:
    until = kept.until.isoformat() if kept.until else None
    return {"kind": kept.kind.value, "until": until, "reason": kept.reason.value, "clause": kept.clause}
