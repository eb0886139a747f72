"""A finding recorded by mistake, taken back by whoever recorded it while nothing rests on it (R4–R8).

The notice orders findings and says nothing of slips of the pen. The reading: a finding that has been reported (R5,
R6, R8), announced (R7, R8), answered by the candidate, or that led to a certificate (R11) or to a case (R9) stands,
and is changed by the way the law has for it. Until then it is its author's draft, for the days that policy allows.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from issuer.rules.policy import Policy
from issuer.rules.review import TRANSITIONS, Move, ReviewAction, ReviewDates, ReviewState, Window
from issuer.rules.terms import ReviewRound
from issuer.rules.violation import RuleViolation

FINDINGS = frozenset({ReviewAction.FIND_ELIGIBLE, ReviewAction.FIND_INELIGIBLE, ReviewAction.HOLD_PENDING})
"""What can be taken back. What was decided on a defence or an objection answers somebody, and stands."""


@dataclass(frozen=True, slots=True)
class LastStep:
    """The newest step of a review: `before` is the state it left, `on` the day (Asia/Shanghai) it was recorded."""

    action: ReviewAction
    before: ReviewState
    after: ReviewState
    on: date
    own: bool
    """Whether whoever would take it back recorded it."""
    answers_objection: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """What rests on the finding already."""

    announced: bool = False
    """A list of results was published since, withdrawn or not."""
    certificate: bool = False
    """A certificate, electronic or paper, was made or is being made."""
    case_open: bool = False
    """A case of invalidation was opened since."""
    registration_void: bool = False


def take_back(step: LastStep, followed: Followed, dates: ReviewDates, policy: Policy, on: date) -> Move:
    """The move that undoes `step` on the day `on`; raise RuleViolation citing R4–R11 where it stands."""
    if step.action not in FINDINGS or step.answers_objection or (step.before, step.action) not in TRANSITIONS:
        _refuse(
            "R4",
            "nothing-to-take-back",
            (f"最近一步为 {step.action}", f"the last step is {step.action}"),
            ("最近一步为核查结论", "a finding as the last step"),
        )
    if not step.own:
        _refuse(
            "R4",
            "not-own-finding",
            ("该结论由他人作出", "somebody else recorded this finding"),
            ("由作出结论的人员撤回", "whoever recorded it takes it back"),
        )
    last = step.on + timedelta(days=policy.take_back_days)
    if policy.take_back_days == 0 or on > last:
        _refuse(
            "R4",
            "take-back-over",
            (f"结论作出于 {step.on}，撤回期限已过", f"found on {step.on}, too long ago to take it back"),
            (
                f"{last} 24:00 前" if policy.take_back_days else "本项目不允许撤回",
                f"until 24:00 on {last}" if policy.take_back_days else "this programme takes nothing back",
            ),
        )
    _require_unreported(step, dates, on)
    _require_nothing_followed(step, followed)
    return Move(step.before, "R8" if step.after.round is ReviewRound.SUPPLEMENTARY else "R4", Window.ANY)


def _require_unreported(step: LastStep, dates: ReviewDates, on: date) -> None:
    second = step.after.round is ReviewRound.SUPPLEMENTARY
    last = dates.supplementary_closes_on if second else dates.report_due_on
    if on > last:
        _refuse(
            "R8" if second else dates.report_clause,
            "results-reported",
            (f"该轮结果已于 {last} 报送", f"the round's results were reported on {last}"),
            (f"{last} 24:00 前撤回", f"taken back until 24:00 on {last}"),
        )


def _require_nothing_followed(step: LastStep, followed: Followed) -> None:
    if followed.registration_void or followed.case_open:
        _refuse(
            "R9",
            "case-followed",
            ("该报名已无效或已立案", "the registration is void, or a case about it was opened"),
            ("按该事项的程序办理", "the case's own procedure"),
        )
    if followed.certificate:
        _refuse(
            "R11",
            "certificate-followed",
            ("证书已制发或正在制作", "a certificate was made or is being made"),
            ("证书制发前撤回；之后办理证书无效", "before a certificate is made; afterwards: invalidation"),
        )
    if followed.announced:
        _refuse(
            "R8" if step.after.round is ReviewRound.SUPPLEMENTARY else "R7",
            "results-announced",
            ("核查结果已公告", "results were announced since"),
            ("公告前撤回", "before they are announced"),
        )


def _refuse(clause: str, code: str, found: tuple[str, str], expected: tuple[str, str]) -> None:
    raise RuleViolation(clause, code, found=found, expected=expected)
