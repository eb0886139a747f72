"""Signing in with a passkey: as the second step, or alone where the authenticator verified the user (both)."""

import hashlib
import json

from sqlalchemy import select
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes

from issuer.access import passkeys, second_factor
from issuer.access.seen import UNSEEN, Seen
from issuer.access.service import digest
from issuer.access.sign_in import SignedIn, held, locked_account, opened, recorded, whose
from issuer.clock import Clock
from issuer.errors import DomainError, NotAllowedError
from issuer.records.access import Passkey
from issuer.records.database import Database


def sign_in(
    database: Database, clock: Clock, origin: str | None, *, ticket: str, answer: str, seen: Seen = UNSEEN
) -> SignedIn:
    """Both steps in one. Raises NotAllowedError (not accepted, copied; closed accounts read like unknown ones).

    A lock from wrong passwords does not stand in its way: strangers can set one off, and cannot guess a signature.
    """

    def step(session: Session) -> tuple[SignedIn, str]:
        found = passkeys.prove(session, clock, origin, ticket=ticket, answer=answer)
        account = locked_account(session, found.username)
        if account is None or not account.active:
            raise passkeys.refuse_passkey()
        return opened(session, clock, account, "passkey", seen), "passkey"

    return recorded(database, clock, _named(database, answer), "passkey", step)


def finish(
    database: Database,
    clock: Clock,
    secret: str,
    origin: str | None,
    *,
    ticket: str,
    answer: str,
    seen: Seen = UNSEEN,
) -> SignedIn:
    """The second step of the sign-in that waits behind `secret`. Raises NotAllowedError."""
    username = whose(database, clock, secret)

    def step(session: Session) -> tuple[SignedIn, str]:
        account, first = held(session, clock, secret)
        passkeys.prove(session, clock, origin, ticket=ticket, answer=answer, username=username, bound=digest(secret))
        return opened(session, clock, account, f"{first}+passkey", seen), "passkey"

    return recorded(database, clock, username, "passkey", step)


def enrol_and_finish(
    database: Database,
    clock: Clock,
    secret: str,
    origin: str | None,
    *,
    ticket: str,
    answer: str,
    label: str,
    seen: Seen = UNSEEN,
) -> SignedIn:
    """Register the first passkey where the house requires a second factor, and end the sign-in.

    Raises NotAllowedError (also for an account that has a second factor: it must be shown, not made).
    """
    username = whose(database, clock, secret)

    def step(session: Session) -> tuple[SignedIn, str]:
        account, first = held(session, clock, secret)
        if second_factor.ways(session, username):
            raise passkeys.refuse_passkey()
        try:
            codes = passkeys.register(
                session,
                clock,
                origin,
                username,
                ticket=ticket,
                answer=answer,
                label=label,
                bound=digest(secret),
            )
        except NotAllowedError:
            raise
        except DomainError as exc:
            raise NotAllowedError(exc.code, exc.words, remedy=exc.remedy) from None
        fresh = opened(session, clock, account, f"{first}+passkey", seen)
        return SignedIn(fresh.secret, fresh.csrf, username, None, tuple(codes)), "enrolled"

    return recorded(database, clock, username, "passkey", step)


def _named(database: Database, answer: str) -> str:
    """Whose passkey the answer names, for the audit trail of a refusal; empty when nobody's."""
    try:
        named = hashlib.sha256(base64url_to_bytes(json.loads(answer)["id"])).hexdigest()
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    with database.read() as session:
        return session.scalar(select(Passkey.username).where(Passkey.credential_sha256 == named)) or ""
