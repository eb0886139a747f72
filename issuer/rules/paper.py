"""Replacement of a lost or damaged paper certificate (补发): R14, R11.

Reading: "made" includes an electronic certificate that was later superseded or revoked.
"""

from dataclasses import dataclass

from issuer.rules.terms import Medium, ReviewOutcome
from issuer.rules.violation import RuleViolation


@dataclass(frozen=True, slots=True)
class PaperFacts:
    """One person and one qualification (programme, level, specialty, sitting).

    e_certificate_made: whether an electronic certificate was ever made for it, or is being made;
    open_request: whether a replacement is under way already.
    """

    medium: Medium
    e_certificate_made: bool
    outcome: ReviewOutcome
    registration_void: bool = False
    open_request: bool = False


def may_replace_paper(facts: PaperFacts) -> None:
    """Return if the request is accepted; raise RuleViolation otherwise.

    Codes: e-certificate-already-made (R14), no-paper-issued (R11), registration-void (R9),
    not-eligible (R4), replacement-open (R14).
    """
    if facts.e_certificate_made:
        raise RuleViolation(
            "R14",
            "e-certificate-already-made",
            found=("已制发电子证书", "an electronic certificate was made"),
            expected=(
                "已制发电子证书的，不再受理纸质证书补发申请",
                "no application for paper re-issue once an electronic certificate was made",
            ),
        )
    if facts.medium is not Medium.PAPER:
        raise RuleViolation(
            "R11",
            "no-paper-issued",
            found=("该项目不发放纸质证书", "this programme issues no paper"),
            expected=("发放纸质证书的项目", "a programme that issues paper"),
        )
    if facts.registration_void:
        raise RuleViolation(
            "R9",
            "registration-void",
            found=("报名无效", "the registration is void"),
            expected=("报名有效", "a valid registration"),
        )
    if facts.outcome is not ReviewOutcome.ELIGIBLE:
        raise RuleViolation(
            "R4",
            "not-eligible",
            found=(f"核查结果为 {facts.outcome}", f"review says {facts.outcome}"),
            expected=("核查结果为合格", "found eligible"),
        )
    if facts.open_request:
        raise RuleViolation(
            "R14",
            "replacement-open",
            found=("已有办理中的补发申请", "a replacement is under way already"),
            expected=("等待该申请办结", "the first one to be finished"),
        )
