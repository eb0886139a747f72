"""Safekeeping of unclaimed paper certificates and their handover to the department (R13)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from issuer.rules.deadlines import safekeeping_ends_on
from issuer.rules.policy import Policy
from issuer.rules.violation import RuleViolation


class DueState(StrEnum):
    """Where a sitting's boxes stand in their five years."""

    KEPT = "kept"
    THIS_MONTH = "this-month"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class KeepingDue:
    """`kept_until`: last day of safekeeping; the handover is due from the day after."""

    kept_until: date
    state: DueState

    @property
    def due_on(self) -> date:
        """The first day on which the certificates are to be handed over."""
        return self.kept_until + timedelta(days=1)


def keeping_due(exam_ended_on: date, policy: Policy, today: date) -> KeepingDue:
    """Five years by calendar date from the day the examination ended (R13)."""
    until = safekeeping_ends_on(exam_ended_on, policy)
    if today > until:
        state = DueState.OVERDUE
    elif (until.year, until.month) == (today.year, today.month):
        state = DueState.THIS_MONTH
    else:
        state = DueState.KEPT
    return KeepingDue(until, state)


def require_keeping_over(due: KeepingDue, today: date) -> None:
    """Raise RuleViolation (R13: safekeeping-not-over) while the five years run."""
    if today <= due.kept_until:
        raise RuleViolation(
            "R13",
            "safekeeping-not-over",
            found=(f"保管期至 {due.kept_until}", f"kept until {due.kept_until}"),
            expected=("保管期满后登记造册移交", "the five years to be over before the handover"),
        )


def require_equal_count(expected: Mapping[str, int], counted: Mapping[str, int]) -> None:
    """Raise RuleViolation (R13: count-differs, register-empty): box by box, what is there is what is on record."""
    if not sum(expected.values()):
        raise RuleViolation(
            "R13",
            "register-empty",
            found=("没有需要移交的证书", "there is nothing to hand over"),
            expected=("保管箱中有证书", "certificates in safekeeping"),
        )
    wrong = [box for box in sorted({*expected, *counted}) if expected.get(box, 0) != counted.get(box, 0)]
    if wrong:
        told = "、".join(f"{box}（应 {expected.get(box, 0)} 实 {counted.get(box, 0)}）" for box in wrong[:5])
        told_en = ", ".join(f"{box}: {counted.get(box, 0)} of {expected.get(box, 0)}" for box in wrong[:5])
        raise RuleViolation(
            "R13",
            "count-differs",
            found=(f"清点不符：{told}", f"the count differs, {told_en}"),
            expected=("逐箱清点与登记一致", "every box to hold what is on record"),
        )


def require_in_right_box(stored_in: str, scanned_in: str) -> None:
    """Raise RuleViolation (R13: wrong-box) when a certificate turns up in another box than its own."""
    if stored_in != scanned_in:
        raise RuleViolation(
            "R13",
            "wrong-box",
            found=(f"该证书登记在 {stored_in} 箱", f"this certificate is on record in box {stored_in}"),
            expected=(f"放回 {stored_in} 箱清点", f"it to be put back into {stored_in}"),
        )


def require_not_on_register(number: str | None, *, handed_over: bool) -> None:
    """Raise RuleViolation (R13) when a certificate is claimed that stands on a register: it names the number."""
    if number is None:
        return
    if handed_over:
        raise RuleViolation(
            "R13",
            "handed-over",
            found=(
                f"保管期满，已按移交清册 {number} 移交省厅",
                f"handed over to the department, register {number}",
            ),
            expected=("凭清册编号向省厅申请领取", "a claim at the department, naming that register"),
        )
    raise RuleViolation(
        "R13",
        "on-register",
        found=(f"已列入移交清册 {number}，待省厅会签", f"entered in register {number}, to be countersigned"),
        expected=("会签退回后再领取，或向省厅申请", "the register to be sent back, or a claim at the department"),
    )


def require_unclaimed(window_over: bool, *, returned: bool) -> None:
    """Raise RuleViolation (R13: still-bookable): what nobody booked goes into a box once the window is over (R12)."""
    if not window_over and not returned:
        raise RuleViolation(
            "R13",
            "still-bookable",
            found=("邮寄预约期尚未结束", "mail may still be booked"),
            expected=("预约期结束后入库代管", "the booking window to be over before it is put into a box"),
        )
