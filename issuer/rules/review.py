"""Review of eligibility as a transition table (R4–R9).

A review stands at (round, outcome). An action moves it only if the table below has the move and the day
falls into the move's window. Whatever is not in the table is refused.

Reading of R7: both the supplementary round and the decision on a defence end with
`supplementary_closes_on`; after that day nothing leads to ELIGIBLE. An authority that needs longer for
defences filed in time sets `defence_decision_days` in its policy, or announces a later closing day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from issuer.rules.terms import ReviewOutcome, ReviewRound
from issuer.rules.violation import RuleViolation


class ReviewAction(StrEnum):
    """What can be done to a review."""

    FIND_ELIGIBLE = "find-eligible"
    FIND_INELIGIBLE = "find-ineligible"
    HOLD_PENDING = "hold-pending"
    """暂按“报考条件待核查”处理 (R5)."""
    OPEN_SUPPLEMENTARY = "open-supplementary"
    """安排参加补充资格核查 (R7)."""
    FILE_DEFENCE = "file-defence"
    ACCEPT_DEFENCE = "accept-defence"
    REJECT_DEFENCE = "reject-defence"
    LAPSE = "lapse"
    """逾期未接受补充核查，视为放弃 (R7)."""
    OBJECTION_UPHELD = "objection-upheld"
    """公示异议成立 (R5)."""
    TAKE_BACK = "take-back"
    """撤回误录的结论: leads back to where the finding came from (`issuer.rules.taking_back`)."""


class Window(StrEnum):
    """When a move may be made."""

    FIRST_ROUND = "first-round"
    """From score release to the end of the report's last day (R5, R6)."""
    SUPPLEMENTARY = "supplementary"
    """From score release to the end of the closing day (R7)."""
    DEFENCE_DECISION = "defence-decision"
    """As SUPPLEMENTARY, plus the policy's `defence_decision_days`."""
    AFTER_CLOSING = "after-closing"
    """From the day after the closing day (R7)."""
    ANY = "any"
    """From score release on."""


@dataclass(frozen=True, slots=True)
class ReviewState:
    """Where a review stands."""

    round: ReviewRound
    outcome: ReviewOutcome


@dataclass(frozen=True, slots=True)
class Move:
    """Where an action leads, the clause it rests on, and when it may be made."""

    to: ReviewState
    clause: str
    window: Window


@dataclass(frozen=True, slots=True)
class ReviewDates:
    """The sitting's days (last days included), as announced."""

    results_released_on: date
    report_due_on: date
    supplementary_closes_on: date
    report_clause: str = "R6"
    """R6 where the announcement set the reporting day (provincial exams), R5 otherwise."""
    defence_decision_days: int = 0


_FIRST, _SUPP = ReviewRound.FIRST, ReviewRound.SUPPLEMENTARY
_AWAITING, _PENDING = ReviewOutcome.AWAITING, ReviewOutcome.CONDITIONS_PENDING
_ELIGIBLE, _INELIGIBLE = ReviewOutcome.ELIGIBLE, ReviewOutcome.INELIGIBLE
_DEFENCE, _WAIVED = ReviewOutcome.DEFENCE_OPEN, ReviewOutcome.DEEMED_WAIVED
_A, _W = ReviewAction, Window

START = ReviewState(_FIRST, _AWAITING)
"""Every passer handed over begins here (R5)."""

_ROWS = (
    # from                   action                 to                       clause  window
    ((_FIRST, _AWAITING), _A.FIND_ELIGIBLE, (_FIRST, _ELIGIBLE), "R4", _W.FIRST_ROUND),
    ((_FIRST, _AWAITING), _A.FIND_INELIGIBLE, (_FIRST, _INELIGIBLE), "R4", _W.FIRST_ROUND),
    ((_FIRST, _AWAITING), _A.HOLD_PENDING, (_FIRST, _PENDING), "R5", _W.ANY),
    ((_FIRST, _PENDING), _A.FIND_ELIGIBLE, (_FIRST, _ELIGIBLE), "R4", _W.FIRST_ROUND),
    ((_FIRST, _PENDING), _A.FIND_INELIGIBLE, (_FIRST, _INELIGIBLE), "R4", _W.FIRST_ROUND),
    ((_FIRST, _PENDING), _A.OPEN_SUPPLEMENTARY, (_SUPP, _AWAITING), "R7", _W.SUPPLEMENTARY),
    ((_FIRST, _PENDING), _A.LAPSE, (_SUPP, _WAIVED), "R7", _W.AFTER_CLOSING),
    ((_FIRST, _ELIGIBLE), _A.OBJECTION_UPHELD, (_FIRST, _INELIGIBLE), "R5", _W.ANY),
    ((_FIRST, _ELIGIBLE), _A.FIND_INELIGIBLE, (_FIRST, _INELIGIBLE), "R9", _W.ANY),
    ((_FIRST, _INELIGIBLE), _A.FILE_DEFENCE, (_SUPP, _DEFENCE), "R7", _W.SUPPLEMENTARY),
    ((_SUPP, _AWAITING), _A.FIND_ELIGIBLE, (_SUPP, _ELIGIBLE), "R8", _W.SUPPLEMENTARY),
    ((_SUPP, _AWAITING), _A.FIND_INELIGIBLE, (_SUPP, _INELIGIBLE), "R8", _W.SUPPLEMENTARY),
    ((_SUPP, _AWAITING), _A.LAPSE, (_SUPP, _WAIVED), "R7", _W.AFTER_CLOSING),
    ((_SUPP, _ELIGIBLE), _A.OBJECTION_UPHELD, (_SUPP, _INELIGIBLE), "R5", _W.ANY),
    ((_SUPP, _ELIGIBLE), _A.FIND_INELIGIBLE, (_SUPP, _INELIGIBLE), "R9", _W.ANY),
    ((_SUPP, _INELIGIBLE), _A.FILE_DEFENCE, (_SUPP, _DEFENCE), "R7", _W.SUPPLEMENTARY),
    ((_SUPP, _DEFENCE), _A.ACCEPT_DEFENCE, (_SUPP, _ELIGIBLE), "R7", _W.DEFENCE_DECISION),
    ((_SUPP, _DEFENCE), _A.REJECT_DEFENCE, (_SUPP, _INELIGIBLE), "R7", _W.DEFENCE_DECISION),
)

