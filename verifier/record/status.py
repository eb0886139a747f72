"""What the register says of one certificate."""

from enum import StrEnum


class CertificateStatus(StrEnum):
    """Status of a published certificate. 证书状态."""

    VALID = "valid"
    INVALID = "invalid"
    """证书无效 (R9, R10)."""
    SUSPENDED = "suspended"
    """Held while a case is open."""
    SUPERSEDED = "superseded"
    """Replaced by a corrected certificate; the holder still has the qualification."""

    @property
    def list_value(self) -> int:
        """Two-bit value in the Token Status List (0 VALID, 1 INVALID, 2 SUSPENDED, 3 application specific)."""
        return _LIST_VALUES[self]

    @classmethod
    def from_list_value(cls, value: int) -> "CertificateStatus":
        """The status a two-bit list value stands for; raises ValueError outside 0..3."""
        for status, number in _LIST_VALUES.items():
            if number == value:
                return status
        raise ValueError(f"no certificate status has list value {value}")


_LIST_VALUES = {
    CertificateStatus.VALID: 0,
    CertificateStatus.INVALID: 1,
    CertificateStatus.SUSPENDED: 2,
    CertificateStatus.SUPERSEDED: 3,
}


class ReasonClass(StrEnum):
    """Why a status changed, in a class so wide that it tells nothing about the person."""

    FOUND_INELIGIBLE = "found-ineligible"
    """不符合报名条件 (R9)."""
    MISCONDUCT = "misconduct"
    """违纪违规 (R10, MOHRSS Order 31)."""
    CORRECTED = "corrected"
    """Superseded by a corrected certificate."""
    CASE_OPEN = "case-open"
    """Suspended while a case is decided."""
    REINSTATED = "reinstated"
    """Valid again after an appeal."""
