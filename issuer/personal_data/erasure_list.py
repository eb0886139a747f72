"""The list of erasures outside the databases: what keeps an older backup from bringing erased data back.

One small file for each erasure, in DATA_DIR/erasures (in no backup) and, where there is one, in the audit trail's
second place. It holds row numbers and kinds, no personal data, and a keyed digest, so that nobody without the data
keys can have somebody erased. `apply_again` goes through it when a folder is restored and at every start.
"""

import hmac
import json
import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from obstore.exceptions import BaseError
from sqlalchemy import select

from issuer.access.actor import SYSTEM
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import UnavailableError
from issuer.personal_data.erasing import overwrite
from issuer.records.database import Database
from issuer.records.people import Person
from issuer.records.personal_data import Erasure
from issuer.records.storage import Storage
from issuer.rules.keeping import ERASABLE, DataKind

FOLDER = "erasures"
_PURPOSE = "erasures.entry"
_log = logging.getLogger(__name__)


def note_erasures(ctx: Context) -> int:
    """Put every erasure that was done and is not on the list there; returns how many files were written."""
    with ctx.database.read() as session:
        rows = session.execute(
            select(Erasure, Person.created_at)
            .join(Person, Person.id == Erasure.person_id)
            .where(Erasure.state == "done")
        ).all()
    written = 0
    for place in _places(ctx):
        try:
            there = set(place.list(FOLDER))
            for row, created_at in rows:
                entry = _entry(ctx, row, created_at)
                key = f"{FOLDER}/{row.id:010}-{json.loads(entry)['mac'][:12]}.json"
                if key not in there:
                    place.put(key, entry)
                    written += 1
        except (OSError, BaseError) as exc:
            _log.error(
                "an erasure could not be put on one of its lists (%s); the next hour tries again", type(exc).__name__
            )
    return written


def apply_again(ctx: Context) -> int:
    """Erase again what the list says and the database has not; returns for how many persons.

    Values are overwritten even while everything else is read-only; that it was done is recorded once writing is
    possible.
    """
    raw = Database(ctx.database.engine)
    raw.at_start = ctx.database.at_start
    again = 0
    for entry in _entries(ctx):
        with raw.write() as session:
            row = session.get(Erasure, entry["erasure"])
            person = session.get(Person, entry["person"])
            if person is None or person.created_at != datetime.fromisoformat(entry["created_at"]):
                continue  # made after the backup: somebody else has that number now, or nobody
            if row is not None and row.state == "done" and row.person_id == person.id:
                continue
            kinds = tuple(kind for kind in ERASABLE if kind in entry["kinds"])
            cells, files = overwrite(session, person.id, kinds)
        for key in files:
            ctx.storage.delete(key)
        again += bool(cells)
        _record(ctx, entry, cells)
    return again


def _record(ctx: Context, entry: dict[str, Any], cells: int) -> None:
    try:
        with ctx.database.write() as session:
            row = session.get(Erasure, entry["erasure"])
            if row is None or row.person_id != entry["person"]:
                row = Erasure(
                    person_id=entry["person"],
                    reason=entry["reason"],
                    note="",
                    kinds=entry["kinds"],
                    kept=entry["kept"],
                    proposed_by=entry["proposed_by"],
                    proposed_at=datetime.fromisoformat(entry["at"]),
                )
                session.add(row)
            row.state, row.decided_by = "done", entry["decided_by"]
            row.decided_at, row.cells = datetime.fromisoformat(entry["at"]), cells
            session.flush()
            details = {"person": entry["person"], "kinds": entry["kinds"], "cells": cells}
            record_event(session, ctx.clock, SYSTEM, "erasure.again", f"erasure:{row.id}", details=details)
    except UnavailableError:
        _log.error("erasure %s was done again and is recorded once writing is possible", entry["erasure"])


def _entry(ctx: Context, row: Erasure, created_at: datetime) -> bytes:
    said = {
        "erasure": row.id,
        "person": row.person_id,
        "created_at": created_at.isoformat(),
        "kinds": row.kinds,
        "kept": row.kept,
        "reason": row.reason,
        "proposed_by": row.proposed_by,
        "decided_by": row.decided_by,
        "at": (row.decided_at or row.proposed_at).isoformat(),
    }
    return json.dumps(said | {"mac": _mac(ctx, said)}, sort_keys=True).encode()


def _mac(ctx: Context, said: dict[str, Any]) -> str:
    return ctx.data_key.blind_index(_PURPOSE, json.dumps(said, sort_keys=True))


def _entries(ctx: Context) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for place in _places(ctx):
        try:
            for key in place.list(FOLDER):
                said = json.loads(place.get(key))
                mac = said.pop("mac", "")
                if hmac.compare_digest(str(mac), _mac(ctx, said)) and set(said["kinds"]) <= {*DataKind}:
                    found[key] = said
                else:
                    _log.error("an entry of the list of erasures is not ours and was passed over: %s", key)
        except (OSError, BaseError, ValueError, KeyError, TypeError) as exc:
            _log.error("a list of erasures could not be read (%s)", type(exc).__name__)
    return [found[key] for key in sorted(found)]


def _places(ctx: Context) -> list[Storage]:
    places = [Storage.in_folder(ctx.settings.data_dir / FOLDER)]
    second = ctx.settings.audit_second_place
    if second and "://" in second and not second.startswith("file://"):
        places.append(Storage.at(second))
    elif second and Path(second.removeprefix("file://")).is_dir():
        places.append(Storage.in_folder(Path(second.removeprefix("file://"))))
    return places
