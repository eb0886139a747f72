"""Signing in by an identity provider: accounts are linked beforehand, roles stay ours, nothing is made by itself.

A subject rests encrypted and is found by its blind index: it may be a person's number in another register.
"""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from issuer.access import tickets
from issuer.access.actor import Actor
from issuer.access.oidc import Attempt, Identity, refuse_answer
from issuer.access.seen import UNSEEN, Seen
from issuer.access.service import require_account
from issuer.access.sign_in import Policy, SignedIn, locked_account, opened, recorded, second_step, wait_for_second
from issuer.clock import Clock
from issuer.errors import ConflictError, InputError, NotAllowedError, Words
from issuer.records.access import StaffIdentity
from issuer.records.database import Database
from issuer.records.encryption import data_key

_PURPOSE = "staff_identities.subject"


def sign_in(
    database: Database,
    clock: Clock,
    identity: Identity,
    attempt: Attempt,
    attempt_until: datetime,
    policy: Policy,
    *,
    proves_second: bool,
    seen: Seen = UNSEEN,
) -> SignedIn:
    """The first step, proved elsewhere. `proves_second`: what was proved there counts as the second factor, too.

    Raises NotAllowedError (`oidc-unlinked`, `oidc-account-closed`, `oidc-answer` when this attempt was used before).
    """
    username = _linked(database, identity)

    def step(session: Session) -> tuple[SignedIn, str]:
        if not tickets.spend(session, clock, attempt.state, {"until": attempt_until.isoformat()}):
            raise refuse_answer("used before")
        link = _find(session, identity.issuer, identity.subject)
        if link is None or link.username != username:
            raise NotAllowedError(
                "oidc-unlinked",
                Words(
                    "身份认证平台已确认您的身份，但没有关联本系统的账号。",
                    "The identity provider knows you, but no account here is linked to that identity.",
                ),
                remedy=Words(
                    "请把下面的标识交给管理员，由其用 ecert staff link-oidc 关联；也可用本地账号登录。",
                    "Give the identifier below to an administrator, who links it with `ecert staff link-oidc`; "
                    "or sign in with a local account.",
                ),
            )
        account = locked_account(session, username)
        if account is None or not account.active:
            raise NotAllowedError(
                "oidc-account-closed",
                Words("关联的账号已停用。", "The linked account is closed."),
                remedy=Words("请联系管理员。", "Ask an administrator."),
            )
        link.used_at = clock.now()
        waits_for = None if proves_second else second_step(session, username, policy)
        if waits_for is None:
            return opened(session, clock, account, "oidc+provider" if proves_second else "oidc", seen), "oidc"
        return wait_for_second(session, clock, username, waits_for, "oidc"), ""

    return recorded(database, clock, username, "oidc", step)


def link(session: Session, clock: Clock, actor: Actor, *, username: str, issuer: str, subject: str) -> None:
    """Let a subject of a provider sign in as an account; one subject an account.

    Raises NotFoundError (no such account), ConflictError (either is linked already), InputError (unusable subject).
    """
    plain = subject.strip()
    if not 1 <= len(plain) <= 255 or not plain.isprintable():
        raise InputError(
            "oidc-subject",
            Words("标识为空、过长或含有控制字符。", "The identifier is empty, too long or has control characters."),
            remedy=Words("照登录页显示的标识原样输入。", "Enter it as the sign-in page shows it."),
        )
    require_account(session, username)
    if _find(session, issuer, plain) is not None or linked_since(session, username, issuer) is not None:
        raise ConflictError(
            "oidc-linked",
            Words("该账号或该标识已有关联。", "The account or the identifier is linked already."),
            remedy=Words("先用 ecert staff unlink-oidc 解除。", "Unlink it first: `ecert staff unlink-oidc`."),
        )
    session.add(
        StaffIdentity(
            subject_index=data_key().blind_index(_PURPOSE, _named(issuer, plain)),
            subject=_named(issuer, plain),
            username=username,
            issuer=issuer,
            linked_by=actor.username,
            linked_at=clock.now(),
        )
    )


def unlink(session: Session, username: str, issuer: str | None = None) -> int:
    """Take an account's links away (of one provider, or all); how many there were. Raises NotFoundError."""
    require_account(session, username)
    unwanted = delete(StaffIdentity).where(StaffIdentity.username == username)
    if issuer is not None:
        unwanted = unwanted.where(StaffIdentity.issuer == issuer)
    return int(getattr(session.execute(unwanted), "rowcount", 0))


def linked_since(session: Session, username: str, issuer: str) -> datetime | None:
    """Since when the account can be signed into by a provider; None when it cannot."""
    return session.scalar(
        select(StaffIdentity.linked_at).where(StaffIdentity.username == username, StaffIdentity.issuer == issuer)
    )


def _linked(database: Database, identity: Identity) -> str:
    with database.read() as session:
        found = _find(session, identity.issuer, identity.subject)
        return found.username if found is not None else ""


def _find(session: Session, issuer: str, subject: str) -> StaffIdentity | None:
    indexes = data_key().blind_indexes(_PURPOSE, _named(issuer, subject))
    return session.scalars(select(StaffIdentity).where(StaffIdentity.subject_index.in_(indexes))).first()


def _named(issuer: str, subject: str) -> str:
    return f"{issuer}\n{subject}"
