"""From a public record to a verdict: the one place where status becomes an answer, whatever the path."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from verifier.check.words import say
from verifier.record.copies import CopyRecord
from verifier.record.copy_claims import CopyClaims
from verifier.record.credential import CredentialClaims
from verifier.record.public_record import PublicRecord
from verifier.record.status import CertificateStatus, ReasonClass
from verifier.record.verdict import Check, CheckResult, PublicCertificate, Verdict

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

_VERDICTS: Final = {
    CertificateStatus.VALID: Verdict.VALID,
    CertificateStatus.INVALID: Verdict.INVALID,
    CertificateStatus.SUSPENDED: Verdict.SUSPENDED,
    CertificateStatus.SUPERSEDED: Verdict.SUPERSEDED,
}
REASONS: Final = {
    ReasonClass.FOUND_INELIGIBLE: ("不符合报名条件", "found ineligible, clause R9"),
    ReasonClass.MISCONDUCT: ("违纪违规", "misconduct, clause R10"),
}
NO_REASON: Final = ("原因未公布", "reason not published")


def status_check(
    status: CertificateStatus, reason: ReasonClass | None = None, successor: str | None = None
) -> tuple[Verdict, Check]:
    """The verdict a status leads to, and the words for it."""
    verdict = _VERDICTS[status]
    if status is CertificateStatus.INVALID:
        zh, en = REASONS.get(reason, NO_REASON) if reason else NO_REASON
        return verdict, say("status-invalid", reason=zh, reason_en=en)
    if status is CertificateStatus.SUPERSEDED:
        zh, en = (f"（新证书查验码 {successor}）", f" (token {successor})") if successor else ("", "")
        return verdict, say("status-superseded", successor=zh, successor_en=en)
    return verdict, say(f"status-{status.value}")


def copy_check(verdict: Verdict, valid_until: date, withdrawn: bool, now: datetime) -> tuple[Verdict, Check]:
    """What becomes of its certificate's verdict for a purpose-bound copy, and the words for its term.

    A copy is never better than its certificate; of a good one it is good until its last day ends.
    """
    if withdrawn:
        check = say("copy-withdrawn")
    elif now.astimezone(SHANGHAI).date() > valid_until:
        check = say("copy-expired", until=valid_until.isoformat())
    else:
        return verdict, say("copy-current", until=valid_until.isoformat())
    return (Verdict.EXPIRED_COPY if verdict is Verdict.VALID else verdict), check


def disagreement(claims: CredentialClaims, record: PublicRecord) -> str | None:
    """The first field in which a signed credential and the public record differ, or None.

    These come from one row when a certificate is made, so a difference means that one of them was forged.
    """
    pairs = {
        "programme_code": (claims.programme_code, record.programme_code),
        "programme_name": (claims.programme_name, record.programme_name),
        "level": (claims.level, record.level),
        "specialty": (claims.specialty, record.specialty),
        "approved_on": (claims.approved_on, record.approved_on),
        "list_id": (claims.list_id, record.list_id),
        "list_index": (claims.list_index, record.list_index),
        "copy": (claims.copy, _copy_claims(record)),
    }
    return next((field for field, (signed, recorded) in pairs.items() if signed != recorded), None)


def _copy_claims(record: PublicRecord) -> CopyClaims | None:
    if not isinstance(record, CopyRecord):
        return None
    return CopyClaims(record.valid_until, record.copy_list_id, record.copy_list_index)


def shown(record: PublicRecord, *, management_no: str | None = None, name: str | None = None) -> PublicCertificate:
    """What may be shown of a record, with what the asker already holds."""
    return PublicCertificate(
        token=record.token,
        status=record.status.value,
        reason_class=record.reason_class.value if record.reason_class else None,
        programme_code=record.programme_code,
        programme_name=record.programme_name,
        level=record.level,
        specialty=record.specialty,
        approved_on=record.approved_on,
        issued_on=record.issued_on,
        status_changed_at=record.status_changed_at,
        effective_on=record.effective_on,
        superseded_by=record.superseded_by,
        management_no=management_no,
        name=name,
        copy_of=record.of_token if isinstance(record, CopyRecord) else None,
        copy_valid_until=record.valid_until if isinstance(record, CopyRecord) else None,
    )


def shown_from_claims(claims: CredentialClaims, status: str) -> PublicCertificate:
    """What a genuine credential says of itself; `status` is `unknown` when no status could be had."""
    return PublicCertificate(
        token=claims.token,
        status=status,
        reason_class=None,
        programme_code=claims.programme_code,
        programme_name=claims.programme_name,
        level=claims.level,
        specialty=claims.specialty,
        approved_on=claims.approved_on,
        issued_on=claims.issued_at.astimezone(SHANGHAI).date(),
        status_changed_at=None,
        effective_on=None,
        management_no=claims.management_no,
        name=claims.name,
        copy_valid_until=claims.copy.valid_until if claims.copy else None,
    )


def refusal(verdict: Verdict, checks: tuple[Check, ...], as_of: datetime) -> CheckResult:
    """A result that shows nothing of what was handed in: it cannot be believed."""
    return CheckResult(verdict, checks, as_of)
