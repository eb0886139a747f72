"""Mail booking of paper certificates (R12): the window, freight collect, the right sheet in the right envelope."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NoReturn

from issuer.rules.deadlines import booking_closes_on, is_over, starts_at
from issuer.rules.policy import Policy
from issuer.rules.violation import RuleViolation


class FreightTerms(StrEnum):
    """Who pays the post. The notice knows one answer (R12)."""

    COLLECT = "collect"
    """到付: the addressee pays."""


class ParcelState(StrEnum):
    """One envelope with its waybill."""

    LABELLED = "labelled"
    """面单已出."""
    PACKED = "packed"
    """已装袋: this certificate was scanned into it."""
    POSTED = "posted"
    """快递已揽收."""
    DELIVERED = "delivered"
    RETURNED = "returned"
    CANCELLED = "cancelled"


UNDER_WAY = frozenset({ParcelState.LABELLED, ParcelState.PACKED, ParcelState.POSTED})


@dataclass(frozen=True, slots=True)
class BookingWindow:
    """From the announcement of the review's results to the last day, both included, in Asia/Shanghai."""

    opens_on: date
    closes_on: date


def booking_window(announced_on: date, policy: Policy) -> BookingWindow:
    """The window that the announcement opens (R12): normally 30 days, the day of the announcement is day 0."""
    return BookingWindow(announced_on, booking_closes_on(announced_on, policy))


def require_open_window(window: BookingWindow | None, now: datetime) -> None:
    """Raise RuleViolation (R12: booking-not-open, booking-closed) unless mail may be booked at `now`."""
    if window is None or now < starts_at(window.opens_on):
        raise RuleViolation(
            "R12",
            "booking-not-open",
            found=("邮寄预约尚未开放", "mail booking is not open yet"),
            expected=("核查结果公告后开放", "the announcement of the review's results"),
        )
    if is_over(window.closes_on, now):
        raise RuleViolation(
            "R12",
            "booking-closed",
            found=("邮寄预约已结束", "mail booking is over"),
            expected=(
                f"在 {window.closes_on} 24:00 前预约；未预约的现场领取",
                f"a booking before {window.closes_on} ended; otherwise collect it on site",
            ),
        )


def require_address_changeable(parcel: ParcelState | None) -> None:
    """Raise RuleViolation (R12: courier-has-it): the address may be changed until the courier's scan."""
    if parcel in (ParcelState.POSTED, ParcelState.DELIVERED):
        raise RuleViolation(
            "R12",
            "courier-has-it",
            found=("快递已揽收", "the courier has the parcel"),
            expected=("揽收前修改地址；退回后可再次修改", "a change before the courier's scan, or after a return"),
        )


@dataclass(frozen=True, slots=True)
class Envelope:
    """A waybill as it stands on record: for which certificate, for which address, how far."""

    paper_id: int
    revision: int
    state: ParcelState


def require_right_envelope(paper_id: int, address_revision: int, envelope: Envelope | None) -> None:
    """Raise RuleViolation (R12) unless this certificate belongs into this envelope.

    Codes: wrong-envelope (another person's), outdated-label (the address has changed since), envelope-closed (packed,
    posted or ended already), waybill-unknown (no such waybill).
    """
    if envelope is None:
        _wrong("waybill-unknown", "没有登记该运单号", "no such waybill on record", "先导入运单号", "import it first")
    if envelope.paper_id != paper_id:
        _wrong(
            "wrong-envelope",
            "证书与信封不符：该运单属于另一份证书",
            "WRONG ENVELOPE: this waybill belongs to another certificate",
            "取出证书，找到它自己的信封",
            "take the certificate out and find its own envelope",
        )
    if envelope.state is ParcelState.CANCELLED or envelope.revision != address_revision:
        _wrong(
            "outdated-label",
            "该面单的地址已作废",
            "this label bears an address that was changed since",
            "撕下旧面单，使用新运单",
            "a label with the present address",
        )
    if envelope.state is not ParcelState.LABELLED:
        _wrong(
            "envelope-closed",
            f"该信封已处理（{envelope.state}）",
            f"this envelope is {envelope.state} already",
            "尚未装袋的信封",
            "an envelope that is not packed yet",
        )


def _wrong(code: str, zh: str, en: str, expected_zh: str, expected_en: str) -> NoReturn:
    raise RuleViolation("R12", code, found=(zh, en), expected=(expected_zh, expected_en))


def require_mended(returned_revision: int, revision: int) -> None:
    """Raise RuleViolation (R12: address-not-mended): a returned parcel goes out again to a confirmed address only."""
    if revision <= returned_revision:
        raise RuleViolation(
            "R12",
            "address-not-mended",
            found=("退件后尚未确认地址", "the address was not confirmed after the return"),
            expected=("持证人修改或重新确认地址后再寄", "an address mended or confirmed by the holder"),
        )
