"""Staff accounts, browser sessions and API tokens. Signing in itself is in `issuer.access.sign_in`.

Passwords rest as argon2id (RFC 9106). Session and token secrets have 256 random bits; only their SHA-256 is
stored, so a copy of the table opens nothing.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Literal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from issuer.access import second_factor
from issuer.access.actor import Actor
from issuer.access.passwords import hashed, require_password
from issuer.access.seen import UNSEEN, Seen
from issuer.clock import Clock
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError, Words
from issuer.records.access import ApiToken, Passkey, StaffAccount, StaffSession, StaffSignIn
from issuer.rules.terms import Role

Via = Literal["cli", "api", "console", "holder", "system"]

SESSION_HOURS = 8


def digest(secret: str) -> str:
    """How a session or token secret is stored: SHA-256, 64 hex characters."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_account(
    session: Session,
    clock: Clock,
    *,
    username: str,
    display_name: str,
    password: str,
    roles: Collection[Role],
    programmes: Collection[str] = (),
    cities: Collection[str] = (),
) -> StaffAccount:
    """Add a member of staff.

    Raises InputError for a short password or a review body without programmes (R1), ConflictError when
    the user name is taken.
    """
    require_password(password)
    if Role.REVIEW_BODY in roles and not programmes:
        raise InputError(
            "review-body-without-programme",
            Words("资格核查部门账号必须指定考试项目。", "A review body's account must name its programmes."),
            remedy=Words("请用 --programme 指定。", "Name them with --programme."),
            clause="R1",
        )
    if session.get(StaffAccount, username) is not None:
        raise ConflictError(
            "username-taken",
            Words("用户名已被使用。", "That user name is taken."),
            remedy=Words("请换一个用户名。", "Choose another one."),
        )
    account = StaffAccount(
        username=username,
        display_name=display_name,
        password_hash=hashed(password),
        roles=sorted(roles),
        programmes=sorted(programmes),
        cities=sorted(cities),
        created_at=clock.now(),
    )
    session.add(account)
    session.flush()
    return account


def set_password(session: Session, username: str, password: str) -> None:
    """Give an account a new password, lift its lock and end its sessions. Raises NotFoundError, InputError."""
    require_password(password)
    account = require_account(session, username)
    account.password_hash = hashed(password)
    account.failed_attempts, account.locked_until = 0, None
    end_sessions(session, username)


def reset_second_factor(session: Session, actor: Actor, username: str) -> bool:
    """Take a lost second factor (app and passkeys) off somebody else's account and end its sessions; whether there
    was one.

    Raises NotFoundError, NotAllowedError (one's own: whoever can do that needs no reset).
    """
    account = require_account(session, username)
    if actor.username == username:
        raise NotAllowedError(
            "second-factor-own",
            Words("不能重置自己的第二验证。", "Nobody resets their own second factor."),
            remedy=Words("请另一位管理员办理。", "Ask another administrator."),
        )
    passkeys = session.execute(delete(Passkey).where(Passkey.username == username))
    removed = second_factor.remove(session, username) or bool(getattr(passkeys, "rowcount", 0))
    account.failed_attempts, account.locked_until = 0, None
    end_sessions(session, username)
    return removed


def open_session(
    session: Session, clock: Clock, username: str, means: str = "password", seen: Seen = UNSEEN
) -> tuple[str, str]:
    """A new browser session: its secret (for the cookie) and CSRF value (for every form)."""
    secret, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    now = clock.now()
    session.add(
        StaffSession(
            secret_sha256=digest(secret),
            username=username,
            csrf=csrf,
            created_at=now,
            expires_at=now + timedelta(hours=SESSION_HOURS),
            means=means,
            network=seen.network,
            program=seen.program,
            seen_at=now,
        )
    )
    return secret, csrf


def end_waiting(session: Session, username: str) -> None:
    """End the account's sign-ins that wait for their second step."""
    session.execute(delete(StaffSignIn).where(StaffSignIn.username == username))


def end_sessions(session: Session, username: str, *, keep: str = "") -> int:
    """End the account's sessions and waiting sign-ins, but the one whose digest is `keep`; how many ended."""
    # A session is not a record of anything; the sign-in event is.
    ended = session.execute(
        delete(StaffSession).where(StaffSession.username == username, StaffSession.secret_sha256 != keep)
    )
    end_waiting(session, username)
    return int(getattr(ended, "rowcount", 0))


