"""One verdict and one result type for every way of checking (design: "one verdict on every path")."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """The answer an employer gets. Only VALID means the certificate may be relied on."""

    VALID = "valid"
    INVALID = "invalid"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    EXPIRED_COPY = "expired_copy"
    ALTERED = "altered"
    UNTRUSTED = "untrusted"
    NOT_FOUND = "not_found"
    STATUS_UNKNOWN = "status_unknown"
    MALFORMED = "malformed"

    @property
    def exit_code(self) -> int:
        """Exit code of `ecert verify`: 0 valid, 1 not valid, 2 could not be determined."""
        if self is Verdict.VALID:
            return 0
        return 2 if self is Verdict.STATUS_UNKNOWN else 1


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    `ok` is None when it could not be determined; such a check never supports a valid verdict.
    `code` is stable and meant for programs; `message`/`message_en` say what was found and
    `remedy`/`remedy_en` what the reader can do next (empty when nothing needs doing).
    """

    name: str
    ok: bool | None
    code: str
    message: str
    message_en: str
    remedy: str = ""
    remedy_en: str = ""

    def to_json(self) -> dict[str, Any]:
        """The check as the public API writes it."""
        return {
            "name": self.name,
            "ok": self.ok,
            "code": self.code,
            "message": self.message,
            "message_en": self.message_en,
            "remedy": self.remedy,
            "remedy_en": self.remedy_en,
        }


@dataclass(frozen=True, slots=True)
class PublicCertificate:
    """What any checker may show about a certificate.

    The first block comes from the public record. The second (`management_no`, `name`) is filled only
    from what the asker already holds: the signed QR payload, the sealed PDF, or what they typed.
    """

    token: str
    status: str
    reason_class: str | None
    programme_code: str
    programme_name: str
    level: str
    specialty: str
    approved_on: date
    issued_on: date
    status_changed_at: datetime | None
    effective_on: date | None
    superseded_by: str | None = None
    management_no: str | None = None
    name: str | None = None
    copy_of: str | None = None
    """Of a purpose-bound copy: the token of the certificate it was made of, whose status it shares."""
    copy_valid_until: date | None = None
    """Of a purpose-bound copy: its last day, Asia/Shanghai."""

    def to_json(self) -> dict[str, Any]:
        """Public fields, dates as ISO 8601, absent ones left out."""
        out: dict[str, Any] = {}
        for key in self.__slots__:
            value = getattr(self, key)
            if value is None:
                continue
            out[key] = value.isoformat() if isinstance(value, date | datetime) else value
        return out


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The answer of every path. `as_of` is the instant (UTC) at which the status was true."""

    verdict: Verdict
    checks: tuple[Check, ...]
    as_of: datetime
    certificate: PublicCertificate | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A valid verdict with a failed or undetermined check is a programming error: refuse to build it."""
        if self.verdict is Verdict.VALID and (not self.checks or any(check.ok is not True for check in self.checks)):
            raise ValueError("a valid verdict needs every check to have passed")
        if self.as_of.tzinfo is None:
            raise ValueError("as_of must be timezone-aware")

    def to_json(self) -> dict[str, Any]:
        """The body of every JSON answer: verdict, checks, certificate, as_of."""
        return {
            "verdict": self.verdict.value,
            "checks": [check.to_json() for check in self.checks],
            "certificate": self.certificate.to_json() if self.certificate else None,
            "as_of": self.as_of.isoformat().replace("+00:00", "Z"),
            **self.extra,
        }
