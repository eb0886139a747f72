"""What a purpose-bound copy's credential says besides its certificate (layout: `verifier.record.credential`)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

MAX_INDEX: Final = 1 << 20
_SHANGHAI: Final = timezone(timedelta(hours=8))
"""Asia/Shanghai has had no other offset since 1991."""
_DAY: Final = 86_400
_OFFSET: Final = 28_800
_MAX_SECONDS: Final = 253_402_300_799


@dataclass(frozen=True, slots=True)
class CopyClaims:
    """A copy's last day, and its own place in the status lists. Raises ValueError when outside the layout."""

    valid_until: date
    list_id: str
    list_index: int

    def __post_init__(self) -> None:
        if not 1 <= len(self.list_id) <= 32 or not 0 <= self.list_index < MAX_INDEX:
            raise ValueError("the copy's place in the status lists is out of range")
        if self.valid_until < date(1970, 1, 1):
            raise ValueError("the copy's last day is out of range")

    @property
    def ends_at(self) -> int:
        """24:00 of the last day in Asia/Shanghai, in seconds since 1970 UTC."""
        last = datetime(self.valid_until.year, self.valid_until.month, self.valid_until.day, tzinfo=_SHANGHAI)
        return int(last.timestamp()) + _DAY

    @classmethod
    def read(cls, ends_at: Any, place: Any) -> "CopyClaims":
        """From the decoded claims; raises ValueError."""
        if type(ends_at) is not int or not 0 < ends_at <= _MAX_SECONDS or (ends_at + _OFFSET) % _DAY:
            raise ValueError("the end of a copy is not the end of a day")
        if not isinstance(place, list) or [type(part) for part in place] != [str, int]:
            raise ValueError("the copy claim does not hold the two values of this layout")
        last = datetime.fromtimestamp(ends_at - _DAY, UTC).astimezone(_SHANGHAI).date()
        return cls(last, place[0], place[1])
