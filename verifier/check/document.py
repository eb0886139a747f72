"""`inspect_document`: is this file one that we sealed, whole and unchanged? No register, no network.

The order is the defence: nothing is parsed as PDF before our own signature over those very bytes holds. Until
then the file is a string of bytes in which a signature is looked for by its strict written form.

The steps; the code carries their numbers.

  1. Size: not empty, at most 10 MB, `%PDF-` at byte 0.
  2. The seal is the file's first signature. Its byte range is `[0 a b c]`, its gap is exactly the hex /Contents
     followed by zeros, it starts at byte 0, ends at an end-of-file mark, and no second range stands in it.
  3. The CMS is DER, has one signer, ECDSA P-256 with SHA-256, content type, message digest and ESS
     signing-certificate-v2 signed, and carries only our certificates.
  4. Its signer is a published key of the purpose `document-seal`, the signature holds, and the digest is that of
     the covered bytes. From here on the sealed revision is known to be ours.
  5. The sealed revision is read: one form, one signature in it, and it is the one of step 2.
  6. That signature certifies the document and permits no change (DocMDP, P 1, in /Reference and /Perms).
  7. What follows is only our validation data and archive timestamps, object by object (`revisions`); every archive
     field that the seal laid out is filled, and the file ends with the last timestamp.
  8. The time of sealing is proven by a timestamp of an accepted authority, itself good under the archive
     timestamps around it (or, for a seal made without one, by the register).
  9. At that time the seal's certificate fitted its profile, led to our root and was not revoked.
 10. The attached credential is by one of our QR keys.

When a step does not hold, `classification` says what the file is instead: altered, untrusted or malformed.
Whatever a parser raises, running out of memory or stack included, becomes malformed.
"""

import hashlib
from datetime import datetime
from typing import Final

from keys.public.keyset import KeySet, PublishedKey
from keys.public.profile import trust_faults
from keys.public.purposes import KeyPurpose
from verifier.check.classification import classify
from verifier.check.cms import (
    DATA,
    CmsError,
    ForeignSignerError,
    SignatureWrongError,
    SignedMessage,
    verify_signed_data,
)
from verifier.check.envelope import Envelope, EnvelopeError, find_seal
from verifier.check.findings import DocumentFindings, Refused, read_credential_checked
from verifier.check.revisions import Archive, RevisionsError, read_archive
from verifier.check.sealed_form import NotASealError, SealedForm, read_attachment, read_form
from verifier.check.sections import SealedRevision
from verifier.check.syntax import PdfSyntaxError
from verifier.check.timestamps import TimeUnprovenError, prove_times, read_stamp
from verifier.check.words import say
from verifier.record.credential import CredentialClaims
from verifier.record.verdict import Check, Verdict

MAX_FILE_BYTES: Final = 10_000_000


def inspect_document(
    pdf: bytes, key_set: KeySet, *, now: datetime, known_since: datetime | None = None
) -> DocumentFindings:
    """Run the ten steps on a file.

    `now`: the present, aware. `known_since`: when the register first knew these very bytes, if it does; it then
    vouches for the time in place of the newest timestamp (a B-B seal has no other proof). Never raises for any `pdf`.
    """
    checks: list[Check] = []
    try:
        return _inspect(pdf, key_set, now, known_since, checks)
    except Refused as refused:
        return DocumentFindings(refused.verdict, (*checks, refused.check))
    except Exception:  # noqa: BLE001 - a hostile file may make any parser raise anything
        return DocumentFindings(Verdict.MALFORMED, (*checks, say("structure-broken")))


def _inspect(
    pdf: bytes, key_set: KeySet, now: datetime, known_since: datetime | None, checks: list[Check]
) -> DocumentFindings:
    _check_size(pdf)  # 1
    checks.append(say("input-pdf"))
    envelope, message = _find_and_verify_seal(pdf, key_set)  # 2, 3, 4
    checks += (say("structure-sound"), say("seal-verified"))
    sealed, form = _read_sealed(pdf, envelope)  # 5, 6
    checks.append(say("seal-certifies"))
    archive = _read_rest(pdf, envelope, sealed, form, key_set)  # 7
    checks.append(say("revisions-sound"))
    sealed_at, proof = _prove_time(message, archive, key_set, known_since, now)  # 8
    checks.append(proof)
    _check_certificate(message, key_set, sealed_at)  # 9
    checks.append(say("seal-certificate-good"))
    credential, claims, check = _read_credential(sealed, key_set)  # 10
    checks += (say("attachment-agrees"), check)
    return DocumentFindings(None, tuple(checks), credential, claims, _level(message, archive), sealed_at)