def set_active(session: Session, username: str, active: bool) -> None:
    """Open or close an account; closing ends its sessions and tokens. Raises NotFoundError."""
    account = require_account(session, username)
    account.active = active
    if not active:
        end_sessions(session, username)


def actor_for(session: Session, username: str, via: Via) -> Actor:
    """The actor an account stands for; raises NotFoundError or NotAllowedError (closed account)."""
    return _actor(require_account(session, username), via)


def session_of(session: Session, clock: Clock, secret: str) -> tuple[Actor, str] | None:
    """The actor and CSRF value of a browser session, or None when it has ended."""
    found = session.get(StaffSession, digest(secret))
    if found is None or found.expires_at <= clock.now():
        return None
    account = session.get(StaffAccount, found.username)
    if account is None or not account.active:
        return None
    return _actor(account, "console"), found.csrf


def sign_out(session: Session, secret: str) -> None:
    """End a browser session; unknown secrets are ignored."""
    found = session.get(StaffSession, digest(secret))
    if found is not None:
        session.delete(found)


def issue_api_token(
    session: Session, clock: Clock, *, username: str, label: str, days: int, scopes: Collection[Role] = ()
) -> str:
    """Make an API token for an account and return its secret (shown once).

    `scopes` narrows the account's roles; empty keeps all of them. Raises NotFoundError, NotAllowedError,
    InputError (term outside 1..366 days).
    """
    if not 1 <= days <= 366:
        raise InputError("token-term", Words("令牌有效期须为 1 至 366 天。", "A token lives 1 to 366 days."))
    account = require_account(session, username)
    secret = "ecert_" + secrets.token_urlsafe(32)
    now = clock.now()
    session.add(
        ApiToken(
            secret_sha256=digest(secret),
            label=label,
            username=account.username,
            scopes=sorted(scopes or map(Role, account.roles)),
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
    )
    return secret


def revoke_api_token(session: Session, clock: Clock, secret_sha256: str) -> bool:
    """End a token; returns whether it was live."""
    result = session.execute(
        update(ApiToken)
        .where(ApiToken.secret_sha256 == secret_sha256, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    return bool(getattr(result, "rowcount", 0))


def revoke_token_by_id(session: Session, clock: Clock, token_id: str) -> str:
    """End the token whose digest begins with `token_id` (12 hex characters) and return its account.

    Raises NotFoundError, also for one that has ended already.
    """
    wanted = token_id.strip().lower()
    live = session.scalars(select(ApiToken).where(ApiToken.revoked_at.is_(None)))
    found = [token for token in live if len(wanted) >= 12 and token.secret_sha256.startswith(wanted)]
    if len(found) != 1:
        raise NotFoundError(
            "token-unknown",
            Words("没有这个编号的有效令牌。", "There is no live token with that id."),
            remedy=Words("用 `ecert staff tokens` 查看。", "See `ecert staff tokens`."),
        )
    revoke_api_token(session, clock, found[0].secret_sha256)
    return found[0].username


def actor_of_token(session: Session, clock: Clock, secret: str) -> Actor | None:
    """The actor behind an API token, its roles narrowed to the token's scopes; None when it does not open."""
    token = session.get(ApiToken, digest(secret))
    if token is None or token.revoked_at is not None or token.expires_at <= clock.now():
        return None
    account = session.get(StaffAccount, token.username)
    if account is None or not account.active:
        return None
    actor = _actor(account, "api")
    return Actor(
        username=actor.username,
        roles=actor.roles.intersection(map(Role, token.scopes)),
        via="api",
        programmes=actor.programmes,
        cities=actor.cities,
    )


def _actor(account: StaffAccount, via: Via) -> Actor:
    if not account.active:
        raise NotAllowedError(
            "account-closed",
            Words("该账号已停用。", "That account is closed."),
            remedy=Words("请使用在用账号，或由管理员启用。", "Use another account or have it opened again."),
        )
    return Actor(
        username=account.username,
        roles=frozenset(map(Role, account.roles)),
        via=via,
        programmes=frozenset(account.programmes),
        cities=frozenset(account.cities),
    )


def require_account(session: Session, username: str) -> StaffAccount:
    """The account; raises NotFoundError."""
    account = session.get(StaffAccount, username)
    if account is None:
        raise NotFoundError(
            "account-unknown",
            Words("没有这个工作人员账号。", "There is no such staff account."),
            remedy=Words("用 `ecert staff list` 查看现有账号。", "See `ecert staff list`."),
        )
    return account
