"""The life of one paper certificate (R11–R14): states, what leads from one to the next, and where it then is.

Every state stands for exactly one place, so a certificate can never be in two. Nothing leaves the table: a spoiled
form, a void certificate and one handed over to the department stay on record for good.
"""

from dataclasses import dataclass
from enum import StrEnum

from issuer.rules.violation import RuleViolation


class PaperState(StrEnum):
    """How far a paper certificate has come."""

    PRINTED = "printed"
    """已打印，待核对."""
    AVAILABLE = "available"
    """待领取."""
    BOOKED = "booked"
    """已预约邮寄 (R12)."""
    POSTED = "posted"
    """已交寄."""
    DELIVERED = "delivered"
    """已签收."""
    RETURNED = "returned"
    """已退回."""
    COLLECTED = "collected"
    """现场已领取 (R12)."""
    SAFEKEEPING = "safekeeping"
    """代为保管 (R13)."""
    HANDED_OVER = "handed-over"
    """已登记造册移交 (R13)."""
    SPOILED = "spoiled"
    """打印作废."""
    VOID = "void"
    """已作废 (R9, R14)."""


class PaperPlace(StrEnum):
    """Where the sheet of paper is."""

    PRINT_ROOM = "print-room"
    COUNTER = "counter"
    COURIER = "courier"
    HOLDER = "holder"
    RETURNS = "returns"
    BOX = "box"
    DEPARTMENT = "department"
    VOID_FILE = "void-file"


class PaperAction(StrEnum):
    """What is done with a paper certificate."""

    RELEASE = "release"
    SPOIL = "spoil"
    BOOK = "book"
    CANCEL = "cancel"
    POST = "post"
    DELIVER = "deliver"
    RETURN = "return"
    RESEND = "resend"
    COLLECT = "collect"
    STORE = "store"
    HAND_OVER = "hand-over"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class _Step:
    before: frozenset[PaperState]
    after: PaperState
    clause: str


_S = PaperState
ENDED = frozenset({_S.SPOILED, _S.VOID})
"""States from which no action leads on, and beside which a new certificate may be made.

Only an appeal that succeeded undoes a void one (`standing_again`)."""
WITH_HOLDER = frozenset({_S.DELIVERED, _S.COLLECTED})

_STEPS: dict[PaperAction, _Step] = {
    PaperAction.RELEASE: _Step(frozenset({_S.PRINTED}), _S.AVAILABLE, "R12"),
    PaperAction.SPOIL: _Step(frozenset({_S.PRINTED}), _S.SPOILED, "R16"),
    PaperAction.BOOK: _Step(frozenset({_S.AVAILABLE}), _S.BOOKED, "R12"),
    PaperAction.CANCEL: _Step(frozenset({_S.BOOKED}), _S.AVAILABLE, "R12"),
    PaperAction.POST: _Step(frozenset({_S.BOOKED}), _S.POSTED, "R12"),
    PaperAction.DELIVER: _Step(frozenset({_S.POSTED}), _S.DELIVERED, "R12"),
    PaperAction.RETURN: _Step(frozenset({_S.POSTED}), _S.RETURNED, "R12"),
    PaperAction.RESEND: _Step(frozenset({_S.RETURNED}), _S.BOOKED, "R12"),
    PaperAction.COLLECT: _Step(frozenset({_S.AVAILABLE, _S.RETURNED, _S.SAFEKEEPING}), _S.COLLECTED, "R12"),
    PaperAction.STORE: _Step(frozenset({_S.AVAILABLE, _S.RETURNED}), _S.SAFEKEEPING, "R13"),
    PaperAction.HAND_OVER: _Step(frozenset({_S.SAFEKEEPING}), _S.HANDED_OVER, "R13"),
    PaperAction.VOID: _Step(frozenset(_S) - ENDED, _S.VOID, "R14"),
}

_PLACES: dict[PaperState, PaperPlace] = {
    _S.PRINTED: PaperPlace.PRINT_ROOM,
    _S.AVAILABLE: PaperPlace.COUNTER,
    _S.BOOKED: PaperPlace.COUNTER,
    _S.POSTED: PaperPlace.COURIER,
    _S.DELIVERED: PaperPlace.HOLDER,
    _S.COLLECTED: PaperPlace.HOLDER,
    _S.RETURNED: PaperPlace.RETURNS,
    _S.SAFEKEEPING: PaperPlace.BOX,
    _S.HANDED_OVER: PaperPlace.DEPARTMENT,
    _S.SPOILED: PaperPlace.VOID_FILE,
    _S.VOID: PaperPlace.VOID_FILE,
}


