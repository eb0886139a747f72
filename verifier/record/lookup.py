"""Keyed digests by which a number, or a number with a name, finds its record.

The key stays outside the database (file `keys/lookup.key`), so a stolen copy of the public record
cannot be searched for people.
"""

import hashlib
import hmac

from verifier.record.names import name_key


def number_digest(key: bytes, management_no: str) -> str:
    """HMAC-SHA256 (RFC 2104) of the management number, blanks removed, upper case; 64 hex characters."""
    return hmac.new(key, b"number\0" + _number(management_no), hashlib.sha256).hexdigest()


def holder_digest(key: bytes, management_no: str, name: str) -> str:
    """HMAC-SHA256 of the management number with the holder's name; 64 hex characters."""
    message = b"holder\0" + _number(management_no) + b"\0" + name_key(name).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def identity_digest(key: bytes, management_no: str, name: str, last_four: str) -> str:
    """The first 10 bits (3 hex characters) of an HMAC-SHA256 of number, name and the last four of the ID number.

    Ten bits on purpose: they confirm what an asker knows, wrong in one case of 1,024, and cannot tell what he does
    not know. Of the 11,000 endings there are, about eleven fit every digest, so neither trying them all at the
    look-up nor a stolen register with a stolen key yields anybody's number. A longer digest would.
    """
    message = b"identity\0" + _number(management_no) + b"\0" + name_key(name).encode() + b"\0" + _number(last_four)
    return f"{int.from_bytes(hmac.digest(key, message, hashlib.sha256)[:2], 'big') >> 6:03x}"


def _number(management_no: str) -> bytes:
    return "".join(management_no.split()).upper().encode()
