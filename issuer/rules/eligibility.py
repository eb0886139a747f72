"""Who may be issued an electronic certificate, and when (R4, R5, R9, R11).

Reading: an objection holds back the person it concerns, not the whole sitting.
"""

from dataclasses import dataclass
from datetime import date

from issuer.rules.notice import PublicNotice, is_notice_closed
from issuer.rules.terms import Medium, ReviewOutcome
from issuer.rules.violation import RuleViolation


@dataclass(frozen=True, slots=True)
class ScoreFact:
    """One subject of the sitting."""

    passed: bool
    void: bool = False


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """What the law asks about one registration before a certificate is made.

    open_objections counts unresolved objections to this registration; live_certificate tells whether this
    person already has a live certificate, or one being made, for this qualification.
    """

    medium: Medium
    outcome: ReviewOutcome
    notice: PublicNotice
    approved_on: date
    scores: tuple[ScoreFact, ...]
    open_objections: int = 0
    registration_void: bool = False
    live_certificate: bool = False


def may_issue(facts: IssueFacts, today: date) -> None:
    """Return if a certificate may be made on `today` (Asia/Shanghai); raise RuleViolation otherwise.

    Codes: paper-programme (R11), registration-void, scores-void (R9), scores-missing, not-passed,
    not-eligible (R4), deemed-waived (R7), notice-not-closed, objection-open (R5),
    approval-in-future, certificate-live (R11).
    """
    if facts.medium is not Medium.ELECTRONIC:
        _refuse(
            "R11",
            "paper-programme",
            "该项目发放纸质证书",
            "this programme issues paper",
            "电子证书项目",
            "an electronic programme",
        )
    if facts.registration_void:
        _refuse("R9", "registration-void", "报名无效", "the registration is void", "报名有效", "a valid registration")
    if not facts.scores:
        _refuse("R4", "scores-missing", "无成绩记录", "no scores on record", "全部科目合格", "all subjects passed")
    if any(score.void for score in facts.scores):
        _refuse("R9", "scores-void", "当次成绩无效", "scores of the sitting are void", "成绩有效", "valid scores")
    if not all(score.passed for score in facts.scores):
        _refuse("R4", "not-passed", "有科目未合格", "a subject was not passed", "全部科目合格", "all subjects passed")
    if facts.outcome is ReviewOutcome.DEEMED_WAIVED:
        _refuse("R7", "deemed-waived", "已视为放弃", "deemed to have given up", "核查结果为合格", "found eligible")
    if facts.outcome is not ReviewOutcome.ELIGIBLE:
        _refuse(
            "R4",
            "not-eligible",
            f"核查结果为 {facts.outcome}",
            f"review says {facts.outcome}",
            "核查结果为合格",
            "found eligible",
        )
    closes = facts.notice.closes_on
    if not is_notice_closed(facts.notice, today):
        _refuse(
            "R5",
            "notice-not-closed",
            f"公示至 {closes} 24:00",
            f"the public notice stands until 24:00 on {closes}",
            "公示期满",
            "a notice that has run out",
        )
    if facts.open_objections:
        _refuse(
            "R5", "objection-open", "有未处理的异议", "an objection is open", "异议已处理", "every objection resolved"
        )
    if facts.approved_on > today:
        _refuse(
            "R11",
            "approval-in-future",
            f"批准日期 {facts.approved_on}",
            f"approved on {facts.approved_on}",
            "已批准",
            "an approval",
        )
    if facts.live_certificate:
        _refuse(
            "R11",
            "certificate-live",
            "该人员已有有效的同一资格证书",
            "this person already has a live certificate of this qualification",
            "一人一资格一证",
            "one live certificate for each person and qualification",
        )


def _refuse(clause: str, code: str, found: str, found_en: str, expected: str, expected_en: str) -> None:
    raise RuleViolation(clause, code, found=(found, found_en), expected=(expected, expected_en))