TRANSITIONS: Mapping[tuple[ReviewState, ReviewAction], Move] = MappingProxyType(
    {
        (ReviewState(*before), action): Move(ReviewState(*after), clause, window)
        for before, action, after, clause, window in _ROWS
    }
)


def transition(
    state: ReviewState, action: ReviewAction, dates: ReviewDates, on: date, *, defence_decided: bool = False
) -> Move:
    """The move that `action` makes from `state` on the day `on` (Asia/Shanghai).

    defence_decided: whether a defence of this person in this sitting was decided before; a second one is
    refused. Raises RuleViolation citing R4–R9.
    """
    if state.outcome is _WAIVED:
        raise RuleViolation(
            "R7",
            "deemed-waived",
            found=("该考生已视为放弃考试资格", "this candidate is deemed to have given up"),
            expected=(
                "补充资格核查为当年度最后一次资格核查，逾期不再受理",
                "the supplementary review is the year's last; nothing is taken afterwards",
            ),
        )
    move = TRANSITIONS.get((state, action))
    if move is None:
        allowed = "、".join(sorted(a.value for s, a in TRANSITIONS if s == state)) or "—"
        raise RuleViolation(
            "R7" if state.round is _SUPP else "R4",
            "no-such-transition",
            found=(
                f"{state.round} 轮次、结果 {state.outcome} 时不能办理 {action}",
                f"{action} is not possible at {state.round} / {state.outcome}",
            ),
            expected=(f"可办理：{allowed}", f"possible: {allowed}"),
        )
    _require_window(move, dates, on)
    if action is ReviewAction.FILE_DEFENCE and defence_decided:
        raise RuleViolation(
            "R7",
            "defence-already-decided",
            found=("申辩已有处理结果", "a defence has already been decided"),
            expected=("每人每次考试申辩一次", "one defence for each person and sitting"),
        )
    return move


def possible_actions(state: ReviewState, dates: ReviewDates, on: date) -> tuple[ReviewAction, ...]:
    """The actions the table and the calendar allow at `state` on `on`, in the order of `ReviewAction`."""
    return tuple(
        action
        for action in ReviewAction
        if (move := TRANSITIONS.get((state, action))) is not None and _window_fault(move.window, dates, on) is None
    )


def _window_fault(window: Window, dates: ReviewDates, on: date) -> tuple[str, str, tuple[str, str]] | None:
    """(clause, code, expected in both languages) when `on` is outside `window`."""
    closes = dates.supplementary_closes_on
    if on < dates.results_released_on:
        day = dates.results_released_on
        return "R5", "scores-not-released", (f"成绩发布日 {day} 起", f"from score release on {day}")
    if window is Window.FIRST_ROUND and on > dates.report_due_on:
        day = dates.report_due_on
        return (
            dates.report_clause,
            "first-round-closed",
            (
                f"核查结果应于 {day} 24:00 前报送；未完成核实的按“报考条件待核查”处理，参加补充资格核查",
                f"results due by 24:00 on {day}; the unverified are held pending for the supplementary round",
            ),
        )
    if window is Window.AFTER_CLOSING and on <= closes:
        return "R7", "supplementary-still-open", (f"{closes} 24:00 之后", f"after 24:00 on {closes}")
    last = {
        Window.SUPPLEMENTARY: closes,
        Window.DEFENCE_DECISION: closes + timedelta(days=dates.defence_decision_days),
    }.get(window)
    if last is not None and on > last:
        return "R7", "supplementary-closed", (f"{last} 24:00 前", f"until 24:00 on {last}")
    return None


def _require_window(move: Move, dates: ReviewDates, on: date) -> None:
    fault = _window_fault(move.window, dates, on)
    if fault is not None:
        clause, code, expected = fault
        raise RuleViolation(clause, code, found=(f"办理日期 {on}", f"acted on {on}"), expected=expected)
