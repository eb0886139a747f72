"""Whose turn it is: the one work queue that owns an open case (R1, R4–R15), as a pure function of how it stands.

A case is one thing that waits for a decision or an act of staff: a review, an objection, a proposal, a request, a
sheet of paper. What waits for the candidate or the holder is nobody's work and is in no queue.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from issuer.rules.paper_states import PaperQueue
from issuer.rules.terms import ReviewOutcome, ReviewRound, Role


class CaseKind(StrEnum):
    """What a case is about."""

    REVIEW = "review"
    """资格核查, with the defence it may hold (R4–R8)."""
    OBJECTION = "objection"
    """公示异议 (R5)."""
    INVALIDATION = "invalidation"
    """认定无效或恢复效力 (R9, R10)."""
    CORRECTION = "correction"
    """更正姓名 (R11)."""
    REPLACEMENT = "replacement"
    """纸质证书补发 (R14)."""
    DATA_OBJECTION = "data-objection"
    """信息更正申请 (R15)."""
    PAPER = "paper"
    """一份纸质证书 (R12, R13)."""


class WorkQueue(StrEnum):
    """The queues, in the order in which a year brings their work."""

    FIRST_ROUND = "first-round"
    PENDING = "pending"
    SUPPLEMENTARY = "supplementary"
    DEFENCES = "defences"
    OBJECTIONS = "objections"
    INVALIDATIONS = "invalidations"
    CORRECTIONS = "corrections"
    CORRECTIONS_MAKING = "corrections-making"
    REPLACEMENTS = "replacements"
    REPLACEMENTS_PRINTING = "replacements-printing"
    WRONG_DATA = "wrong-data"
    WATCHED = "watched"
    PAPER_DESK = "paper-desk"
    PAPER_RETURNS = "paper-returns"
    PAPER_HANDOVER = "paper-handover"
    PAPER_RECALL = "paper-recall"


@dataclass(frozen=True, slots=True)
class CaseState:
    """How a case stands.

    `state` is the outcome of a review, the state of a proposal or request, the `PaperQueue` of a sheet, or open and
    closed of an objection. `round` counts for reviews, `approved` for replacements (a second person allowed it),
    `watching` for objections to data (somebody watches the certificate), `void` for a registration that fell (R9).
    """

    kind: CaseKind
    state: str
    round: ReviewRound = ReviewRound.FIRST
    approved: bool = False
    watching: bool = False
    void: bool = False


_HOLDERS_TURN = frozenset({PaperQueue.AWAITING_HOLDER, PaperQueue.IN_POST, PaperQueue.KEPT, PaperQueue.DONE})
_RETURNS = frozenset({PaperQueue.RETURNED, PaperQueue.TO_RESEND})
_HANDOVER = frozenset({PaperQueue.DUE_THIS_MONTH, PaperQueue.OVERDUE, PaperQueue.ON_REGISTER})
_REVIEW_WAITS = frozenset({ReviewOutcome.AWAITING, ReviewOutcome.CONDITIONS_PENDING, ReviewOutcome.DEFENCE_OPEN})
_OPEN_STATES: dict[CaseKind, frozenset[str]] = {
    CaseKind.OBJECTION: frozenset({"open"}),
    CaseKind.INVALIDATION: frozenset({"proposed"}),
    CaseKind.CORRECTION: frozenset({"proposed", "approved"}),
    CaseKind.REPLACEMENT: frozenset({"accepted"}),
    CaseKind.DATA_OBJECTION: frozenset({"open"}),
}


def is_open(case: CaseState) -> bool:
    """Whether the case waits for staff at all. A review of a registration that fell waits for nobody (R9)."""
    if case.kind is CaseKind.REVIEW:
        return case.state in _REVIEW_WAITS and not case.void
    if case.kind is CaseKind.PAPER:
        return case.state not in _HOLDERS_TURN
    return case.state in _OPEN_STATES[case.kind]


@dataclass(frozen=True, slots=True)
class QueueRule:
    """Who owns a queue, the clause it serves, and which open cases are in it."""

    owners: tuple[Role, ...]
    clause: str
    kind: CaseKind
    takes: Callable[[CaseState], bool]


def _review(outcome: ReviewOutcome, round: ReviewRound | None = None) -> Callable[[CaseState], bool]:
    return lambda case: case.state == outcome and (round is None or case.round is round)


def _state(*states: str) -> Callable[[CaseState], bool]:
    return lambda case: case.state in states


_K, _Q = CaseKind, WorkQueue
_BODY = (Role.REVIEW_BODY, Role.AUTHORITY_ISSUER)
_SECOND = (Role.AUTHORITY_APPROVER,)
_DESK = frozenset(PaperQueue) - _HOLDERS_TURN - _RETURNS - _HANDOVER - {PaperQueue.RECALL}

RULES: dict[WorkQueue, QueueRule] = {
    _Q.FIRST_ROUND: QueueRule(_BODY, "R5", _K.REVIEW, _review(ReviewOutcome.AWAITING, ReviewRound.FIRST)),
    _Q.PENDING: QueueRule(_BODY, "R5", _K.REVIEW, _review(ReviewOutcome.CONDITIONS_PENDING)),
    _Q.SUPPLEMENTARY: QueueRule(_BODY, "R7", _K.REVIEW, _review(ReviewOutcome.AWAITING, ReviewRound.SUPPLEMENTARY)),
    _Q.DEFENCES: QueueRule(_BODY, "R7", _K.REVIEW, _review(ReviewOutcome.DEFENCE_OPEN)),
    _Q.OBJECTIONS: QueueRule(_BODY, "R5", _K.OBJECTION, _state("open")),
    _Q.INVALIDATIONS: QueueRule(_SECOND, "R9", _K.INVALIDATION, _state("proposed")),
    _Q.CORRECTIONS: QueueRule(_SECOND, "R11", _K.CORRECTION, _state("proposed")),
    _Q.CORRECTIONS_MAKING: QueueRule((Role.AUTHORITY_ISSUER,), "R11", _K.CORRECTION, _state("approved")),
    _Q.REPLACEMENTS: QueueRule((*_SECOND, *_BODY), "R14", _K.REPLACEMENT, lambda case: not case.approved),
    _Q.REPLACEMENTS_PRINTING: QueueRule(_BODY, "R14", _K.REPLACEMENT, lambda case: case.approved),
    _Q.WRONG_DATA: QueueRule(_BODY, "R15", _K.DATA_OBJECTION, lambda case: not case.watching),
    _Q.WATCHED: QueueRule(_BODY, "R15", _K.DATA_OBJECTION, lambda case: case.watching),
    _Q.PAPER_DESK: QueueRule(_BODY, "R12", _K.PAPER, lambda case: case.state in _DESK),
    _Q.PAPER_RETURNS: QueueRule(_BODY, "R12", _K.PAPER, lambda case: case.state in _RETURNS),
    _Q.PAPER_HANDOVER: QueueRule(_BODY, "R13", _K.PAPER, lambda case: case.state in _HANDOVER),
    _Q.PAPER_RECALL: QueueRule(_BODY, "R9", _K.PAPER, _state(PaperQueue.RECALL)),
}
"""Every queue with its rule. The rules of one kind exclude each other; a property test holds that."""

OVERSEERS = (Role.SUPERVISOR, Role.AUDITOR)
"""Who sees every queue without owning one."""


def queues_of(case: CaseState) -> tuple[WorkQueue, ...]:
    """All queues whose rule takes the case: one for an open case, none for another."""
    if not is_open(case):
        return ()
    return tuple(queue for queue, rule in RULES.items() if rule.kind is case.kind and rule.takes(case))


def owning_queue(case: CaseState) -> WorkQueue | None:
    """The queue that owns the case; None when it waits for nobody on the staff.

    Raises RuntimeError when the rules do not agree on one: a mistake in the rules, not in the case.
    """
    found = queues_of(case)
    if is_open(case) and len(found) != 1:
        raise RuntimeError(f"{len(found)} queues for an open case of kind {case.kind} at {case.state}")
    return found[0] if found else None


def visible_queues(roles: frozenset[Role]) -> tuple[WorkQueue, ...]:
    """The queues somebody with `roles` sees: their own, all for supervisors and auditors, none for operators."""
    if roles.intersection(OVERSEERS):
        return tuple(WorkQueue)
    return tuple(queue for queue, rule in RULES.items() if roles.intersection(rule.owners))
