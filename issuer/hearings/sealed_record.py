"""The record of a hearing as it is given out: sealed once the hearing is over, a working copy until then."""

import hashlib

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.hearings.matter import find_hearing
from issuer.hearings.reading import HearingView
from issuer.hearings.record_file import record_pdf
from issuer.records.hearings import RECORD_PURPOSE, Hearing
from issuer.records.storage import FileMissingError


def record_of(ctx: Context, actor: Actor, view: HearingView) -> bytes:
    """The record as it stands, PAdES-sealed where nobody is to answer its minutes any more.

    The same record is sealed once and kept encrypted; when a decision is added it is sealed anew. The caller has put
    on record that it is read. Raises as `record_pdf`, and UnavailableError where there is no key to seal it with.
    """
    page = record_pdf(view, sample=ctx.settings.sample)
    if view.open:
        return page
    digest = hashlib.sha256(page).hexdigest()
    return _kept(ctx, view.id, digest) or _sealed(ctx, actor, view, page, digest)


def _kept(ctx: Context, hearing_id: int, digest: str) -> bytes | None:
    """The file sealed from this very page; None where there is none, or where it is damaged: it is sealed anew."""
    with ctx.database.read() as session:
        row = find_hearing(session, hearing_id)
        if row.record_of != digest or row.record_key is None:
            return None
        key, sha256 = row.record_key, row.record_sha256
    try:
        pdf = ctx.data_key.open(RECORD_PURPOSE, ctx.storage.get(key))
    except FileMissingError:
        return None
    return pdf if hashlib.sha256(pdf).hexdigest() == sha256 else None


def _sealed(ctx: Context, actor: Actor, view: HearingView, page: bytes, digest: str) -> bytes:
    subject = f"registration:{view.registration_id}"
    about = {"hearing": view.id, "state": view.state}
    with ctx.database.write() as session:  # the intent, before any key is used
        record_event(
            session, ctx.clock, actor, "hearing.seal", subject, outcome="intent", clause=view.clause, details=about
        )
    pdf = ctx.room().seal_pdf(page, level=ctx.settings.seal_level)
    sha256 = hashlib.sha256(pdf).hexdigest()
    key = f"hearings/{view.id}-record-{sha256[:16]}.sealed"
    ctx.storage.put(key, ctx.data_key.seal(RECORD_PURPOSE, pdf))
    with ctx.database.write() as session:
        row = session.get_one(Hearing, view.id, with_for_update=True, populate_existing=True)
        before = row.record_key
        row.record_key, row.record_sha256, row.record_of = key, sha256, digest
        session.flush()
        details = about | {"sha256": sha256}
        record_event(session, ctx.clock, actor, "hearing.seal", subject, clause=view.clause, details=details)
    if before is not None and before != key:  # after the commit: a row never names a file that is gone
        ctx.storage.delete(before)
    return pdf
