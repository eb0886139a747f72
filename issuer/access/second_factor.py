"""The second factor of staff: time-based codes of an authenticator app (RFC 6238), and recovery codes.

Passkeys are the other second factor (`issuer.access.passkeys`); recovery codes stand in for either.

Codes have six digits and change every 30 s; one step before and one after the present is taken, for clocks that
differ. A code is accepted once: the newest accepted step is remembered, and it and all before it are refused.
Recovery codes have 80 random bits, so their SHA-256 can be stored as it is.

Callers hold the account's row (`locked_account`), so that of two requests with one code only one succeeds.
"""

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Literal

import pyotp
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from issuer.clock import Clock
from issuer.errors import ConflictError, Words
from issuer.records.access import Passkey, RecoveryCode, SecondFactor
from verifier.record.qr import b32

ISSUER = "ecert"
STEP_SECONDS = 30
RECOVERY_CODES = 10
Means = Literal["totp", "recovery"]
Way = Literal["totp", "passkey"]


def ways(session: Session, username: str) -> frozenset[Way]:
    """What the account can show as its second factor, recovery codes apart; empty when it has none."""
    found: set[Way] = {"totp"} if is_enrolled(session, username) else set()
    if session.scalar(select(Passkey.id).where(Passkey.username == username).limit(1)) is not None:
        found.add("passkey")
    return frozenset(found)


def is_enrolled(session: Session, username: str) -> bool:
    """Whether the account has an authenticator app in use."""
    found = session.get(SecondFactor, username)
    return found is not None and found.confirmed_at is not None


def begin(session: Session, clock: Clock, username: str) -> str:
    """The secret (base32) the app is to be given; the same until a code of it confirms it.

    Raises ConflictError when the account has a second factor already.
    """
    found = session.get(SecondFactor, username)
    if found is None:
        found = SecondFactor(username=username, secret=pyotp.random_base32(), last_counter=0, created_at=clock.now())
        session.add(found)
        session.flush()
    elif found.confirmed_at is not None:
        raise ConflictError(
            "second-factor-exists",
            Words("该账号已启用第二验证。", "The account has a second factor already."),
            remedy=Words("先停用再重新设置。", "Turn it off before setting up another."),
        )
    return found.secret


def address(username: str, secret: str) -> str:
    """What the app reads from the QR code: `otpauth://totp/…` (Key URI Format)."""
    # A long name in Chinese would make a symbol that phones cannot read; the app lets people rename it.
    label = username if username.isascii() else "staff"
    return pyotp.TOTP(secret).provisioning_uri(name=label, issuer_name=ISSUER)


def qr_code(uri: str) -> str:
    """The address as an SVG picture."""
    from templates.certificate.qr import qr_svg

    return qr_svg((uri,))


def confirm(session: Session, clock: Clock, username: str, code: str) -> list[str] | None:
    """Take the app into use if `code` is its present one: the ten recovery codes, shown once. None if it is not."""
    found = session.get(SecondFactor, username)
    if found is None or found.confirmed_at is not None or not _accept(found, clock.now(), code):
        return None
    found.confirmed_at = clock.now()
    return renew_recovery_codes(session, username)


def check(session: Session, clock: Clock, username: str, code: str) -> Means | None:
    """Spend a code of the app or a recovery code; None when it is neither."""
    found = session.get(SecondFactor, username)
    if found is not None and found.confirmed_at is not None and _accept(found, clock.now(), code):
        return "totp"
    if not ways(session, username):
        return None
    spare = session.get(RecoveryCode, _digest(username, code))
    if spare is None or spare.used_at is not None:
        return None
    spare.used_at = clock.now()
    return "recovery"


def renew_recovery_codes(session: Session, username: str) -> list[str]:
    """Ten new recovery codes, shown once; the old ones end."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.username == username))
    codes = [_grouped(b32(secrets.token_bytes(10))) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(code_sha256=_digest(username, code), username=username) for code in codes)
    return codes


def codes_left(session: Session, username: str) -> int:
    """How many recovery codes were not used yet."""
    unused = select(func.count()).where(RecoveryCode.username == username, RecoveryCode.used_at.is_(None))
    return session.scalar(unused) or 0


def remove(session: Session, username: str) -> bool:
    """Take the app away, and the recovery codes where no passkey stays; whether there was one."""
    found = session.get(SecondFactor, username)
    if found is not None:
        session.delete(found)
        session.flush()
    drop_idle_codes(session, username)
    return found is not None


def drop_idle_codes(session: Session, username: str) -> None:
    """Recovery codes end with the last thing they stand in for."""
    if not ways(session, username):
        session.execute(delete(RecoveryCode).where(RecoveryCode.username == username))


def _accept(factor: SecondFactor, now: datetime, code: str) -> bool:
    given = "".join(code.split())
    if len(given) != 6 or not given.isascii() or not given.isdigit():
        return False
    present = int(now.timestamp()) // STEP_SECONDS
    app = pyotp.TOTP(factor.secret, interval=STEP_SECONDS)
    for step in (present - 1, present, present + 1):
        if step > factor.last_counter and hmac.compare_digest(app.generate_otp(step), given):
            factor.last_counter = step
            return True
    return False


def _grouped(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _digest(username: str, code: str) -> str:
    plain = "".join(char for char in code.upper() if char.isalnum())
    return hashlib.sha256(f"recovery\0{username}\0{plain}".encode("utf-8", "surrogatepass")).hexdigest()
