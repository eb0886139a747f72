"""Files that did not become a certificate: their worker died or was overtaken, or the certificate was given up after
it was sealed. They are removed.

Every attempt is written down before any key is used and has a storage key of its own, so what may be lying about
is known from the rows. A published file is never touched: its attempt has an outcome.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, update

from issuer.context import Context
from issuer.issuance.workers import file_key
from issuer.records.certificates import ECertificate
from issuer.records.ledger import ARCHIVE, SealIntent

SETTLED_AFTER = timedelta(minutes=30)
"""So long after the attempt began its file is looked for again: its worker may only have been frozen."""
LIMIT = 1000


def remove_lost_files(ctx: Context, registration_ids: Sequence[int] | None = None) -> int:
    """Remove files of attempts without outcome whose certificate is published or abandoned, and those of abandoned
    certificates; how many there were.

    All such, or those of these registrations. Safe at any time and from any number of workers.
    """
    given_up = _remove_given_up(ctx, registration_ids)
    query = (
        select(SealIntent, ECertificate)
        .join(ECertificate, SealIntent.certificate_id == ECertificate.id)
        .where(
            SealIntent.outcome == "intent",
            SealIntent.seal_kid != ARCHIVE,  # `issuer.issuance.extension` looks after its own
            ECertificate.state.in_(("published", "abandoned")),
        )
        .limit(LIMIT)
    )
    if registration_ids is not None:
        query = query.where(ECertificate.registration_id.in_(registration_ids))
    with ctx.database.read() as session:
        lost = [(intent, row) for intent, row in session.execute(query)]
    settled = []
    for intent, row in lost:
        key = file_key(row.list_id, row.token, intent.attempt)
        if key == row.file_key:
            continue
        ctx.storage.delete(key)
        if ctx.clock.now() - intent.intended_at > SETTLED_AFTER:
            settled.append(intent.id)
    if settled:
        with ctx.database.write() as session:
            session.execute(
                update(SealIntent)
                .where(SealIntent.id.in_(settled), SealIntent.outcome == "intent")
                .values(outcome="lost")
            )
    return len(lost) + given_up


def _remove_given_up(ctx: Context, registration_ids: Sequence[int] | None) -> int:
    """The file goes first: a crash in between leaves its key on the row, and it is looked for again."""
    mine = [ECertificate.state == "abandoned", ECertificate.file_key.is_not(None)]
    if registration_ids is not None:
        mine.append(ECertificate.registration_id.in_(registration_ids))
    with ctx.database.read() as session:
        found = session.execute(select(ECertificate.id, ECertificate.file_key).where(*mine).limit(LIMIT)).all()
    for _, key in found:
        ctx.storage.delete(str(key))
    if found:
        with ctx.database.write() as session:
            session.execute(
                update(ECertificate)
                .where(ECertificate.id.in_([number for number, _ in found]), *mine)
                .values(file_key=None)
            )
    return len(found)
