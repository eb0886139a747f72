"""Watching: an employer asks, the address confirms, either side ends it.

A watch is asked for by whoever holds a certificate (its token) or knows its number and name; unknown and wrong are
answered alike. Nothing is sent to an address before it has confirmed, but for the one message that asks it to.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import ConflictError, NotFoundError, Words
from issuer.records.certificates import ECertificate
from issuer.records.sittings import Programme, Sitting
from issuer.records.watching import Watch, Watcher
from issuer.refusals import refusal_from
from issuer.rules.policy import Policy
from issuer.rules.violation import RuleViolation
from issuer.rules.watching import CLAUSE, MAX_LABEL, MAX_ORGANISATION, clean_line, require_room, watch_ends_on
from issuer.sharing import webhooks
from issuer.sharing.addresses import mail_address, web_address
from issuer.sharing.mail import offers_mail
from issuer.sharing.news import new_message
from verifier.record.names import name_key

Kind = Literal["email", "webhook"]
_LINK: Final = "watchers.link"
_ADDRESS: Final = "watchers.address"
_MAC: Final = 40
WATCHABLE: Final = ("valid", "suspended", "invalid")
"""A superseded certificate changes no more: its successor is watched in its place (`issuer.sharing.following`)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which certificate: by token, or by number with the holder's name. `label`: what the watcher calls it."""

    token: str | None = None
    management_no: str | None = None
    name: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A watch that was asked for. `public_key` of a webhook's signatures; `state` pending until confirmed."""

    watcher: str
    state: str
    expires_on: date
    public_key: str | None


@dataclass(frozen=True, slots=True)
class WatchLine:
    """One watch as its watcher sees it."""

    id: int
    token: str
    label: str | None
    status: str
    since: datetime
    expires_on: date
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class WatcherView:
    """An address with everything it watches."""

    public_id: str
    kind: str
    address: str
    organisation: str
    state: str
    public_key: str | None
    watches: tuple[WatchLine, ...]


def actor_of(watcher: Watcher) -> Actor:
    """The watcher as an actor without any staff role; the name is a row reference."""
    return Actor(username=f"watcher:{watcher.id}", roles=frozenset(), via="system")


def begin(ctx: Context, kind: Kind, address: str, organisation: str, asked: Asked) -> Begun:
    """Note a new address with one certificate to watch, and ask the address to confirm.

    Raises InputError (the address), ConflictError (R16; mail is not offered here), NotFoundError (no such
    certificate, or another name).
    """
    address = _usable(ctx, kind, address)
    with ctx.database.write() as session:
        certificate = _find(session, asked)
        try:
            organisation = clean_line(organisation, MAX_ORGANISATION)
        except RuleViolation as violation:
            raise refusal_from(violation) from violation
        now = ctx.clock.now()
        key = webhooks.new_key() if kind == "webhook" else None
        watcher = Watcher(
            public_id=secrets.token_hex(12),
            kind=kind,
            address=address,
            address_index=ctx.data_key.blind_index(_ADDRESS, address),
            organisation=organisation,
            state="pending",
            signing_key=key,
            created_at=now,
        )
        session.add(watcher)
        session.flush()
        watch = _add(ctx, session, watcher, certificate, asked.label)
        session.add(new_message("confirm", watcher.id, now))
        _record(ctx, session, watcher, "watch.ask", certificate)
        return Begun(watcher.public_id, "pending", watch.expires_on, webhooks.public_key(key) if key else None)


def confirm(ctx: Context, link: str) -> WatcherView:
    """The address says yes; its watches count from now on. A second time changes nothing. Raises NotFoundError."""
    with ctx.database.write() as session:
        watcher = _by_link(ctx, session, link)
        activate(ctx, session, watcher)
        return _view(ctx, session, watcher)


def activate(ctx: Context, session: Session, watcher: Watcher) -> None:
    """Turn a pending watcher active in the caller's unit of work."""
    if watcher.state == "pending":
        watcher.state, watcher.confirmed_at = "active", ctx.clock.now()
        record_event(session, ctx.clock, actor_of(watcher), "watch.confirm", f"watcher:{watcher.id}", clause=CLAUSE)


def look(ctx: Context, link: str) -> WatcherView:
    """An address's own page; raises NotFoundError."""
    with ctx.database.read() as session:
        return _view(ctx, session, _by_link(ctx, session, link))


def watch_more(ctx: Context, link: str, asked: Sequence[Asked]) -> list[str]:
    """More certificates for a confirmed address; for each asked: watching, already, or not-found (also: wrong name).

    Raises NotFoundError (the link), ConflictError (not confirmed yet; more than an address may watch, R16).
    """
    with ctx.database.write() as session:
        watcher = _by_link(ctx, session, link, lock=True)
        if watcher.state != "active":
            raise ConflictError(
                "watcher-not-confirmed",
                Words("该订阅尚未确认。", "This address has not been confirmed yet."),
                remedy=Words("请先确认收到的消息。", "Confirm the message it was sent first."),
            )
        out = []
        for one in asked:
            try:
                certificate = _find(session, one)
            except NotFoundError:
                out.append("not-found")
                continue
            standing = select(Watch.id).where(
                Watch.watcher_id == watcher.id, Watch.certificate_id == certificate.id, Watch.ended_at.is_(None)
            )
            if session.scalar(standing) is not None:
                out.append("already")
                continue
            _add(ctx, session, watcher, certificate, one.label)
            _record(ctx, session, watcher, "watch.add", certificate)
            session.flush()
            out.append("watching")
        return out