def place_of(state: PaperState) -> PaperPlace:
    """The one place where a certificate in this state is."""
    return _PLACES[state]


def clause_of(action: PaperAction) -> str:
    """The clause an action rests on."""
    return _STEPS[action].clause


def actions_from(state: PaperState) -> frozenset[PaperAction]:
    """What may be done with a certificate in this state."""
    return frozenset(action for action, step in _STEPS.items() if state in step.before)


def after(state: PaperState, action: PaperAction) -> PaperState:
    """The state an action leads to; raises RuleViolation (code paper-state) when it may not be done now."""
    step = _STEPS[action]
    if state in step.before:
        return step.after
    wanted = sorted(step.before)
    raise RuleViolation(
        step.clause,
        "paper-state",
        found=(f"该证书当前状态为 {state}，不能办理 {action}", f"the certificate is {state}: no {action} from there"),
        expected=(f"状态为 {'、'.join(wanted)}", f"a certificate that is {' or '.join(wanted)}"),
    )


def standing_again(state: PaperState, before: PaperState) -> PaperState:
    """Where a sheet that fell with its registration is after an appeal; `before`: its state when it fell (R9).

    One with its holder, one not compared yet and one the department took over are where they were. Every other
    lies in the void file or comes back from the courier: it is at the counter, to be collected, mailed or stored.
    Raises RuleViolation (paper-state) unless it is void.
    """
    if state is not _S.VOID or before in ENDED:
        raise RuleViolation(
            "R9",
            "paper-state",
            found=(f"该证书状态为 {state}", f"the certificate is {state}"),
            expected=("因报名无效而作废的证书", "a certificate that fell with its registration"),
        )
    stays = WITH_HOLDER | {_S.PRINTED, _S.HANDED_OVER}
    return before if before in stays else _S.AVAILABLE


def require_valid_registration(void: bool) -> None:
    """Raise RuleViolation (R9) when the registration fell: its certificate goes to nobody and is made void."""
    if void:
        raise RuleViolation(
            "R9",
            "registration-void",
            found=("报名已被认定无效", "the registration is void"),
            expected=("报名有效；该证书应收回作废", "a valid registration; recall this certificate and make it void"),
        )


class PaperQueue(StrEnum):
    """Whose turn it is with a certificate that counts. Each is in exactly one queue."""

    TO_RELEASE = "to-release"
    AWAITING_HOLDER = "awaiting-holder"
    """Mail may be booked, or will be: the holder's turn."""
    TO_STORE = "to-store"
    TO_LABEL = "to-label"
    TO_PACK = "to-pack"
    TO_POST = "to-post"
    IN_POST = "in-post"
    RETURNED = "returned"
    """The address is to be mended: the holder's turn."""
    TO_RESEND = "to-resend"
    KEPT = "kept"
    DUE_THIS_MONTH = "due-this-month"
    OVERDUE = "overdue"
    ON_REGISTER = "on-register"
    RECALL = "recall"
    """The registration fell (R9)."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides on the queue: `parcel`: labelled, packed, or None; `mended`: address confirmed after a return."""

    state: PaperState
    registration_void: bool = False
    window_over: bool = False
    parcel: str | None = None
    mended: bool = False
    due: str = "kept"
    on_register: bool = False


def queue_of(standing: Standing) -> PaperQueue:
    """The one queue a certificate is in; a pure function of how it stands."""
    state = standing.state
    if state in ENDED or state is _S.HANDED_OVER:
        return PaperQueue.DONE
    if standing.registration_void:
        return PaperQueue.RECALL
    if state in WITH_HOLDER:
        return PaperQueue.DONE
    if state is _S.AVAILABLE:
        return PaperQueue.TO_STORE if standing.window_over else PaperQueue.AWAITING_HOLDER
    if state is _S.BOOKED:
        waiting = {"labelled": PaperQueue.TO_PACK, "packed": PaperQueue.TO_POST}
        return waiting.get(standing.parcel or "", PaperQueue.TO_LABEL)
    if state is _S.RETURNED:
        return PaperQueue.TO_RESEND if standing.mended else PaperQueue.RETURNED
    if state is _S.SAFEKEEPING:
        if standing.on_register:
            return PaperQueue.ON_REGISTER
        due = {"this-month": PaperQueue.DUE_THIS_MONTH, "overdue": PaperQueue.OVERDUE}
        return due.get(standing.due, PaperQueue.KEPT)
    return PaperQueue.TO_RELEASE if state is _S.PRINTED else PaperQueue.IN_POST
