"""Answers made ready once for all certificates that have the same content, and filled in for each.

The text comes from the very code that answers otherwise, run on a stand-in whose own values (token, digest, place in
the status list, time of the answer) are marks that occur nowhere else; what stands between the marks is kept. The
key is all content that decides about the text, so a prepared text can never be out of date: another status is another
key.
"""

import re
import secrets
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
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

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Template:
    """A text with places. `order` names the value that goes into each place, in the order of the places."""

    text: bytes
    order: tuple[str, ...]

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        """The text with the values put in."""
        return self.text % tuple([values[name] for name in self.order])


def template_of(text: bytes, marks: Mapping[str, bytes]) -> Template:
    """Turn every occurrence of a mark into a place."""
    names = {mark: name for name, mark in marks.items()}
    found = re.compile(b"|".join(re.escape(mark) for mark in sorted(names, key=len, reverse=True)))
    order = tuple(names[mark] for mark in found.findall(text))
    return Template(b"%b".join(part.replace(b"%", b"%%") for part in found.split(text)), order)


class Prepared(Generic[T]):
    """Remembers what `make` made for a key, for the most recent keys. For one thread."""

    def __init__(self, make: Callable[..., T], most: int) -> None:
        self._make = make
        self._most = most
        self._kept: dict[Hashable, T] = {}

    def get(self, key: Hashable, *arguments: object) -> T:
        """What stands for `key`, made from `arguments` if it is not there; raises what `make` raises."""
        kept = self._kept.get(key)
        if kept is None:
            kept = self._make(*arguments)
            if len(self._kept) >= self._most:
                # The oldest: dictionaries keep the order in which keys came.
                del self._kept[next(iter(self._kept))]
            self._kept[key] = kept
        return kept


def stand_in(shape: Shape) -> PublicRecord:
    """A record with this content and marks for all that is a certificate's own.

    Raises RegisterUnavailableError for content this program does not know, as `SqlRegister` does.
    """
    status, reason, code, name, level, specialty, approved_on, issued_on, changed_at, effective_on, successor = shape
    try:
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
        isinstance(row.list_index, int)
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
