"""Passwords rest as argon2id (RFC 9106)."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from issuer.errors import InputError, Words

MIN_PASSWORD = 12

_hasher = PasswordHasher()
DECOY = _hasher.hash(secrets.token_hex(16))
"""Verified against when there is no account, so that both cases take the same time."""


def require_password(password: str) -> None:
    """Raise InputError for one that is too short."""
    if len(password) < MIN_PASSWORD:
        raise InputError(
            "password-too-short",
            Words(f"密码至少需要 {MIN_PASSWORD} 个字符。", f"A password needs at least {MIN_PASSWORD} characters."),
            remedy=Words("请换一个更长的密码。", "Choose a longer one."),
        )


def hashed(password: str) -> str:
    """The hash to store."""
    return _hasher.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Whether it is the password."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)