def end(ctx: Context, link: str, watch_id: int | None = None) -> WatcherView:
    """The watcher ends one watch, or (None) everything: nothing is sent to the address any more.

    Raises NotFoundError. What has ended already stays as it is.
    """
    with ctx.database.write() as session:
        watcher = _by_link(ctx, session, link, lock=True)
        standing = select(Watch).where(Watch.watcher_id == watcher.id, Watch.ended_at.is_(None))
        if watch_id is not None:
            standing = standing.where(Watch.id == watch_id)
        now = ctx.clock.now()
        for watch in session.scalars(standing):
            watch.ended_at, watch.ended_by = now, "watcher"
        if watch_id is None and watcher.state != "ended":
            watcher.state, watcher.ended_at = "ended", now
        subject = f"watcher:{watcher.id}" if watch_id is None else f"watch:{watch_id}"
        record_event(session, ctx.clock, actor_of(watcher), "watch.end", subject, clause=CLAUSE)
        session.flush()
        return _view(ctx, session, watcher)


def link_of(ctx: Context, watcher: Watcher) -> str:
    """The secret part of the links an address is sent."""
    return f"{watcher.public_id}.{ctx.data_key.blind_index(_LINK, watcher.public_id)[:_MAC]}"


def _usable(ctx: Context, kind: Kind, address: str) -> str:
    if kind == "webhook":
        web_address(address, private=ctx.settings.watch_private_addresses)
        return address.strip()
    if not offers_mail(ctx.settings):
        raise ConflictError(
            "mail-not-offered",
            Words("本系统未开通邮件通知。", "Messages by mail are not offered here."),
            remedy=Words("请改用签名回调（webhook）。", "Use a signed webhook."),
        )
    return mail_address(address)


def _find(session: Session, asked: Asked) -> ECertificate:
    """The published certificate that is meant; raises NotFoundError for an unknown one and a wrong name alike."""
    found = None
    if asked.token:
        found = session.scalars(select(ECertificate).where(ECertificate.token == asked.token.upper())).one_or_none()
    elif asked.management_no and asked.name:
        number = "".join(asked.management_no.split()).upper()
        found = session.scalars(select(ECertificate).where(ECertificate.management_no == number)).one_or_none()
        if found is not None and not hmac.compare_digest(
            name_key(found.name).encode(), name_key(asked.name).encode()
        ):
            found = None
    if found is None or found.state != "published" or found.status not in WATCHABLE:
        raise NotFoundError(
            "certificate-not-found",
            Words("没有相符的证书可以关注。", "There is no such certificate to watch."),
            remedy=Words(
                "请扫描证书上的二维码，或核对管理号和姓名；已更换的证书请关注新证书。",
                "Scan the certificate's code, or check number and name; of a replaced one watch the new one.",
            ),
        )
    return found


def _add(ctx: Context, session: Session, watcher: Watcher, certificate: ECertificate, label: str | None) -> Watch:
    standing = select(func.count()).where(Watch.ended_at.is_(None))
    own = select(Watcher.id).where(Watcher.address_index == watcher.address_index)
    try:
        require_room(session.scalar(standing.where(Watch.watcher_id.in_(own))) or 0)
        label = clean_line(label, MAX_LABEL) if label else None
    except RuleViolation as violation:
        raise refusal_from(violation) from violation
    policy = session.execute(
        select(Programme.policy)
        .join(Sitting, Sitting.programme_code == Programme.code)
        .where(Sitting.code == certificate.sitting_code)
    ).scalar_one()
    watch = Watch(
        watcher_id=watcher.id,
        certificate_id=certificate.id,
        created_at=ctx.clock.now(),
        expires_on=watch_ends_on(Policy.from_dict(policy).watch_days, ctx.clock.today()),
        label=label,
    )
    session.add(watch)
    return watch


def _by_link(ctx: Context, session: Session, link: str, *, lock: bool = False) -> Watcher:
    public_id, _, mac = link.partition(".")
    expected = ctx.data_key.blind_index(_LINK, public_id)[:_MAC]
    statement = select(Watcher).where(Watcher.public_id == public_id)
    watcher = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if watcher is None or not hmac.compare_digest(expected.encode(), mac.encode("utf-8", "replace")):
        raise NotFoundError(
            "watcher-not-found",
            Words("链接无效。", "This link is not known."),
            remedy=Words("请使用邮件或回调消息中的完整链接。", "Use the whole link from the message."),
        )
    return watcher


def _view(ctx: Context, session: Session, watcher: Watcher) -> WatcherView:
    rows = session.execute(
        select(Watch, ECertificate.token, ECertificate.status)
        .join(ECertificate, Watch.certificate_id == ECertificate.id)
        .where(Watch.watcher_id == watcher.id)
        .order_by(Watch.id.desc())
    )
    lines = tuple(
        WatchLine(watch.id, token, watch.label, status or "", watch.created_at, watch.expires_on, watch.ended_by)
        for watch, token, status in rows
        if watch.ended_by != "watcher"
    )
    key = webhooks.public_key(watcher.signing_key) if watcher.signing_key else None
    return WatcherView(
        watcher.public_id, watcher.kind, watcher.address, watcher.organisation, watcher.state, key, lines
    )


def _record(ctx: Context, session: Session, watcher: Watcher, act: str, certificate: ECertificate) -> None:
    subject, details = f"certificate:{certificate.id}", {"watcher": watcher.id}
    record_event(session, ctx.clock, actor_of(watcher), act, subject, clause=CLAUSE, details=details)
