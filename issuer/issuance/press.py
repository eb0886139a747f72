"""The press: everything that is done to one certificate with keys and pages, and nothing with the database.

A certificate leaves the press only when the finished file says what the record says and passes the very check
an employer will run. Runs in worker processes; keys, fonts and the page compiler are opened once in each.
"""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from issuer.issuance.content import CertificateContent
from issuer.sealing.credential import sign_credential
from keys.public.purposes import KeyPurpose
from templates.certificate.page import PhotoError, QrTooLongError, RenderError, lint_page, render
from templates.certificate.wording import TemplateError, UnknownTemplateError
from verifier.check.document import inspect_document
from verifier.record.credential import CredentialMalformedError, CredentialUntrustedError, verify_credential

if TYPE_CHECKING:
    from issuer.sealing.room import SealingRoom


class PressRefusal(Exception):
    """The certificate must not leave the press. `code` is stable; `found` names parts, never a person's data."""

    def __init__(self, code: str, found: str = "") -> None:
        super().__init__(f"{code}: {found}" if found else code)
        self.code = code
        self.found = found

    def __reduce__(self) -> tuple[type["PressRefusal"], tuple[str, str]]:
        """Pickled whole, since it crosses from worker to parent."""
        return PressRefusal, (self.code, self.found)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A sealed and checked file with the credential in its QR."""

    pdf: bytes
    sha256: str
    credential: bytes
    seal_kid: str


def press(room: "SealingRoom", content: CertificateContent, photo: bytes | None, *, level: str) -> Pressed:
    """Make one certificate: credential, page, lint, seal, check. Raises PressRefusal.

    The steps, in order: 1 sign the QR credential; 2 draw the page; 3 read the page back and compare it with
    the record; 4 seal; 5 hold the sealed file to begin with those very bytes; 6 inspect the seal as any
    verifier does, which lets nothing but our own form fields follow them; 7 verify the credential by public
    key and compare its claims.
    """
    try:
        claims = content.claims()
    except ValueError as exc:
        raise PressRefusal("credential-value", "a value does not fit the credential") from exc
    credential = sign_credential(room, claims)  # 1
    page = content.page(credential, photo)
    try:
        drawn = render(page)  # 2
    except PhotoError as exc:
        raise PressRefusal(exc.code) from exc
    except (RenderError, QrTooLongError, TemplateError, UnknownTemplateError) as exc:
        raise PressRefusal("page-not-drawn", str(exc)) from exc
    _require_same(lint_page(drawn, page))  # 3
    sealed = room.seal_pdf(drawn, level=level)  # 4
    if not sealed.startswith(drawn):  # 5
        raise PressRefusal("page-differs-from-record", "the seal was put on another page")
    now = room.clock.now()
    # A seal of level B-B has no timestamp: this moment, which the register will publish, is its proof of time.
    findings = inspect_document(sealed, room.key_set, now=now, known_since=now)  # 6
    if not findings.ok:
        failed = ", ".join(check.code for check in findings.checks if check.ok is not True)
        raise PressRefusal("seal-check-failed", failed)
    try:
        verified = verify_credential(credential, room.key_set)  # 7
    except (CredentialMalformedError, CredentialUntrustedError) as exc:
        raise PressRefusal("credential-check-failed", str(exc)) from exc
    if verified.claims != claims:
        raise PressRefusal("credential-check-failed", "the claims read back differ")
    return Pressed(
        pdf=sealed,
        sha256=hashlib.sha256(sealed).hexdigest(),
        credential=credential,
        seal_kid=room.signer(KeyPurpose.DOCUMENT_SEAL).kid,
    )


def _require_same(problems: tuple[str, ...]) -> None:
    if problems:
        raise PressRefusal("page-differs-from-record", "; ".join(problems))
