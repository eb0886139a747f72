"""When a certificate falls and when it stands up again (R9, R10).

Two different people are needed for each: one proposes, one decides.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date

from issuer.rules.terms import InvalidationGround
from issuer.rules.violation import RuleViolation

BASIS_MIN, BASIS_MAX = 4, 2000
"""Length of the legal basis, in characters."""


@dataclass(frozen=True, slots=True)
class ProposalFacts:
    """A proposal to invalidate. `status` is the certificate's public status, None when it is not published.

    effective_on: the day the decision takes effect. from_beginning: the certificate counts as never
    having been good (R9 void), so effective_on may lie before the approval; otherwise it may not.
    exam_ended_on: the results that fall are those of this sitting (R9), so nothing takes effect before it.
    """

    ground: InvalidationGround
    basis: str
    effective_on: date
    from_beginning: bool
    approved_on: date
    exam_ended_on: date
    status: str | None
    open_proposal: bool = False


@dataclass(frozen=True, slots=True)
class DecisionFacts:
    """A decision on an open proposal, or on a reinstatement."""

    ground: InvalidationGround
    state: str
    proposed_by: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class ReinstatementFacts:
    """An appeal that succeeded: `invalidated_by` approved the invalidation that is to be overturned.

    other_live: whether the person has got another live certificate of the same qualification meanwhile.
    """

    ground: InvalidationGround
    basis: str
    status: str | None
    invalidation_state: str
    invalidated_by: str
    overturned_by: str
    other_live: bool = False


@dataclass(frozen=True, slots=True)
class Consequences:
    """What falls with the certificate (R9), and what follows besides (R10)."""

    clause: str
    registration_void: bool
    all_scores_of_sitting_void: bool
    certificate_invalid: bool
    fee_refunded: bool
    handled_under_order_31: bool
    """MOHRSS Order 31, articles 10 and 12; suspected crime is transferred."""


def consequences(ground: InvalidationGround) -> Consequences:
    """What the law makes of each ground."""
    return Consequences(
        clause=ground.clause,
        registration_void=True,
        all_scores_of_sitting_void=True,
        certificate_invalid=True,
        fee_refunded=False,
        handled_under_order_31=ground.clause == "R10",
    )


def may_propose(facts: ProposalFacts, today: date) -> None:
    """Return if invalidation may be proposed on `today`; raise RuleViolation (R9 or R10, by ground).

    Codes: not-published, already-invalid, superseded, proposal-open, basis-missing, basis-too-long,
    basis-characters, effective-in-future, effective-before-approval.
    """
    clause = facts.ground.clause
    _require_status(clause, facts.status)
    if facts.open_proposal:
        _refuse(
            clause, "proposal-open", "已有未决定的提议", "a proposal is open", "先决定该提议", "decide that one first"
        )
    require_basis(clause, facts.basis)
    if facts.effective_on > today:
        _refuse(
            clause,
            "effective-in-future",
            f"生效日期 {facts.effective_on}",
            f"effective on {facts.effective_on}",
            f"不晚于 {today}",
            f"{today} or earlier",
        )
    if not facts.from_beginning and facts.effective_on < facts.approved_on:
        _refuse(
            clause,
            "effective-before-approval",
            f"生效日期 {facts.effective_on} 早于批准日期 {facts.approved_on}",
            f"effective on {facts.effective_on}, approved on {facts.approved_on}",
            "不早于批准日期，或自始无效",
            "not before the approval, or void from the beginning",
        )
    if facts.effective_on < facts.exam_ended_on:
        _refuse(
            clause,
            "effective-before-exam",
            f"生效日期 {facts.effective_on} 早于考试结束日期 {facts.exam_ended_on}",
            f"effective on {facts.effective_on}, the exam ended on {facts.exam_ended_on}",
            "无效的是本次考试的成绩和证书，生效日期不早于考试结束日期",
            "what falls are results of this sitting: not before the exam ended",
        )


def may_decide(facts: DecisionFacts) -> None:
    """Return if `decided_by` may approve or reject; raise RuleViolation: not-open, same-person."""
    clause = facts.ground.clause
    if facts.state != "proposed":
        _refuse(
            clause, "not-open", f"提议状态为 {facts.state}", f"the proposal is {facts.state}", "待决定", "proposed"
        )
    if _same(facts.proposed_by, facts.decided_by):
        _refuse_same_person(clause)


def may_withdraw(facts: DecisionFacts) -> None:
    """Return if `decided_by` may withdraw the proposal: its proposer only, and only while it is open."""
    clause = facts.ground.clause
    if facts.state != "proposed":
        _refuse(
            clause, "not-open", f"提议状态为 {facts.state}", f"the proposal is {facts.state}", "待决定", "proposed"
        )
    if not _same(facts.proposed_by, facts.decided_by):
        _refuse(
            clause, "not-the-proposer", "非提议人", "not the proposer", "由提议人撤回", "withdrawn by the proposer"
        )


def may_reinstate(facts: ReinstatementFacts) -> None:
    """Return if an applied invalidation may be overturned; raise RuleViolation.

    Codes: not-invalid, not-applied, other-certificate-live, basis-…, same-person (who approved the
    invalidation does not decide the appeal).
    """
    clause = facts.ground.clause
    if facts.status != "invalid":
        _refuse(
            clause,
            "not-invalid",
            "证书未处于无效状态",
            "the certificate is not invalid",
            "已无效",
            "an invalid certificate",
        )
    if facts.invalidation_state != "applied":
        _refuse(
            clause,
            "not-applied",
            f"无效决定状态为 {facts.invalidation_state}",
            f"the invalidation is {facts.invalidation_state}",
            "已执行",
            "applied",
        )
    if facts.other_live:
        _refuse(
            clause,
            "other-certificate-live",
            "同一资格已有其他有效证书",
            "another certificate of this qualification is live",
            "一人一资格一证",
            "one live certificate for each person and qualification",
        )
    require_basis(clause, facts.basis)
    if _same(facts.invalidated_by, facts.overturned_by):
        _refuse_same_person(clause)


def require_two_people(clause: str, first: str, second: str) -> None:
    """Raise RuleViolation `same-person` when one account acts in both parts."""
    if _same(first, second):
        _refuse_same_person(clause)


def require_basis(clause: str, basis: str) -> None:
    """Raise RuleViolation unless `basis` is a usable legal basis: 4 to 2,000 visible characters."""
    text = basis.strip()
    if len(text) < BASIS_MIN:
        _refuse(
            clause,
            "basis-missing",
            "未写明法律依据",
            "no legal basis",
            "写明法律依据和认定的事实",
            "the legal basis and the finding",
        )
    if len(text) > BASIS_MAX:
        _refuse(
            clause,
            "basis-too-long",
            f"{len(text)} 字",
            f"{len(text)} characters",
            f"不超过 {BASIS_MAX} 字",
            f"at most {BASIS_MAX}",
        )
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") and char not in "\n\r\t" for char in text):
        _refuse(
            clause, "basis-characters", "含不可见字符", "has invisible characters", "仅可见文字", "visible text only"
        )


def _require_status(clause: str, status: str | None) -> None:
    if status in ("valid", "suspended"):
        return
    code = {"invalid": "already-invalid", "superseded": "superseded"}.get(status or "", "not-published")
    _refuse(
        clause,
        code,
        f"证书状态为 {status or '未发布'}",
        f"the certificate is {status or 'not published'}",
        "有效或暂停的证书",
        "a valid or suspended certificate",
    )


def _same(first: str, second: str) -> bool:
    return first.strip().casefold() == second.strip().casefold()


def _refuse_same_person(clause: str) -> None:
    _refuse(
        clause,
        "same-person",
        "提议与决定为同一人",
        "one person in both parts",
        "由两名不同人员办理",
        "two different people",
    )


def _refuse(clause: str, code: str, found: str, found_en: str, expected: str, expected_en: str) -> None:
    raise RuleViolation(clause, code, found=(found, found_en), expected=(expected, expected_en))
