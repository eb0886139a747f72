"""Passkeys of staff (W3C WebAuthn Level 3, by py_webauthn): registering, proving, removing.

A passkey is bound by the browser to the console's host name, so a look-alike site gets no signature that counts here.
Challenges travel in sealed tickets (`issuer.access.tickets`), bound to the session or waiting sign-in they were made
for, and are spent once. A counter that does not grow means a copied authenticator: such an answer is refused.
"""

import hashlib
import ipaddress
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import select
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, generate_challenge, options_to_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from issuer.access import second_factor, tickets
from issuer.clock import Clock
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError, Words
from issuer.records.access import Passkey

MINUTES = 10
"""How long a challenge may be answered."""
MOST = 10
"""Passkeys an account may have."""
LABEL = 40
_NAME = "ecert"
_ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_MALFORMED = (WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a page hands to the browser: `options` as JSON, and the ticket that comes back with the answer."""

    options: str
    ticket: str


def relying_party(origin: str | None) -> str | None:
    """The host name passkeys of this console are bound to; None where browsers allow none (no name, an address)."""
    host = urlsplit(origin or "").hostname
    try:
        ipaddress.ip_address(host or "")
    except ValueError:
        return host
    return None


def ask_anybody(clock: Clock, origin: str) -> Ask | None:
    """For signing in by passkey alone: the authenticator shows who has one and verifies the user (PIN, finger)."""
    host = relying_party(origin)
    if host is None:
        return None
    challenge = generate_challenge()
    options = webauthn.generate_authentication_options(
        rp_id=host, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return _asked(clock, options, challenge, "anybody", "", "")


def ask_account(session: Session, clock: Clock, origin: str | None, username: str, bound: str) -> Ask | None:
    """For the second step of `username`; None when there is no passkey, or none can be used at this address."""
    host, known = relying_party(origin), listing(session, username)
    if host is None or not known:
        return None
    challenge = generate_challenge()
    options = webauthn.generate_authentication_options(
        rp_id=host,
        challenge=challenge,
        allow_credentials=_descriptors(known),
        # The password was the other factor: a touch is enough.
        user_verification=UserVerificationRequirement.DISCOURAGED,
    )
    return _asked(clock, options, challenge, "account", username, bound)


def ask_new(session: Session, clock: Clock, origin: str | None, username: str, bound: str) -> Ask | None:
    """For registering one more; None where browsers allow no passkey at this address."""
    host = relying_party(origin)
    if host is None:
        return None
    challenge = generate_challenge()
    options = webauthn.generate_registration_options(
        rp_id=host,
        rp_name=_NAME,
        user_id=_handle(username),
        user_name=username,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=_descriptors(listing(session, username)),
        supported_pub_key_algs=_ALGORITHMS,
    )
    return _asked(clock, options, challenge, "new", username, bound)


def register(
    session: Session,
    clock: Clock,
    origin: str | None,
    username: str,
    *,
    ticket: str,
    answer: str,
    label: str,
    bound: str,
) -> list[str]:
    """Take a new passkey into use; the recovery codes where it is the account's first second factor, else none.

    The caller holds the account's row. Raises NotAllowedError, ConflictError (known already, too many), InputError.
    """
    facts = _facts(clock, ticket, "new", username, bound)
    name = " ".join(label.split())
    if not 1 <= len(name) <= LABEL or not name.isprintable():
        raise InputError(
            "passkey-label",
            Words(f"请给通行密钥起名，1 至 {LABEL} 个字。", f"Name the passkey, 1 to {LABEL} characters."),
            remedy=Words("例如「办公室安全密钥」。", "For example “security key at the office”."),
        )
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(facts["challenge"]),
            expected_rp_id=relying_party(origin) or "",
            expected_origin=origin or "",
            supported_pub_key_algs=_ALGORITHMS,
        )
    except _MALFORMED:
        raise refuse_passkey() from None
    if not tickets.spend(session, clock, facts["challenge"], facts):
        raise refuse_passkey()
    known = listing(session, username)
    digest = hashlib.sha256(made.credential_id).hexdigest()
    if _by_digest(session, digest) is not None or len(known) >= MOST or len(made.credential_id) > 1023:
        raise ConflictError(
            "passkey-exists",
            Words(f"该通行密钥已登记，或已满 {MOST} 个。", f"It is registered already, or there are {MOST}."),
            remedy=Words(
                "移除不用的，或换一个验证器。", "Remove one that is not used, or take another authenticator."
            ),
        )
    first = not second_factor.ways(session, username)
    session.add(
        Passkey(
            username=username,
            credential_sha256=digest,
            credential_id=bytes_to_base64url(made.credential_id),
            public_key=bytes_to_base64url(made.credential_public_key),
            sign_count=made.sign_count,
            label=name,
            synchronised=made.credential_backed_up,
            created_at=clock.now(),
        )
    )
    session.flush()
    return second_factor.renew_recovery_codes(session, username) if first else []


def prove(
    session: Session,
    clock: Clock,
    origin: str | None,
    *,
    ticket: str,
    answer: str,
    username: str = "",
    bound: str = "",
) -> Passkey:
    """The passkey that answered; for `username` and what the ticket is bound to, or for anybody, verified by it.

    Raises NotAllowedError: `passkey-not-accepted` says no more, `passkey-copied` when the counter went back.
    """
    facts = _facts(clock, ticket, "account" if username else "anybody", username, bound)
    try:
        told: dict[str, Any] = json.loads(answer)
        found = _by_digest(session, hashlib.sha256(base64url_to_bytes(told["id"])).hexdigest())
        if found is None or (username and found.username != username):
            raise refuse_passkey()
        handle = told["response"].get("userHandle")
        if (not username or handle) and base64url_to_bytes(handle) != _handle(found.username):
            raise refuse_passkey()
        proved = webauthn.verify_authentication_response(
            credential=told,
            expected_challenge=base64url_to_bytes(facts["challenge"]),
            expected_rp_id=relying_party(origin) or "",
            expected_origin=origin or "",
            credential_public_key=base64url_to_bytes(found.public_key),
            # Compared below: by then the signature is known to be the authenticator's.
            credential_current_sign_count=0,
            require_user_verification=not username,
        )
    except _MALFORMED:
        raise refuse_passkey() from None
    if not tickets.spend(session, clock, facts["challenge"], facts):
        raise refuse_passkey()
    if proved.new_sign_count <= found.sign_count and (proved.new_sign_count or found.sign_count):
        raise NotAllowedError(
            "passkey-copied",
            Words(
                "该通行密钥的计数倒退，可能已被复制，未登录。", "The passkey's counter went back: it may be a copy."
            ),
            remedy=Words(
                "用其他方式登录后移除它，并告知管理员。", "Sign in another way, remove it, tell an administrator."
            ),
        )
    found.sign_count, found.used_at = proved.new_sign_count, clock.now()
    found.synchronised = proved.credential_backed_up
    return found


def remove(session: Session, username: str, passkey_id: int, *, required: bool) -> str:
    """Take a passkey away and return its name. `required`: the house wants a second factor, so the last one stays.

    The caller holds the account's row. Raises NotFoundError, ConflictError.
    """
    found = session.get(Passkey, passkey_id)
    if found is None or found.username != username:
        raise NotFoundError("passkey-unknown", Words("没有这个通行密钥。", "There is no such passkey."))
    others = len(listing(session, username)) > 1 or second_factor.is_enrolled(session, username)
    if required and not others:
        raise ConflictError(
            "second-factor-last",
            Words("本单位要求第二验证，最后一个不能移除。", "A second factor is required here; the last one stays."),
            remedy=Words("先登记另一个，再移除它。", "Set up another one first, then remove this."),
        )
    session.delete(found)
    session.flush()
    second_factor.drop_idle_codes(session, username)
    return found.label


def listing(session: Session, username: str) -> list[Passkey]:
    """An account's passkeys, oldest first."""
    return list(session.scalars(select(Passkey).where(Passkey.username == username).order_by(Passkey.id)))


def refuse_passkey() -> NotAllowedError:
    """One refusal for everything that may be wrong with an answer."""
    return NotAllowedError(
        "passkey-not-accepted",
        Words("通行密钥没有通过验证，或页面已过期。", "The passkey was not accepted, or the page is out of date."),
        remedy=Words("请重新打开页面再试，或使用其他方式。", "Open the page again and repeat, or use another way."),
    )


def _asked(clock: Clock, options: Any, challenge: bytes, kind: str, username: str, bound: str) -> Ask:
    facts = {"challenge": bytes_to_base64url(challenge), "username": username, "bound": bound}
    until = clock.now() + timedelta(minutes=MINUTES)
    return Ask(options_to_json(options), tickets.make(f"passkey-{kind}", facts, until))


def _facts(clock: Clock, ticket: str, kind: str, username: str, bound: str) -> dict[str, str]:
    facts = tickets.read(f"passkey-{kind}", ticket, clock.now())
    if facts is None or facts["username"] != username or facts["bound"] != bound:
        raise refuse_passkey()
    return facts


def _handle(username: str) -> bytes:
    """What authenticators know an account by: the same for all its passkeys, and not its name."""
    return hashlib.sha256(f"ecert passkey\0{username}".encode()).digest()


def _descriptors(known: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential_id)) for one in known]


def _by_digest(session: Session, digest: str) -> Passkey | None:
    return session.scalars(select(Passkey).where(Passkey.credential_sha256 == digest)).first()
