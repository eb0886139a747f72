"""Checking without a network, from a bundle: signatures in full, status from the signed list and no fresher than it.

What it cannot see: whether a sound file was ever published, which exact bytes were registered, why a status changed,
and anything since the list was signed. `as_of` is therefore the time of the list, and a list past its time gives
`status_unknown`.
"""

from collections.abc import Callable
from datetime import datetime

from keys.public.keyset import KeySet
from verifier.check.bundle import Bundle
from verifier.check.checker import Inspector, host_of
from verifier.check.document import MAX_FILE_BYTES, inspect_document
from verifier.check.findings import InspectionUnavailableError, Refused, read_credential_checked
from verifier.check.judgement import SHANGHAI, copy_check, refusal, shown_from_claims, status_check
from verifier.check.words import say
from verifier.record.copy_claims import CopyClaims
from verifier.record.credential import CredentialClaims
from verifier.record.qr import QrGrammarError, parse_qr
from verifier.record.status import CertificateStatus
from verifier.record.status_list import StatusListError, StatusListExpiredError, verify_status_list
from verifier.record.verdict import Check, CheckResult, Verdict


class OfflineChecker:
    """Answers from a bundle alone. `clock` gives the present instant, aware, UTC."""

    def __init__(
        self, bundle: Bundle, clock: Callable[[], datetime], *, inspect: Inspector = inspect_document
    ) -> None:
        self._bundle = bundle
        self._clock = clock
        self._inspect = inspect
        self._own = tuple(host_of(origin) for origin in bundle.origins)

    @property
    def _keys(self) -> KeySet:
        return self._bundle.key_set

    def check_qr(self, text: str) -> CheckResult:
        """By the text of a QR code, which must carry its signed payload."""
        now = self._clock()
        try:
            qr = parse_qr(text)
        except QrGrammarError:
            return refusal(Verdict.MALFORMED, (say("qr-grammar"),), now)
        checks = [say("qr-read")]
        host = host_of(qr.origin)
        if host not in self._own:
            foreign = say("foreign-host", host=host, own="、".join(self._own))
            return refusal(Verdict.UNTRUSTED, (*checks, foreign), now)
        checks.append(say("own-origin"))
        if qr.payload is None:
            return refusal(Verdict.STATUS_UNKNOWN, (*checks, say("offline-needs-payload")), now)
        try:
            claims, check = read_credential_checked(qr.payload, self._keys)
            checks.append(check)
            if claims.token != qr.token:
                raise Refused(Verdict.ALTERED, "credential-other-certificate")
        except Refused as refused:
            return refusal(refused.verdict, (*checks, refused.check), now)
        return self._answer(tuple(checks), claims, now)

    def check_pdf(self, pdf: bytes) -> CheckResult:
        """By the file itself."""
        now = self._clock()
        if len(pdf) > MAX_FILE_BYTES:
            limit = f"{MAX_FILE_BYTES // 1_000_000} MB"
            return refusal(Verdict.MALFORMED, (say("input-too-large", limit=limit),), now)
        try:
            found = self._inspect(pdf, self._keys, now=now)
        except InspectionUnavailableError:
            return refusal(Verdict.STATUS_UNKNOWN, (say("inspection-unavailable"),), now)
        if found.failure is not None or found.claims is None:
            return refusal(found.failure or Verdict.MALFORMED, found.checks, now)
        return self._answer(found.checks, found.claims, now)

    def _answer(self, checks: tuple[Check, ...], claims: CredentialClaims, now: datetime) -> CheckResult:
        lists = self._bundle.status_lists
        own = claims.copy
        if claims.list_id not in lists or (own is not None and own.list_id not in lists):
            return self._unknown(checks, claims, now, say("status-list-missing"))
        try:
            listed = verify_status_list(lists[claims.list_id], self._keys, list_id=claims.list_id, now=now)
            status = CertificateStatus.from_list_value(listed.statuses.get(claims.list_index))
            withdrawn = own is not None and self._is_set(own, now)
        except StatusListExpiredError:
            return self._unknown(
                checks, claims, now, say("status-list-expired", fetched=_minute(self._bundle.fetched_at))
            )
        except (StatusListError, IndexError, ValueError):
            return self._unknown(checks, claims, now, say("status-list-untrusted"))
        age = say("status-list-current", issued=_minute(listed.issued_at), expires=_minute(listed.expires_at))
        verdict, check = status_check(status)
        checks = (*checks, age, check)
        if own is not None:
            verdict, terms = copy_check(verdict, own.valid_until, withdrawn, now)
            checks = (*checks, terms)
        return CheckResult(verdict, checks, listed.issued_at, shown_from_claims(claims, status.value))

    def _is_set(self, own: CopyClaims, now: datetime) -> bool:
        """Whether a copy's own entry says that it was taken back; raises as `verify_status_list`."""
        token = self._bundle.status_lists[own.list_id]
        listed = verify_status_list(token, self._keys, list_id=own.list_id, now=now)
        return listed.statuses.get(own.list_index) != CertificateStatus.VALID.list_value

    @staticmethod
    def _unknown(checks: tuple[Check, ...], claims: CredentialClaims, now: datetime, why: Check) -> CheckResult:
        known = shown_from_claims(claims, "unknown")
        return CheckResult(Verdict.STATUS_UNKNOWN, (*checks, why), now, known)


def _minute(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
