"""Tickets: what has to come back from a browser within minutes, sealed, so that strangers make us store nothing.

A ticket is AES-256-GCM under the data key (`DataKey.seal`), base64url, and says until when it counts. What it
carries can be spent once: the challenge's digest is kept from then on for as long as the ticket could be presented.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from issuer.clock import Clock
from issuer.records.access import SpentChallenge
from issuer.records.encryption import SealedValueError, data_key

_UNTIL = "until"


def make(purpose: str, facts: Mapping[str, str], until: datetime) -> str:
    """A ticket for one purpose, good until `until`: base64url text for a cookie or a hidden field."""
    plain = json.dumps({**facts, _UNTIL: until.isoformat()}, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(data_key().seal(f"staff-ticket/{purpose}", plain)).decode()


def read(purpose: str, ticket: str, now: datetime) -> dict[str, str] | None:
    """The facts of a ticket, `until` among them; None when it is another's, changed, or over."""
    try:
        sealed = base64.urlsafe_b64decode(ticket.encode("ascii"))
        facts: dict[str, str] = json.loads(data_key().open(f"staff-ticket/{purpose}", sealed))
    except (SealedValueError, binascii.Error, UnicodeEncodeError):
        return None
    return facts if datetime.fromisoformat(facts[_UNTIL]) > now else None


def spend(session: Session, clock: Clock, challenge: str, facts: Mapping[str, str]) -> bool:
    """Use up a ticket's challenge; False when somebody did before. Of two at one time one is first."""
    session.execute(delete(SpentChallenge).where(SpentChallenge.expires_at <= clock.now()))
    digest = hashlib.sha256(challenge.encode()).hexdigest()
    try:
        with session.begin_nested():
            session.add(SpentChallenge(challenge_sha256=digest, expires_at=datetime.fromisoformat(facts[_UNTIL])))
    except IntegrityError:
        return False
    return True
