"""What the paper part of the private API takes and answers."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from issuer.api.models import Finding


class Asked(BaseModel):
    """Nothing but the fields named is taken."""

    model_config = ConfigDict(extra="forbid")


class ReceiptRequest(Asked):
    """Forms that came in, from the first printed serial to the last."""

    programme: str = Field(max_length=32)
    first: str = Field(min_length=1, max_length=40)
    last: str = Field(min_length=1, max_length=40)


class CountRequest(Asked):
    """The second person's own count."""

    count: int = Field(ge=0, le=1_000_000)


class SpoiledForm(Asked):
    """A form to be written off."""

    serial: str = Field(min_length=1, max_length=40)
    reason: str = Field(description="misprint | damaged | lost | faulty-form", max_length=24)


class SpoiledSheet(Asked):
    """Why a printed sheet is spoiled."""

    reason: str = Field(description="misprint | damaged | lost | faulty-form", max_length=24)


class PrintRequest(Asked):
    """How many at most."""

    limit: int = Field(2000, ge=1, le=2000)


class WindowRequest(Asked):
    """The day of the announcement; today if it is left out."""

    announced_on: date | None = None


class AddressRequest(Asked):
    """Where to; freight is collect (R12)."""

    recipient: str = Field(max_length=200)
    phone: str = Field(max_length=40)
    address: str = Field(max_length=400)


class PackScan(Asked):
    """A certificate's bar code, then its envelope's waybill."""

    certificate: str = Field(min_length=1, max_length=60)
    waybill: str = Field(min_length=1, max_length=60)


class WaybillScan(Asked):
    """One waybill."""

    waybill: str = Field(min_length=1, max_length=60)


class BoxScan(Asked):
    """A box's label, then a certificate's bar code."""

    box: str = Field(min_length=1, max_length=60)
    certificate: str = Field(min_length=1, max_length=60)


class AgentRequest(Asked):
    """Who comes for the holder, and the letter of authorisation."""

    name: str = Field(max_length=80)
    id_no: str = Field(max_length=80)
    letter: str = Field(max_length=80)


class CollectRequest(Asked):
    """The holder's ID number as shown, and a proof: the pick-up code, or a signature (PNG or JPEG, base64)."""

    holder_id_no: str = Field(max_length=64)
    code: str | None = Field(None, max_length=20)
    signature: str | None = Field(None, max_length=700_000)
    agent: AgentRequest | None = None


class RegisterRequest(Asked):
    """A sitting whose five years are over."""

    sitting: str = Field(max_length=32)


class DecisionRequest(Asked):
    """What was found about a statement."""

    approve: bool
    note: str = Field("", max_length=500)


class Receipt(BaseModel):
    """Forms that came in; they count once confirmed."""

    id: int
    programme: str
    first: str
    last: str
    count: int
    state: str
    counted_by: str
    counted_at: datetime
    confirmed_by: str | None


class StockLine(BaseModel):
    """received = in_stock + used + spoiled."""

    programme: str
    name: str
    received: int
    in_stock: int
    used: int
    spoiled: int
    next_serial: str | None


class StockAnswer(BaseModel):
    """Balances and receipts within the caller's reach."""

    balances: list[StockLine]
    receipts: list[Receipt]


class PrintedSheet(BaseModel):
    """A form and the number it was printed with."""

    serial: str
    management_no: str


class PrintRefusal(BaseModel):
    """Who gets none, and why."""

    registration: int
    code: str
    clause: str


class PrintAnswer(BaseModel):
    """What a print run did, or would do."""

    sitting: str
    may_be_printed: int
    printed: list[PrintedSheet]
    refused: list[PrintRefusal]
    already: int
    left: int
    dry_run: bool


class WindowAnswer(BaseModel):
    """Both days belong to the window."""

    sitting: str
    opens_on: date
    closes_on: date


class WaybillAnswer(BaseModel):
    """What a file of tracking numbers did; row by row where something is wrong."""

    sitting: str
    rows: int
    assigned: int
    unchanged: int
    findings: list[Finding]
    dry_run: bool


class Sheet(BaseModel):
    """A paper certificate in a list; no name."""

    id: int
    serial: str
    management_no: str
    sitting: str
    state: str
    place: str
    waybill: str | None
    box: str | None
    changed_at: datetime


class SheetPage(BaseModel):
    """Newest first; `next` is the `before` of the following page."""

    items: list[Sheet]
    next: int | None


class SheetStep(BaseModel):
    """One step of a certificate's history."""

    action: str
    state: str
    place: str
    clause: str
    reference: str | None
    actor: str
    at: datetime


class SheetDetail(Sheet):
    """A certificate with its history."""

    queue: str
    actions: list[str]
    handover_register: str | None
    replaces: str | None
    replaced_by: str | None
    address_revision: int | None
    handed_to: str | None
    proof: str | None
    history: list[SheetStep]


class ScanAnswer(BaseModel):
    """What a scan did."""

    serial: str
    management_no: str
    state: str
    reference: str


class Done(BaseModel):
    """It was done."""

    state: Literal["done"] = "done"
    count: int = 1


class QueueLine(BaseModel):
    """A queue that holds something."""

    queue: str
    clause: str
    count: int
    oldest: datetime | None
    deadline: date | None


class DueLine(BaseModel):
    """A sitting's unclaimed certificates."""

    sitting: str
    programme: str
    exam_ended_on: date
    kept_until: date
    state: str
    certificates: int
    boxes: dict[str, int]


class MissingSheet(BaseModel):
    """On record in a box and not scanned yet."""

    box: str
    serial: str


class RegisterAnswer(BaseModel):
    """A handover register and how its count stands."""

    number: str
    sitting: str
    programme: str
    state: str
    due_on: date
    opened_by: str
    opened_at: datetime
    counted_by: str | None
    countersigned_by: str | None
    countersigned_at: datetime | None
    total: int
    expected: dict[str, int]
    counted: dict[str, int]
    missing: list[MissingSheet]
    pdf_sha256: str | None
    xlsx_sha256: str | None


class ReplacementPrinted(BaseModel):
    """The new sheet, and the one that is void from now on."""

    request: int
    serial: str
    void: str | None