def _check_size(pdf: bytes) -> None:
    if not pdf:
        raise Refused(Verdict.MALFORMED, "input-empty")
    if len(pdf) > MAX_FILE_BYTES:
        raise Refused(Verdict.MALFORMED, "input-too-large", limit=f"{MAX_FILE_BYTES // 1_000_000} MB")


def _find_and_verify_seal(pdf: bytes, key_set: KeySet) -> tuple[Envelope, SignedMessage]:
    if not pdf.startswith(b"%PDF-"):
        raise classify(pdf, key_set)
    try:
        envelope = find_seal(pdf)
        message = verify_signed_data(envelope.cms, key_set, KeyPurpose.DOCUMENT_SEAL, DATA)
    except (EnvelopeError, CmsError, ForeignSignerError, SignatureWrongError) as error:
        raise classify(pdf, key_set) from error
    if message.message_digest != _sha256(envelope.covered(pdf)):
        raise Refused(Verdict.ALTERED, "seal-broken")
    return envelope, message


def _read_sealed(pdf: bytes, envelope: Envelope) -> tuple[SealedRevision, SealedForm]:
    try:
        sealed = SealedRevision(pdf[: envelope.end])
        return sealed, read_form(sealed, envelope, pdf)
    except PdfSyntaxError as error:
        raise Refused(Verdict.MALFORMED, "structure-broken") from error
    except NotASealError as error:
        # Signed by our key and yet no certificate: the key sealed something else.
        raise Refused(Verdict.UNTRUSTED, error.code) from error


def _read_rest(pdf: bytes, envelope: Envelope, sealed: SealedRevision, form: SealedForm, key_set: KeySet) -> Archive:
    try:
        archive = read_archive(pdf, envelope.end, sealed, form, key_set)
    except RevisionsError as error:
        raise Refused(Verdict.ALTERED, "revisions-added", why=str(error)) from error
    # An archive field is laid out only in a file that gets its timestamp at once: left empty, the file was cut.
    if archive.fields_left_empty:
        raise Refused(Verdict.ALTERED, "archive-cut")
    if archive.stamps and not archive.closed:
        raise Refused(Verdict.ALTERED, "revisions-added", why="not-timestamped")
    return archive


def _level(message: SignedMessage, archive: Archive) -> str:
    if archive.stamps:
        return "B-LTA"
    if archive.has_validation_data:
        return "B-LT"
    return "B-B" if message.timestamp is None else "B-T"


def _prove_time(
    message: SignedMessage, archive: Archive, key_set: KeySet, known_since: datetime | None, now: datetime
) -> tuple[datetime, Check]:
    if message.timestamp is None:
        if known_since is None or archive.stamps:
            raise Refused(Verdict.ALTERED, "seal-time-unproven", why="no-timestamp")
        return known_since, say("seal-time-registered")
    try:
        stamp = read_stamp(message.timestamp, message.signature, key_set)
        return prove_times(stamp, archive.stamps, key_set, known_since or now, now), say("seal-time-proven")
    except TimeUnprovenError as error:
        raise Refused(Verdict.UNTRUSTED, "seal-time-unproven", why=str(error)) from error
    except (CmsError, ForeignSignerError, SignatureWrongError) as error:
        raise Refused(Verdict.ALTERED, "seal-time-unproven", why="timestamp-wrong") from error


def _check_certificate(message: SignedMessage, key_set: KeySet, sealed_at: datetime) -> None:
    key = message.key
    assert isinstance(key, PublishedKey), "a seal is verified by keys of our own only"
    faults = trust_faults(key, key_set, sealed_at)
    if not faults and not key.may_have_signed_at(sealed_at):
        faults = ("key-retired",)
    if faults:
        raise Refused(Verdict.UNTRUSTED, "seal-key-revoked", why="、".join(faults))


def _read_credential(sealed: SealedRevision, key_set: KeySet) -> tuple[bytes, CredentialClaims, Check]:
    try:
        credential = read_attachment(sealed)
    except PdfSyntaxError as error:
        raise Refused(Verdict.UNTRUSTED, "attachment-missing") from error
    except NotASealError as error:
        raise Refused(Verdict.UNTRUSTED, error.code) from error
    claims, check = read_credential_checked(credential, key_set)
    return credential, claims, check


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
