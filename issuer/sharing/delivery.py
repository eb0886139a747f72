"""Sending what waits: each message at least once, with the same id however often; given up after days of refusals.

A message is taken by setting when it may be taken again (`next_at`), in one short unit of work; then it is sent; then
the outcome is written. Whoever is killed in between leaves a message that is due again two minutes later.
"""

import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.clock import SHANGHAI
from issuer.context import Context
from issuer.publication.record_writing import FeedBrokenError
from issuer.records.certificates import ECertificate, StatusEvent
from issuer.records.watching import Watch, Watcher, WatchMessage
from issuer.rules.watching import next_wait
from issuer.sharing import mail, webhooks
from issuer.sharing.addresses import AddressRefusedError, web_address
from issuer.sharing.following import MOVED
from issuer.sharing.letters import confirm_letter, ended_letter, status_letter
from issuer.sharing.watchers import activate, link_of
from issuer.sharing.webhooks import NotDeliveredError

TAKEN_FOR: Final = timedelta(minutes=2)
"""How long a message that somebody is sending is left to them: longer than any sending takes."""
AT_ONCE: Final = 24
SENDERS: Final = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """A status change as the public record tells it. No name, no number."""

    token: str
    status: str
    reason_class: str | None
    effective_on: str
    changed_at: str
    superseded_by: str | None
    label: str | None
    followed: bool = False
    """Whether the watch goes on with the successor."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message that was taken, with all that sending it needs."""

    id: int
    message_id: str
    kind: str
    by: str
    address: str
    organisation: str
    signing_key: str | None
    link: str
    created_at: datetime
    attempts: int
    change: Change | None


def deliver(ctx: Context) -> int:
    """Send what is due; how many messages were tried. What they say is public before they leave.

    Raises what reading and writing the databases raises; a failed delivery is an outcome, not an error.
    """
    if not _anything_due(ctx):
        return 0
    try:
        ctx.relay.flush()
    except FeedBrokenError as broken:
        _log.error("messages to watchers wait: %s", broken.code)
        return 0
    parcels = _take(ctx)
    if parcels:
        with ThreadPoolExecutor(min(SENDERS, len(parcels)), thread_name_prefix="watch") as senders:
            for parcel, failure in zip(parcels, senders.map(lambda one: _attempt(ctx, one), parcels), strict=True):
                _note(ctx, parcel, failure)
    return len(parcels)


def _anything_due(ctx: Context) -> bool:
    with ctx.database.read() as session:
        return session.scalar(_due(ctx).limit(1)) is not None


def _due(ctx: Context) -> Any:
    return select(WatchMessage.id).where(WatchMessage.state == "waiting", WatchMessage.next_at <= ctx.clock.now())


def _take(ctx: Context) -> list[Parcel]:
    now = ctx.clock.now()
    with ctx.database.write() as session:
        due = _due(ctx).order_by(WatchMessage.next_at, WatchMessage.id).limit(AT_ONCE)
        ids = list(session.scalars(due.with_for_update(skip_locked=True)))
        parcels = []
        for message in session.scalars(
            select(WatchMessage).where(WatchMessage.id.in_(ids)).order_by(WatchMessage.id)
        ):
            watcher = session.get_one(Watcher, message.watcher_id)
            watch = session.get(Watch, message.watch_id) if message.watch_id else None
            if _pointless(message, watcher, watch):
                message.state = "dropped"
                continue
            message.attempts += 1
            message.next_at = now + TAKEN_FOR
            parcels.append(_parcel(ctx, session, message, watcher, watch))
        return parcels


def _pointless(message: WatchMessage, watcher: Watcher, watch: Watch | None) -> bool:
    """Whether nobody waits for it any more: the address has ended it, or the watch has."""
    if watcher.state == "ended" or (message.kind == "confirm") != (watcher.state == "pending"):
        return True
    if message.kind != "status":
        return False
    return watch is None or (watch.ended_at is not None and watch.ended_by != MOVED)


def _parcel(ctx: Context, session: Session, message: WatchMessage, watcher: Watcher, watch: Watch | None) -> Parcel:
    return Parcel(
        id=message.id,
        message_id=message.message_id,
        kind=message.kind,
        by=watcher.kind,
        address=watcher.address,
        organisation=watcher.organisation,
        signing_key=watcher.signing_key,
        link=link_of(ctx, watcher),
        created_at=message.created_at,
        attempts=message.attempts,
        change=_change(session, watch, message.sequence) if watch is not None else None,
    )


def _change(session: Session, watch: Watch, sequence: int | None) -> Change:
    certificate = session.get_one(ECertificate, watch.certificate_id)
    wanted = select(StatusEvent).where(StatusEvent.certificate_id == certificate.id)
    if sequence is None:
        wanted = wanted.order_by(StatusEvent.sequence.desc()).limit(1)
    else:
        wanted = wanted.where(StatusEvent.sequence == sequence)
    event = session.scalars(wanted).one()
    successor = None
    if event.status == "superseded":
        successor = session.scalar(
            select(ECertificate.token).where(
                ECertificate.supersedes_id == certificate.id, ECertificate.state == "published"
            )
        )
    return Change(
        token=certificate.token,
        status=event.status,
        reason_class=event.reason_class,
        effective_on=event.effective_on.isoformat(),
        changed_at=event.at.isoformat().replace("+00:00", "Z"),
        superseded_by=successor,
        label=watch.label,
        followed=successor is not None and watch.ended_by == MOVED,
    )


