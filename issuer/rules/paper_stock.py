"""Blank certificate forms, counted by serial number and by two people (R16: management of certificates)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from issuer.rules.violation import RuleViolation

MAX_RECEIPT = 100_000
"""Forms of one receipt."""
MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class SerialRange:
    """Consecutive serial numbers: `prefix` and a number of `digits` digits, from `first` to `last`, both included."""

    prefix: str
    first: int
    last: int
    digits: int

    @classmethod
    def between(cls, first: str, last: str) -> "SerialRange":
        """The range from one printed serial to another; raises RuleViolation (serial-range)."""
        first, last = first.strip().upper(), last.strip().upper()
        head = first.rstrip("0123456789")
        tail = first[len(head) :]
        if (
            not tail
            or len(first) != len(last)
            or not last.startswith(head)
            or not last[len(head) :].isascii()
            or not last[len(head) :].isdigit()
            or len(tail) > MAX_DIGITS
            or len(first) > 40
            or not all(char.isascii() and (char.isalnum() or char == "-") for char in head)
        ):
            _refuse(
                "serial-range",
                "起止编号的前缀或位数不一致",
                "first and last serial differ in prefix or length",
                "如 A0000001 至 A0000500",
                "for example A0000001 to A0000500",
            )
        made = cls(head, int(tail), int(last[len(head) :]), len(tail))
        if made.last < made.first or len(made) > MAX_RECEIPT:
            _refuse(
                "serial-range",
                "起止编号颠倒或一次超过上限",
                "the serials run backwards, or are too many at once",
                f"一次 1 至 {MAX_RECEIPT} 份",
                f"1 to {MAX_RECEIPT} forms at a time",
            )
        return made

    def __len__(self) -> int:
        return self.last - self.first + 1

    def serials(self) -> Iterator[str]:
        """Every serial, in order."""
        return (f"{self.prefix}{number:0{self.digits}}" for number in range(self.first, self.last + 1))

    def overlaps(self, other: "SerialRange") -> bool:
        """Whether a serial stands in both."""
        same = (self.prefix, self.digits) == (other.prefix, other.digits)
        return same and self.first <= other.last and other.first <= self.last


def require_new(asked: SerialRange, known: Iterable[SerialRange]) -> None:
    """Raise RuleViolation (serials-known) when one of the serials was received before."""
    if any(asked.overlaps(other) for other in known):
        _refuse(
            "serials-known",
            "号段与已登记的号段重叠",
            "some of these serials were received before",
            "核对起止编号",
            "serials that are new; compare them with the boxes",
        )


def require_second_count(counted: int, second: int, *, same_person: bool) -> None:
    """Raise RuleViolation (two-people, count-differs) unless another person counted the same number of forms."""
    if same_person:
        _refuse(
            "two-people",
            "清点人与复核人为同一人",
            "the same person counted twice",
            "由另一人复核",
            "a count by another person",
        )
    if counted != second:
        _refuse(
            "count-differs",
            f"复核为 {second} 份，登记为 {counted} 份",
            f"the second count is {second}, the first {counted}",
            "两人清点一致",
            "both counts to agree; count again or reject the receipt",
        )


def require_enough(balance: int, wanted: int) -> None:
    """Raise RuleViolation (stock-short): a balance never goes below nothing."""
    if wanted > balance:
        _refuse(
            "stock-short",
            f"库存 {balance} 份，需要 {wanted} 份",
            f"{balance} forms in stock, {wanted} needed",
            "先登记入库",
            "receive more forms first",
        )


def _refuse(code: str, zh: str, en: str, expected_zh: str, expected_en: str) -> NoReturn:
    raise RuleViolation("R16", code, found=(zh, en), expected=(expected_zh, expected_en))
