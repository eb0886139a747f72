"""The law's own words as closed sets (glossary in the README)."""

from enum import StrEnum


class Medium(StrEnum):
    """What a programme's certificates are made of (R11)."""

    ELECTRONIC = "electronic"
    PAPER = "paper"


class IdType(StrEnum):
    """证件类型."""

    RESIDENT_ID = "resident-id"
    """居民身份证 (GB 11643)."""
    HK_MACAU_PERMIT = "hk-macau-permit"
    """港澳居民来往内地通行证."""
    TAIWAN_PERMIT = "taiwan-permit"
    """台湾居民来往大陆通行证."""
    RESIDENCE_PERMIT = "residence-permit"
    """港澳台居民居住证 (810000, 820000, 830000; GB 11643 number)."""
    FOREIGNER_PERMIT = "foreigner-permit"
    """外国人永久居留身份证."""
    PASSPORT = "passport"
    """护照."""


class ApplicationBasis(StrEnum):
    """How eligibility was claimed at registration (R2, R3)."""

    COMMITMENT = "commitment"
    """告知承诺."""
    EVIDENCE = "evidence"
    """材料审核."""


class ReviewRound(StrEnum):
    """R4: publicity plus two rounds."""

    FIRST = "first"
    SUPPLEMENTARY = "supplementary"


class ReviewOutcome(StrEnum):
    """Where a passer's eligibility stands."""

    AWAITING = "awaiting"
    """待核查: handed over, not yet looked at."""
    CONDITIONS_PENDING = "conditions-pending"
    """报考条件待核查 (R5)."""
    ELIGIBLE = "eligible"
    """合格."""
    INELIGIBLE = "ineligible"
    """不合格."""
    DEFENCE_OPEN = "defence-open"
    """申辩中 (R7)."""
    DEEMED_WAIVED = "deemed-waived"
    """视为放弃 (R7)."""


class InvalidationGround(StrEnum):
    """Why a certificate falls (R9, R10)."""

    INELIGIBLE_IN_REVIEW = "ineligible-in-review"
    INELIGIBLE_IN_SUPERVISION = "ineligible-in-supervision"
    FALSE_MATERIALS = "false-materials"
    IMPROPER_MEANS = "improper-means"

    @property
    def clause(self) -> str:
        """The clause that orders it."""
        misconduct = (InvalidationGround.FALSE_MATERIALS, InvalidationGround.IMPROPER_MEANS)
        return "R10" if self in misconduct else "R9"


class Role(StrEnum):
    """What a staff account may do (R1; two-person rule for R9, R10)."""

    AUTHORITY_ISSUER = "authority-issuer"
    AUTHORITY_APPROVER = "authority-approver"
    REVIEW_BODY = "review-body"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    OPERATOR = "operator"
