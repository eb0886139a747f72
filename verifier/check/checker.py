"""Checking with the register at hand: five ways in, one result type, one place where status becomes a verdict.

For one certificate in one state every way gives the same verdict. An answer is `valid` only when every
check passed and the register itself said so in this very call.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Final, Protocol
from urllib.parse import urlsplit

from keys.public.keyset import KeySet, KeySetMalformedError
from verifier.check.document import MAX_FILE_BYTES, inspect_document
from verifier.check.findings import DocumentFindings, InspectionUnavailableError, Refused, read_credential_checked
from verifier.check.judgement import copy_check, disagreement, refusal, shown, shown_from_claims, status_check
from verifier.check.words import say
from verifier.record.copies import CopyRecord
from verifier.record.credential import CredentialClaims
from verifier.record.lookup import holder_digest, identity_digest, number_digest
from verifier.record.public_record import PublicRecord
from verifier.record.qr import QrGrammarError, is_token, parse_qr
from verifier.record.register import FileRecord, Register, RegisterUnavailableError
from verifier.record.verdict import Check, CheckResult, Verdict

COPY_FILE: Final = "copy"
MAX_NUMBER: Final = 64
MAX_NAME: Final = 200
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LAST_FOUR = re.compile(r"[0-9A-Za-z]{4}", re.ASCII)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Inspector(Protocol):
    """`inspect_document`, or a `Sandbox` that runs it apart."""

    def __call__(
        self, pdf: bytes, key_set: KeySet, *, now: datetime, known_since: datetime | None = None
    ) -> DocumentFindings: ...


class Checker:
    """Answers about certificates. Safe for several threads when `register` is.

    `key_set` is called for every check, so a rotated key is seen at once. `clock` gives the present
    instant, aware, UTC. `own_origins` are scheme and host of our verification addresses.
    `lookup_key` is the secret of `verifier.record.lookup`.
    """

    def __init__(
        self,
        register: Register,
        key_set: Callable[[], KeySet],
        lookup_key: bytes,
        clock: Callable[[], datetime],
        own_origins: tuple[str, ...],
        *,
        inspect: Inspector = inspect_document,
    ) -> None:
        self._register = register
        self._key_set = key_set
        self._lookup_key = lookup_key
        self._clock = clock
        self._own = tuple(host_of(origin) for origin in own_origins)
        self._inspect = inspect

    def check_token(self, token: str) -> CheckResult:
        """By the token in a verification address: what the register says."""
        now = self._clock()
        if not is_token(token):
            return refusal(Verdict.MALFORMED, (say("token-shape"),), now)
        return self._answer(now, (), None, lambda: self._register.by_token(token.upper()))

    def judged(self, record: PublicRecord, now: datetime, *, by_file: bool = False) -> CheckResult:
        """What `check_token`, or for an original `check_file_digest`, answers when the register holds `record`.

        For whoever reads the register by a shorter way; `now` is the instant of that reading.
        """
        return self._answer(now, (say("file-registered"),) if by_file else (), None, lambda: record)

    def check_number(self, management_no: str, name: str | None = None, last_four: str | None = None) -> CheckResult:
        """By management number, with the holder's name when it is known, and the last four of the ID number.

        A wrong name, an unknown number and a wrong ending are answered alike, after the same work, so nobody can
        fish for any of them.
        """
        now = self._clock()
        number = management_no.strip()
        if not 0 < len(number) <= MAX_NUMBER or (name is not None and not 0 < len(name.strip()) <= MAX_NAME):
            return refusal(Verdict.MALFORMED, (say("number-shape"),), now)
        if last_four is not None and (name is None or _LAST_FOUR.fullmatch(last_four.strip()) is None):
            return refusal(Verdict.MALFORMED, (say("last-four-shape"),), now)
        ending = identity_digest(self._lookup_key, number, name or "", (last_four or "0000").strip())

        def find() -> PublicRecord | None:
            if name is None:
                return self._register.by_number_digest(number_digest(self._lookup_key, number))
            record = self._register.by_holder_digest(holder_digest(self._lookup_key, number, name))
            if record is None or last_four is None or record.identity_digest is None:
                return record
            return record if hmac.compare_digest(record.identity_digest, ending) else None

        result = self._answer(now, (), None, find, typed=(number, name.strip() if name else None))
        if last_four is None or result.certificate is None or result.verdict is Verdict.STATUS_UNKNOWN:
            return result
        return self._with_ending(result)

    def _with_ending(self, result: CheckResult) -> CheckResult:
        """`result` with a line about the last four; where they are not on record nothing was confirmed."""
        shown = result.certificate
        try:
            record = self._register.by_token(shown.token) if shown else None
        except RegisterUnavailableError:
            record = None
        if record is not None and record.identity_digest is not None:
            return replace(result, checks=(*result.checks, say("last-four-matches")))
        checks = (*result.checks, say("last-four-not-on-record"))
        verdict = Verdict.STATUS_UNKNOWN if result.verdict is Verdict.VALID else result.verdict
        return CheckResult(verdict, checks, result.as_of, shown, result.extra)

    def check_file_digest(self, sha256: str) -> CheckResult:
        """By the SHA-256 of a file (hex) that stays on the asker's machine."""
        now = self._clock()
        digest = sha256.strip().lower()
        if _SHA256.fullmatch(digest) is None:
            return refusal(Verdict.MALFORMED, (say("digest-shape"),), now)
        try:
            found = self._register.by_file(digest)
        except RegisterUnavailableError:
            return refusal(Verdict.STATUS_UNKNOWN, (say("register-unreachable"),), now)
        if found is None:
            return refusal(Verdict.NOT_FOUND, (say("file-unknown"),), now)
        return self._answer(now, (say("file-registered"),), None, lambda: self._record_of(found), found)

    def check_qr(self, text: str) -> CheckResult:
        """By the text of a QR code or a verification address, signed payload and all."""
        now = self._clock()
        checks: list[Check] = []
        try:
            qr = parse_qr(text)
        except QrGrammarError:
            return refusal(Verdict.MALFORMED, (say("qr-grammar"),), now)
        checks.append(say("qr-read"))
        host = host_of(qr.origin)
        if host not in self._own:
            foreign = say("foreign-host", host=host, own="、".join(self._own))
            return refusal(Verdict.UNTRUSTED, (*checks, foreign), now)
        checks.append(say("own-origin"))
        if qr.payload is None:
            return self._answer(now, tuple(checks), None, lambda: self._register.by_token(qr.token))
        try:
            claims, check = read_credential_checked(qr.payload, self._key_set())
            checks.append(check)
            if claims.token != qr.token:
                raise Refused(Verdict.ALTERED, "credential-other-certificate")
        except Refused as refused:
            return refusal(refused.verdict, (*checks, refused.check), now)
        except (OSError, KeySetMalformedError):
            return refusal(Verdict.STATUS_UNKNOWN, (*checks, say("keys-unavailable")), now)
        signed = (qr.payload, claims)
        return self._answer(now, tuple(checks), signed, lambda: self._register.by_token(qr.token))

    def check_subject(self, subject: str) -> CheckResult:
        """By a token or a file's digest, told apart by their length."""
        return self.check_file_digest(subject) if len(subject) == 64 else self.check_token(subject)

    def check_pdf(self, pdf: bytes) -> CheckResult:
        """By the file itself.

        Valid needs both: the bytes are registered, and the seal on them holds by itself. A stolen
        register cannot bless a file we never sealed, and a sound seal does not bless a re-saved file.
        """
        now = self._clock()
        if len(pdf) > MAX_FILE_BYTES:
            limit = f"{MAX_FILE_BYTES // 1_000_000} MB"
            return refusal(Verdict.MALFORMED, (say("input-too-large", limit=limit),), now)
        registered: FileRecord | None = None
        record: PublicRecord | None = None
        reachable = True
        try:
            registered = self._register.by_file(hashlib.sha256(pdf).hexdigest())
            record = self._record_of(registered) if registered else None
        except RegisterUnavailableError:
            reachable = False
        try:
            known_since = record.published_at if record else None
            found = self._inspect(pdf, self._key_set(), now=now, known_since=known_since)
        except InspectionUnavailableError:
            return refusal(Verdict.STATUS_UNKNOWN, (say("inspection-unavailable"),), now)
        except (OSError, KeySetMalformedError):
            return refusal(Verdict.STATUS_UNKNOWN, (say("keys-unavailable"),), now)
        if found.failure is not None or found.claims is None or found.credential is None:
            return refusal(found.failure or Verdict.MALFORMED, found.checks, now)
        claims, signed = found.claims, (found.credential, found.claims)
        if registered is not None:
            checks = (*found.checks, say("file-registered"))
            return self._answer(now, checks, signed, lambda: record, registered)
        if not reachable:
            return self._answer(now, found.checks, signed, self._unreachable)
        # Sealed by us and yet not registered: never published, or no longer the bytes we published.
        by_token = self._answer(now, found.checks, signed, lambda: self._register.by_token(claims.token))
        if by_token.verdict in (Verdict.NOT_FOUND, Verdict.STATUS_UNKNOWN, Verdict.ALTERED):
            return by_token
        return refusal(Verdict.ALTERED, (*found.checks, say("file-not-registered")), now)

    def _record_of(self, file: FileRecord) -> PublicRecord | None:
        """The record a registered file belongs to: the certificate's, or the copy's own."""
        if file.kind == COPY_FILE:
            return self._register.copy_by_file(file.sha256)
        return self._register.by_token(file.token)

    def _answer(
        self,
        now: datetime,
        checks: tuple[Check, ...],
        signed: tuple[bytes, CredentialClaims] | None,
        find: Callable[[], PublicRecord | None],
        file: FileRecord | None = None,
        typed: tuple[str, str | None] | None = None,
    ) -> CheckResult:
        """Ask the register and judge. `signed` is the credential in hand with its claims, already verified."""
        claims = signed[1] if signed else None
        try:
            record = find()
        except RegisterUnavailableError:
            known = shown_from_claims(claims, "unknown") if claims else None
            return CheckResult(Verdict.STATUS_UNKNOWN, (*checks, say("register-unreachable")), now, known)
        if record is None:
            return refusal(Verdict.NOT_FOUND, (*checks, say("not-registered")), now)
        if signed is not None:
            fault = self._binding_fault(signed[0], signed[1], record)
            if fault is not None:
                return refusal(Verdict.ALTERED, (*checks, fault), now)
            checks = (*checks, say("credential-bound"))
        verdict, status = status_check(record.status, record.reason_class, record.superseded_by)
        checks = (*checks, say("registered"), status)
        if isinstance(record, CopyRecord) or (file is not None and file.valid_until is not None):
            verdict, terms = copy_check(verdict, *_terms(record, file), now)
            checks = (*checks, terms)
        number, name = (claims.management_no, claims.name) if claims else (typed or (None, None))
        return CheckResult(verdict, checks, now, shown(record, management_no=number, name=name))

    def _binding_fault(self, credential: bytes, claims: CredentialClaims, record: PublicRecord) -> Check | None:
        """Why this credential is not the one of this record, or None."""
        if claims.token != record.token:
            return say("credential-other-certificate")
        if hashlib.sha256(credential).hexdigest() != record.credential_sha256:
            return say("credential-not-registered")
        field = disagreement(claims, record)
        if field is None and number_digest(self._lookup_key, claims.management_no) != record.number_digest:
            field = "management_no"
        if (
            field is None
            and holder_digest(self._lookup_key, claims.management_no, claims.name) != record.holder_digest
        ):
            field = "name"
        return say("record-disagrees", field=field) if field else None

    @staticmethod
    def _unreachable() -> PublicRecord | None:
        raise RegisterUnavailableError


def host_of(origin: str) -> str:
    """Host and, when it is not the scheme's own, port of an origin; lower case.

    The scheme is left out: whether a page came over TLS is for the browser to judge, whose host it is for us.
    """
    parts = urlsplit(origin if "//" in origin else f"//{origin}")
    try:
        port = parts.port
    except ValueError:
        return origin.lower()
    host = (parts.hostname or "").rstrip(".")
    return host if port is None or port == _DEFAULT_PORTS.get(parts.scheme.lower()) else f"{host}:{port}"


def _terms(record: PublicRecord, file: FileRecord | None) -> tuple[date, bool]:
    """A copy's last day, and whether its holder took it back."""
    if isinstance(record, CopyRecord):
        return record.valid_until, record.withdrawn_at is not None
    assert file is not None and file.valid_until is not None, "asked only of copies"
    return file.valid_until, False
