"""Staff accounts, browser sessions and API tokens.

Passwords rest as argon2id (RFC 9106). Session and token secrets have 256 random bits; only their SHA-256 is
stored, so a copy of the table opens nothing. Failed sign-ins lock an account with a growing back-off.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, NoReturn

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.access.passwords import DECOY, hashed, is_outdated, matches, require_password
from issuer.clock import Clock
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError, Words
from issuer.records.access import ApiToken, StaffAccount, StaffSession
from issuer.records.database import Database
from issuer.rules.terms import Role

Via = Literal["cli", "api", "console", "holder", "system"]

SESSION_HOURS = 8
FREE_ATTEMPTS = 5
MAX_LOCK_MINUTES = 60


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: `secret` goes into the cookie, `csrf` into every form of the session."""

    secret: str
    csrf: str
    username: str


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
    account = _account(session, username)
    account.password_hash = hashed(password)
    account.failed_attempts, account.locked_until = 0, None
    _end_sessions(session, username)


def set_active(session: Session, username: str, active: bool) -> None:
    """Open or close an account; closing ends its sessions and tokens. Raises NotFoundError."""
    account = _account(session, username)
    account.active = active
    if not active:
        _end_sessions(session, username)


def actor_for(session: Session, username: str, via: Via) -> Actor:
    """The actor an account stands for; raises NotFoundError or NotAllowedError (closed account)."""
    return _actor(_account(session, username), via)


def authenticate(session: Session, clock: Clock, username: str, password: str) -> SignedIn:
    """Check a password and open a session.

    Raises NotAllowedError with one uniform message for an unknown account, a wrong password and a closed
    account; a locked account is told when to come back. The caller must commit even on failure (the count
    of failed attempts is part of it): use `sign_in`.
    """
    now = clock.now()
    account = session.get(StaffAccount, username)
    if account is None:
        matches(DECOY, password)
        _refuse_sign_in()
    if account.locked_until is not None and account.locked_until > now:
        minutes = max(1, round((account.locked_until - now).total_seconds() / 60))
        raise NotAllowedError(
            "account-locked",
            Words(f"尝试次数过多，请约 {minutes} 分钟后再试。", f"Too many attempts; try again in {minutes} min."),
        )
    if not matches(account.password_hash, password) or not account.active:
        account.failed_attempts += 1
        if account.failed_attempts >= FREE_ATTEMPTS:
            lock = min(2 ** (account.failed_attempts - FREE_ATTEMPTS), MAX_LOCK_MINUTES)
            account.locked_until = now + timedelta(minutes=lock)
        _refuse_sign_in()
    account.failed_attempts = 0
    account.locked_until = None
    if is_outdated(account.password_hash):
        account.password_hash = hashed(password)
    secret, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            secret_sha256=digest(secret),
            username=username,
            csrf=csrf,
            created_at=now,
            expires_at=now + timedelta(hours=SESSION_HOURS),
        )
    )
    return SignedIn(secret, csrf, username)


def sign_in(database: Database, clock: Clock, username: str, password: str) -> SignedIn:
    """`authenticate` in a unit of work that is committed either way, so failed attempts count."""
    refusal: NotAllowedError | None = None
    signed_in: SignedIn | None = None
    with database.write() as session:
        try:
            signed_in = authenticate(session, clock, username, password)
        except NotAllowedError as exc:
            refusal = exc
    if signed_in is None:
        raise refusal or RuntimeError("sign-in neither succeeded nor was refused")
    return signed_in


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
    account = _account(session, username)
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


def _account(session: Session, username: str) -> StaffAccount:
    account = session.get(StaffAccount, username)
    if account is None:
        raise NotFoundError(
            "account-unknown",
            Words("没有这个工作人员账号。", "There is no such staff account."),
            remedy=Words("用 `ecert staff list` 查看现有账号。", "See `ecert staff list`."),
        )
    return account


def _end_sessions(session: Session, username: str) -> None:
    for open_session in session.scalars(select(StaffSession).where(StaffSession.username == username)):
        session.delete(open_session)  # a session is not a record of anything; the sign-in event is


def _refuse_sign_in() -> NoReturn:
    raise NotAllowedError(
        "sign-in-failed",
        Words("用户名或密码不正确。", "The user name or the password is wrong."),
        remedy=Words("请核对后重试；忘记密码请联系管理员。", "Check both; an administrator can set a new password."),
    )
