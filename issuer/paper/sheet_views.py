"""Paper certificates as staff see them: a queue, a line in a list, one sheet with its history."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from issuer.rules.paper_states import PaperQueue


@dataclass(frozen=True, slots=True)
class Queue:
    """`oldest`: when the longest waiting case came into its state; `deadline`: the next last day, if there is one."""

    queue: PaperQueue
    clause: str
    count: int
    oldest: datetime | None
    deadline: date | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "queue": str(self.queue),
            "clause": self.clause,
            "count": self.count,
            "oldest": self.oldest.isoformat() if self.oldest else None,
            "deadline": self.deadline.isoformat() if self.deadline else None,
        }


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A certificate in a list; no name."""

    id: int
    serial: str
    management_no: str
    sitting: str
    state: str
    place: str
    waybill: str | None
    box: str | None
    changed_at: datetime

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "id": self.id,
            "serial": self.serial,
            "management_no": self.management_no,
            "sitting": self.sitting,
            "state": self.state,
            "place": self.place,
            "waybill": self.waybill,
            "box": self.box,
            "changed_at": self.changed_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One step: what, where the sheet then was, by which clause."""

    action: str
    state: str
    place: str
    clause: str
    reference: str | None
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SheetView:
    """One certificate for the person who works on it. Name and destination only there, and only for clerks."""

    line: SheetLine
    name: str
    specialty: str
    city: str
    queue: PaperQueue
    actions: tuple[str, ...]
    register: str | None
    replaces: str | None
    replaced_by: str | None
    recipient: str | None
    phone: str | None
    address: str | None
    revision: int | None
    handed_to: str | None
    proof: str | None
    history: tuple[HistoryLine, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Plain values; the destination stays out."""
        return self.line.to_json() | {
            "queue": str(self.queue),
            "actions": list(self.actions),
            "handover_register": self.register,
            "replaces": self.replaces,
            "replaced_by": self.replaced_by,
            "address_revision": self.revision,
            "handed_to": self.handed_to,
            "proof": self.proof,
            "history": [
                {
                    "action": line.action,
                    "state": line.state,
                    "place": line.place,
                    "clause": line.clause,
                    "reference": line.reference,
                    "actor": line.actor,
                    "at": line.at.isoformat(),
                }
                for line in self.history
            ],
        }
