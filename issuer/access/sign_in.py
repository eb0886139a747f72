"""Signing in to the console: a password, then a second factor where the account or the rules of the house ask for it.

The other first steps are in `oidc_sign_in` (an identity provider) and `passkey_sign_in` (a passkey, which is both
steps in one, or the second one); they open sessions through `opened` and are recorded through `recorded`.

Wrong passwords and wrong codes are counted together and lock the account with a growing back-off; only a sign-in
that went all the way sets the count back, so a known password buys no more guesses at codes. After the second
step the session has a new secret: what the browser held between the steps opens nothing. Every sign-in and every
refusal is in the audit trail, without what was typed.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, NoReturn

from sqlalchemy.orm import Session

from issuer.access import second_factor, service
from issuer.access.actor import Actor
from issuer.access.passwords import DECOY, hashed, is_outdated, matches
from issuer.access.seen import UNSEEN, Seen
from issuer.access.service import digest
from issuer.audit import record_event
from issuer.clock import Clock
from issuer.errors import NotAllowedError, Words
from issuer.records.access import StaffAccount, StaffSignIn
from issuer.records.database import Database

Policy = Literal["off", "optional", "required"]
Step = Literal["code", "enrol"]

FREE_ATTEMPTS = 5
MAX_LOCK_MINUTES = 60
WAITING_MINUTES = 10
"""How long a right password waits for its code."""
NOBODY = Actor(username="anonymous", roles=frozenset(), via="console")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """With `waits_for` None a fresh session: `secret` goes into the cookie, `csrf` into every form.

    Else the password was right and `secret` only names the sign-in that waits for `finish` (code) or `enrol`.
    """

    secret: str
    csrf: str
    username: str
    waits_for: Step | None = None
    recovery_codes: tuple[str, ...] = ()


def sign_in(
    database: Database, clock: Clock, username: str, password: str, policy: Policy = "optional", seen: Seen = UNSEEN
) -> SignedIn:
    """The first step. Committed either way, so that failed attempts count.

    Raises NotAllowedError with one uniform message for an unknown account, a wrong password and a closed account;
    a locked account is told when to come back.
    """

    def step(session: Session) -> tuple[SignedIn, str]:
        account = locked_account(session, username)
        if account is None:
            matches(DECOY, password)
            _refuse()
        require_unlocked(account, clock)
        if not matches(account.password_hash, password) or not account.active:
            count_failure(account, clock)
            _refuse()
        if is_outdated(account.password_hash):
            account.password_hash = hashed(password)
        waits_for = second_step(session, username, policy)
        if waits_for is None:
            return opened(session, clock, account, "password", seen), "password"
        return wait_for_second(session, clock, username, waits_for, "password"), ""

    return recorded(database, clock, username, "password", step)


def waiting(database: Database, clock: Clock, secret: str, policy: Policy) -> tuple[str, Step | None]:
    """Whose sign-in waits behind `secret`, and for what. Raises NotAllowedError when it has ended."""
    with database.read() as session:
        username = _waiting(session, clock, secret).username
        return username, second_step(session, username, policy)


def finish(database: Database, clock: Clock, secret: str, code: str, seen: Seen = UNSEEN) -> SignedIn:
    """The second step, with a code. Raises NotAllowedError (wrong or used code, locked, ended)."""
    username = whose(database, clock, secret)

    def step(session: Session) -> tuple[SignedIn, str]:
        account, first = held(session, clock, secret)
        means = second_factor.check(session, clock, username, code)
        if means is None:
            count_failure(account, clock)
            refuse_code()
        return opened(session, clock, account, f"{first}+{means}", seen), means

    return recorded(database, clock, username, "code", step)


def enrol_and_finish(database: Database, clock: Clock, secret: str, code: str, seen: Seen = UNSEEN) -> SignedIn:
    """Take the app into use where the house requires one, and end the sign-in; the result has recovery codes."""
    username = whose(database, clock, secret)

    def step(session: Session) -> tuple[SignedIn, str]:
        account, first = held(session, clock, secret)
        # Who has a second factor shows it, and does not make another one.
        fresh_one = not second_factor.ways(session, username)
        codes = second_factor.confirm(session, clock, username, code) if fresh_one else None
        if codes is None:
            count_failure(account, clock)
            refuse_code()
        fresh = opened(session, clock, account, f"{first}+totp", seen)
        return SignedIn(fresh.secret, fresh.csrf, username, None, tuple(codes)), "enrolled"

    return recorded(database, clock, username, "code", step)


def begin_enrolment(database: Database, clock: Clock, secret: str) -> tuple[str, str]:
    """User name and app secret of a waiting sign-in that must enrol first. Raises NotAllowedError, ConflictError."""
    with database.write() as session:
        account, _ = held(session, clock, secret)
        return account.username, second_factor.begin(session, clock, account.username)


def locked_account(session: Session, username: str) -> StaffAccount | None:
    """The account, held until the unit of work ends: attempts are counted and codes spent one after another."""
    return session.get(StaffAccount, username, with_for_update=True)


def require_code(session: Session, clock: Clock, username: str, code: str) -> None:
    """A code, asked for again before something that matters. The caller must commit a refusal, too.

    Raises NotAllowedError (wrong, used, or the account is locked).
    """
    account = locked_account(session, username)
    if account is None:
        _refuse()
    require_unlocked(account, clock)
    if second_factor.check(session, clock, username, code) is None:
        count_failure(account, clock)
        refuse_code()


def change_password(session: Session, clock: Clock, username: str, old: str, new: str) -> None:
    """Exchange one's own password and end all one's sessions. The caller must commit a refusal, too.

    Raises NotAllowedError (the old one is wrong, which counts; locked), InputError (the new one is too short).
    """
    account = locked_account(session, username)
    if account is None:
        _refuse()
    require_unlocked(account, clock)
    if not matches(account.password_hash, old):
        count_failure(account, clock)
        raise NotAllowedError(
            "old-password-wrong",
            Words("原密码不正确。", "The old password is wrong."),
            remedy=Words("忘记密码请联系管理员。", "An administrator can set a new one."),
        )
    service.set_password(session, username, new)


def count_failure(account: StaffAccount, clock: Clock) -> None:
    """One more wrong password or code; from the fifth on the account is locked, 1, 2, 4 … 60 minutes."""
    account.failed_attempts += 1
    if account.failed_attempts >= FREE_ATTEMPTS:
        lock = min(2 ** min(account.failed_attempts - FREE_ATTEMPTS, 10), MAX_LOCK_MINUTES)
        account.locked_until = clock.now() + timedelta(minutes=lock)


def refuse_code() -> NoReturn:
    """Refuse a code without saying whether it was wrong or used before."""
    raise NotAllowedError(
        "code-not-accepted",
        Words("验证码不正确，或已经使用过。", "The code is wrong or was used before."),
        remedy=Words(
            "请等应用显示下一个验证码后再输入，并核对手机时间；手机不在身边时可用一个恢复码。",
            "Wait for the app's next code and check the phone's clock; without the phone use a recovery code.",
        ),
    )


def recorded(
    database: Database,
    clock: Clock,
    username: str,
    step_name: str,
    step: Callable[[Session], tuple[SignedIn, str]],
) -> SignedIn:
    """Run a step in a unit of work that is committed either way, its outcome in the audit trail.

    `step` returns the sign-in and by what it went all the way, or an empty text while it waits for its second step.
    """
    with database.write() as session:
        try:
            signed_in, means = step(session)
        except NotAllowedError as exc:
            refusal = exc
        else:
            if means:
                actor = service.actor_for(session, signed_in.username, "console")
                about = subject(signed_in.username)
                record_event(session, clock, actor, "staff.sign-in", about, details={"factor": means})
            return signed_in
        # Who is unknown may have typed a password into the wrong field: it is not written down.
        known = session.get(StaffAccount, username) is not None
        about = subject(username) if known else "staff:unknown"
        details = {"step": step_name, "code": refusal.code}
        record_event(session, clock, NOBODY, "staff.sign-in", about, outcome="refused", details=details)
    raise refusal


def subject(username: str) -> str:
    """How the audit trail names an account."""
    return f"staff:{username}"[:80]


def second_step(session: Session, username: str, policy: Policy) -> Step | None:
    """What comes after a right first step: a second factor, setting one up, or nothing."""
    if policy == "off":
        return None
    if second_factor.ways(session, username):
        return "code"
    return "enrol" if policy == "required" else None


def wait_for_second(session: Session, clock: Clock, username: str, waits_for: Step, first: str) -> SignedIn:
    """Let a right first step (`first`: `password` or `oidc`) wait for the second one."""
    secret = secrets.token_urlsafe(32)
    until = clock.now() + timedelta(minutes=WAITING_MINUTES)
    session.add(StaffSignIn(secret_sha256=digest(secret), username=username, expires_at=until, first=first))
    return SignedIn(secret, "", username, waits_for)


def _waiting(session: Session, clock: Clock, secret: str) -> StaffSignIn:
    found = session.get(StaffSignIn, digest(secret))
    if found is None or found.expires_at <= clock.now():
        raise NotAllowedError(
            "sign-in-ended",
            Words("登录已超时，尚未登录。", "The sign-in took too long; nobody is signed in."),
            remedy=Words("请重新输入用户名和密码。", "Start again with user name and password."),
        )
    return found


def whose(database: Database, clock: Clock, secret: str) -> str:
    """Whose sign-in waits behind `secret`. Raises NotAllowedError when it has ended."""
    with database.read() as session:
        return _waiting(session, clock, secret).username


def held(session: Session, clock: Clock, secret: str) -> tuple[StaffAccount, str]:
    """The account of a waiting sign-in, held, and its first step; looked at again, since another request may have
    ended it. Raises NotAllowedError (ended, closed, locked)."""
    waits = _waiting(session, clock, secret)
    account = locked_account(session, waits.username)
    if account is None or not account.active:
        _refuse()
    require_unlocked(account, clock)
    return account, waits.first or "password"


def opened(session: Session, clock: Clock, account: StaffAccount, means: str, seen: Seen) -> SignedIn:
    """Open a session: the sign-in went all the way, so the count of failures starts again."""
    account.failed_attempts, account.locked_until = 0, None
    service.end_waiting(session, account.username)
    secret, csrf = service.open_session(session, clock, account.username, means, seen)
    return SignedIn(secret, csrf, account.username)


def require_unlocked(account: StaffAccount, clock: Clock) -> None:
    """Raise NotAllowedError (told as 429) while the account is locked."""
    now = clock.now()
    if account.locked_until is not None and account.locked_until > now:
        minutes = max(1, round((account.locked_until - now).total_seconds() / 60))
        raise NotAllowedError(
            "account-locked",
            Words(f"尝试次数过多，请约 {minutes} 分钟后再试。", f"Too many attempts; try again in {minutes} min."),
        )


def _refuse() -> NoReturn:
    raise NotAllowedError(
        "sign-in-failed",
        Words("用户名或密码不正确。", "The user name or the password is wrong."),
        remedy=Words("请核对后重试；忘记密码请联系管理员。", "Check both; an administrator can set a new password."),
    )
