"""Who gets a paper certificate (R11), and never beside an electronic one (R11, R14)."""

from dataclasses import dataclass, replace
from datetime import date

from issuer.rules.eligibility import IssueFacts, may_issue
from issuer.rules.terms import Medium
from issuer.rules.violation import RuleViolation


@dataclass(frozen=True, slots=True)
class PrintFacts:
    """One registration before a form is spent on it.

    issue: what the law asks of any certificate; e_certificate_made: whether an electronic one was ever made for this
    person and qualification, or is being made; live_paper: whether a paper one that counts exists.
    """

    issue: IssueFacts
    e_certificate_made: bool = False
    live_paper: bool = False


def may_print(facts: PrintFacts, today: date) -> None:
    """Return if a paper certificate may be made on `today`; raise RuleViolation otherwise.

    Codes: electronic-programme, paper-made (R11), e-certificate-already-made (R14), and those of
    `eligibility.may_issue`: the review asks the same of paper as of electronic certificates (R4, R5, R7, R9).
    """
    if facts.issue.medium is not Medium.PAPER:
        raise RuleViolation(
            "R11",
            "electronic-programme",
            found=("该项目制发电子证书", "this programme makes electronic certificates"),
            expected=("发放纸质证书的项目", "a programme that issues paper"),
        )
    if facts.e_certificate_made:
        raise RuleViolation(
            "R14",
            "e-certificate-already-made",
            found=("已制发电子证书", "an electronic certificate was made"),
            expected=("纸质证书与电子证书不并存", "never paper beside electronic"),
        )
    if facts.live_paper:
        raise RuleViolation(
            "R11",
            "paper-made",
            found=("已有纸质证书", "a paper certificate exists"),
            expected=(
                "每人每项资格一份；遗失损毁的申请补发",
                "one each; a lost one is replaced on request",
            ),
        )
    may_issue(replace(facts.issue, medium=Medium.ELECTRONIC), today)
