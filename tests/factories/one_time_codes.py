"""Secrets of authenticator apps for tests that tell right codes from wrong ones."""

import base64
import hashlib
from datetime import datetime, timedelta
from itertools import count

import pyotp

WRONG = ("000000", "123456")
"""Codes that tests type as wrong ones."""


def telling_secret(now: datetime) -> str:
    """A secret none of whose codes of these minutes equals another or is one of WRONG: of those drawn at random, some
    in a million would let a wrong code in."""
    for number in count():
        secret = base64.b32encode(hashlib.sha256(str(number).encode()).digest()[:20]).decode()
        codes = [pyotp.TOTP(secret).at(now + timedelta(seconds=30 * step)) for step in range(-10, 40)]
        if len(set(codes)) == len(codes) and not set(WRONG) & set(codes):
            return secret
    raise AssertionError("unreachable")
