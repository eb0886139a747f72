"""Watchers of invented certificates: addresses and receivers that confirmed, and what they were told."""

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select

from issuer.context import Context
from issuer.invalidation import service as invalidation
from issuer.records.watching import Watcher, WatchMessage
from issuer.rules.terms import InvalidationGround
from issuer.sharing.delivery import deliver
from issuer.sharing.watchers import Asked, begin, confirm, link_of
from tests.factories.world import APPROVER, PROPOSER, World
from tests.services.webhook_receiver import Call, Receiver

GROUND = InvalidationGround.INELIGIBLE_IN_SUPERVISION
BASIS = "示例：日常监管发现不符合报考条件。"
ORGANISATION = "示例建设有限公司人事部"
MAIL = "hr@example.com"


def token(world: World, which: int = 0) -> str:
    """The token of a certificate, oldest first."""
    return world.certificates()[which].token


def by_mail(ctx: Context, world: World, which: int = 0) -> str:
    """An address that confirmed; its link."""
    begin(ctx, "email", MAIL, ORGANISATION, Asked(token=token(world, which), label="工号0042"))
    deliver(ctx)
    link = last_link(ctx)
    confirm(ctx, link)
    return link


def by_webhook(ctx: Context, world: World, receiver: Receiver) -> str:
    """A receiver that confirmed; its public key."""
    begun = begin(ctx, "webhook", receiver.url, ORGANISATION, Asked(token=token(world)))
    deliver(ctx)
    assert begun.public_key is not None
    return begun.public_key


def last_link(ctx: Context) -> str:
    """The link of the newest watcher."""
    with ctx.database.read() as session:
        return link_of(ctx, session.scalars(select(Watcher).order_by(Watcher.id.desc()).limit(1)).one())


def fall(ctx: Context, world: World, which: int = 0, suspend: bool = False) -> None:
    """The certificate is invalidated."""
    number = world.certificates()[which].management_no
    case = invalidation.propose(ctx, PROPOSER, number, GROUND, BASIS, suspend=suspend)
    invalidation.approve(ctx, APPROVER, case)


def messages(ctx: Context) -> list[tuple[str, str, int]]:
    """(kind, state, attempts) of all messages, oldest first."""
    with ctx.database.read() as session:
        rows = session.scalars(select(WatchMessage).order_by(WatchMessage.id))
        return [(row.kind, row.state, row.attempts) for row in rows]


def signed_by(call: Call, public_key: str) -> bool:
    """Whether a call bears a good `v1a` signature, read from the specification alone (not from our code)."""
    raw = base64.b64decode(public_key.removeprefix("whpk_"))
    content = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    for one in call.headers["webhook-signature"].split():
        version, _, signature = one.partition(",")
        if version == "v1a":
            try:
                Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signature), content)
            except InvalidSignature:
                continue
            return True
    return False
