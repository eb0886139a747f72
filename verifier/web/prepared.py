"""Answers made ready once for all certificates that have the same content, and filled in for each.

The text comes from the very code that answers otherwise, run on a stand-in whose own values (token, digest, place in
the status list, time of the answer) are marks that occur nowhere else; what stands between the marks is kept. The
key is all content that decides about the text, so a prepared text can never be out of date: another status is another
key.
"""

import json
import re
import secrets
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Final, Generic, TypeVar

from verifier.record.point_reads import PointRow, Shape
from verifier.record.public_record import PublicRecord
from verifier.record.qr import new_token
from verifier.record.register import RegisterUnavailableError
from verifier.record.status import CertificateStatus, ReasonClass

MARK_INSTANT: Final = datetime(2199, 7, 13, 11, 47, 53, 918273, tzinfo=UTC)
"""Time of the stand-in's answer; its text is looked for, so no record may bear it."""
MARK_TOKEN: Final = new_token()
MARK_DIGEST: Final = secrets.token_hex(32)
MARK_LIST: Final = f"m{secrets.token_hex(8)}"
MARK_INDEX: Final = 10**15 + secrets.randbelow(10**15)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNUSED: Final = "0" * 64
_LIST_ID: Final = re.compile(r"[0-9A-Za-z._-]{1,32}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NUMBER: Final = re.compile(r"[0-9]{1,18}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Template:
    """A text with places. `order` names the value that goes into each place, in the order of the places."""

    text: bytes
    order: tuple[str, ...]

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        """The text with the values put in."""
        return self.text % tuple([values[name] for name in self.order])

    def places(self, *names: str) -> "Filling":
        """The same text, to be filled by position, which is quicker; `names` are all of its values."""
        return Filling(self.text, tuple(names.index(name) for name in self.order))


class Filling:
    """A text with places for values given by position. At least two places."""

    __slots__ = ("_choose", "_text")

    def __init__(self, text: bytes, order: tuple[int, ...]) -> None:
        self._text = text
        self._choose: Callable[[tuple[bytes, ...]], tuple[bytes, ...]] = itemgetter(*order)

    def of(self, *values: bytes) -> bytes:
        """The text with the values put in."""
        return self._text % self._choose(values)


def template_of(text: bytes, marks: Mapping[str, bytes]) -> Template:
    """Turn every occurrence of a mark into a place."""
    names = {mark: name for name, mark in marks.items()}
    found = re.compile(b"|".join(re.escape(mark) for mark in sorted(names, key=len, reverse=True)))
    order = tuple(names[mark] for mark in found.findall(text))
    return Template(b"%b".join(part.replace(b"%", b"%%") for part in found.split(text)), order)


class Prepared(Generic[T]):
    """Remembers what `make` made for a key, for the keys asked for most recently. For one thread.

    In two generations, so that a hit costs one look: what is asked for again moves to the younger one; when that is
    full, the older one is forgotten. A run of rare keys therefore cannot push out a common one.
    """

    def __init__(self, make: Callable[..., T], most: int) -> None:
        """Keep at most `most` (an even number)."""
        self._make = make
        self._half = most // 2
        self._young: dict[Hashable, T] = {}
        self._old: dict[Hashable, T] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: Hashable, *arguments: object) -> T:
        """What stands for `key`, made from `arguments` if it is not there; raises what `make` raises."""
        kept = self._young.get(key)
        if kept is not None:
            return kept
        kept = self._old.get(key)
        if kept is None:
            kept = self._make(*arguments)
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = kept
        return kept


def stand_in(shape: Shape) -> PublicRecord:
    """A record with this content and marks for all that is a certificate's own.

    Raises RegisterUnavailableError for content this program does not know, as `SqlRegister` does.
    """
    try:
        status, reason, code, name, level, specialty, approved_on, issued_on, changed_at, effective_on, successor = (
            json.loads(shape)
        )
        return PublicRecord(
            token=MARK_TOKEN,
            status=CertificateStatus(_present(status)),
            reason_class=None if reason is None else ReasonClass(reason),
            programme_code=_present(code),
            programme_name=_present(name),
            level=_present(level),
            specialty=_present(specialty),
            approved_on=date.fromisoformat(_present(approved_on)),
            issued_on=date.fromisoformat(_present(issued_on)),
            file_sha256=_UNUSED,
            credential_sha256=MARK_DIGEST,
            number_digest=_UNUSED,
            holder_digest=_UNUSED,
            list_id=MARK_LIST,
            list_index=MARK_INDEX,
            published_at=_EPOCH,
            status_changed_at=None if changed_at is None else _instant(changed_at),
            effective_on=None if effective_on is None else date.fromisoformat(effective_on),
            superseded_by=successor,
        )
    except ValueError as exc:
        raise RegisterUnavailableError("the public record holds something this program does not know") from exc


def is_plain(row: PointRow) -> bool:
    """Whether a row's own values can be put into a page or JSON as they are."""
    return (
        _NUMBER.fullmatch(row.list_index) is not None
        and _LIST_ID.fullmatch(row.list_id) is not None
        and _DIGEST.fullmatch(row.credential_sha256) is not None
    )


def _present(value: str | None) -> str:
    if value is None:
        raise ValueError("a value that must be there is missing")
    return value


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
