"""Time-stamp tokens (RFC 3161, RFC 5816) of an accepted authority, and what they prove about when."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from keys.public.keyset import KeySet, PublishedKey
from keys.public.profile import trust_faults
from keys.public.purposes import KeyPurpose
from keys.public.time_authority import TimeAuthority
from verifier.check.cms import SHA256_OID, TST_INFO, CmsError, verify_signed_data
from verifier.check.der import OCTETS, OID, TIME, DerError, one

CLOCK_SKEW: Final = timedelta(minutes=5)
_TIME = re.compile(r"([0-9]{14})(\.[0-9]{1,9})?Z")


class TimeUnprovenError(Exception):
    """The times do not prove what they must; the text is a short stable reason."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A token whose signature and imprint hold: its time (UTC) and the key that vouches for it."""

    time: datetime
    key: PublishedKey | TimeAuthority


def read_stamp(token: bytes, stamped: bytes, key_set: KeySet) -> Stamp:
    """Verify `token` over the bytes `stamped`; raises as `read_token`."""
    return read_token(token, hashlib.sha256(stamped).digest(), key_set)


def read_token(token: bytes, imprint: bytes, key_set: KeySet) -> Stamp:
    """Verify `token` over a SHA-256 digest; raises as `verify_signed_data`, and TimeUnprovenError.

    Whether the authority was trusted at that time is judged by `prove_times`.
    """
    message = verify_signed_data(token, key_set, KeyPurpose.TIMESTAMP, TST_INFO)
    try:
        digest, time = _read_info(message.content or b"")
    except (DerError, ValueError) as error:
        raise CmsError("the timestamp cannot be read") from error
    if digest != imprint:
        raise TimeUnprovenError("timestamp-of-something-else")
    return Stamp(time, message.key)


def _read_info(content: bytes) -> tuple[bytes, datetime]:
    """Imprint and time of a TSTInfo (RFC 3161, 2.4.2); what follows them is signed and not needed."""
    info = one(content)
    if info.integer() != 1:
        raise DerError("unknown version of timestamp")
    info.next(OID)  # the authority's policy
    imprint = info.enter()
    algorithm = imprint.enter()
    if algorithm.next(OID) != SHA256_OID:
        raise DerError("the imprint is not SHA-256")
    digest = imprint.next(OCTETS)
    imprint.end()
    info.integer()  # serial number
    found = _TIME.fullmatch(info.next(TIME).decode("ascii"))
    if found is None:
        raise DerError("the time is not in UTC")
    time = datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return digest, time + timedelta(seconds=float(f"0{found[2] or ''}"))


def prove_times(
    signature_stamp: Stamp, archive_stamps: Sequence[Stamp], key_set: KeySet, existed_at: datetime, now: datetime
) -> datetime:
    """The proven time of sealing; raises TimeUnprovenError.

    From the outside in: the last token's certificate must have been good at `existed_at` (now, or when the
    register first knew the file), each earlier one at the time of the token around it. So a certificate
    that ran out later does no harm, and one that was revoked before does (ETSI EN 319 102-1, 5.6.2).
    """
    instant, later = existed_at, now + CLOCK_SKEW
    for stamp in (*reversed(archive_stamps), signature_stamp):
        if stamp.time > later:
            raise TimeUnprovenError("timestamps-out-of-order")
        faults = trust_faults(stamp.key, key_set, max(instant, stamp.time))
        if faults:
            raise TimeUnprovenError(f"timestamp-authority-{faults[0]}")
        instant = later = stamp.time
    return signature_stamp.time