def _attempt(ctx: Context, parcel: Parcel) -> NotDeliveredError | None:
    try:
        if parcel.by == "email":
            _send_mail(ctx, parcel)
        else:
            _send_webhook(ctx, parcel)
    except NotDeliveredError as failure:
        return failure
    except AddressRefusedError as refused:
        return NotDeliveredError(refused.code, final=refused.code == "private-address")
    except Exception as exc:  # noqa: BLE001 (one address must not keep the others waiting; it is tried again)
        _log.error("a message to a watcher was not sent (%s)", type(exc).__qualname__)
        return NotDeliveredError("unexpected")
    return None


def _send_mail(ctx: Context, parcel: Parcel) -> None:
    base = ctx.settings.verify_base_url
    if parcel.kind == "confirm":
        letter = confirm_letter(base, parcel.message_id, parcel.address, parcel.organisation, parcel.link)
    else:
        assert parcel.change is not None, "every message but the first is about a watch"
        write = ended_letter if parcel.kind == "ended" else status_letter
        letter = write(base, parcel.message_id, parcel.address, parcel.link, parcel.change.token, parcel.change)
    mail.send(ctx.settings, letter)


def _send_webhook(ctx: Context, parcel: Parcel) -> None:
    private = ctx.settings.watch_private_addresses
    target = web_address(parcel.address, private=private)
    body = json.dumps(message_body(ctx, parcel), ensure_ascii=False, separators=(",", ":")).encode()
    assert parcel.signing_key is not None, "every webhook has a key"
    timestamp = int(ctx.clock.now().timestamp())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": parcel.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": webhooks.signature(parcel.signing_key, parcel.message_id, timestamp, body),
    }
    said = webhooks.post(target, body, headers, private=private)
    if parcel.kind == "confirm":
        if not _echoes(said, parcel.message_id):
            raise NotDeliveredError("not-confirmed")
        with ctx.database.write() as session:
            activate(ctx, session, session.get_one(Watcher, _watcher_of(session, parcel.id)))


def message_body(ctx: Context, parcel: Parcel) -> dict[str, Any]:
    """The JSON of a webhook. A `watch.confirm` must be answered 2xx with `{"challenge": …}`, the value it brought."""
    base = ctx.settings.verify_base_url.rstrip("/")
    kinds = {"confirm": "watch.confirm", "status": "certificate.status_changed", "ended": "watch.ended"}
    data: dict[str, Any] = {"manage_url": f"{base}/watch/manage/{parcel.link}"}
    if parcel.kind == "confirm":
        data["challenge"] = parcel.message_id
    if parcel.change is not None:
        change = parcel.change
        data |= {"token": change.token, "label": change.label, "check_url": f"{base}/v/{change.token}"}
    if parcel.change is not None and parcel.kind == "status":
        data |= {
            "status": change.status,
            "reason_class": change.reason_class,
            "effective_on": change.effective_on,
            "changed_at": change.changed_at,
            "superseded_by": change.superseded_by,
            "followed_to": change.superseded_by if change.followed else None,
        }
    said_at = parcel.created_at.isoformat().replace("+00:00", "Z")
    return {"type": kinds[parcel.kind], "timestamp": said_at, "data": data}


def _echoes(said: bytes, challenge: str) -> bool:
    try:
        answer = json.loads(said)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("challenge") == challenge


def _watcher_of(session: Session, message_id: int) -> int:
    return session.execute(select(WatchMessage.watcher_id).where(WatchMessage.id == message_id)).scalar_one()


def _note(ctx: Context, parcel: Parcel, failure: NotDeliveredError | None) -> None:
    now = ctx.clock.now()
    with ctx.database.write() as session:
        message = session.get_one(WatchMessage, parcel.id)
        if failure is None:
            message.state, message.sent_at, message.last_error = "sent", now, None
            return
        message.last_error = failure.code[:40]
        wait = None if failure.final else next_wait(message.attempts)
        if wait is None:
            message.state = "dead"
        else:
            message.next_at = now + wait


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """How messages stand: counts by state, the oldest that waits, and errors of those given up, by code."""

    counts: dict[str, int]
    oldest_waiting: datetime | None
    dead: dict[str, int]


def report(session: Session) -> DeliveryReport:
    """What `ecert watching` and the console show."""
    counts = dict(session.execute(select(WatchMessage.state, func.count()).group_by(WatchMessage.state)).all())
    oldest = session.scalar(select(func.min(WatchMessage.created_at)).where(WatchMessage.state == "waiting"))
    dead: Sequence[Any] = session.execute(
        select(WatchMessage.last_error, func.count())
        .where(WatchMessage.state == "dead")
        .group_by(WatchMessage.last_error)
    ).all()
    return DeliveryReport(
        counts, oldest.astimezone(SHANGHAI) if oldest else None, {code or "": number for code, number in dead}
    )
