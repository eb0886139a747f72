"""The clock is passed in: law reads dates in Asia/Shanghai, storage holds instants in UTC."""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Where services get the time from."""

    def now(self) -> datetime:
        """The present instant, timezone-aware, UTC."""
        ...

    def today(self) -> date:
        """The present day in Asia/Shanghai."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """The present day in Asia/Shanghai."""
        return self.now().astimezone(SHANGHAI).date()


class SimulatedClock:
    """A clock that stands where it is put: for tests, and to play a sitting's months in the demo."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("start must be timezone-aware")
        self._now = start.astimezone(UTC)

    @classmethod
    def on(cls, day: date, hour: int = 9) -> "SimulatedClock":
        """A clock standing at `hour` o'clock of `day` in Asia/Shanghai."""
        return cls(datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI))

    def now(self) -> datetime:
        """The simulated instant in UTC; each reading is a microsecond later, so order is kept."""
        self._now += timedelta(microseconds=1)
        return self._now

    def today(self) -> date:
        """The simulated day in Asia/Shanghai."""
        return self._now.astimezone(SHANGHAI).date()

    def move_to(self, day: date, hour: int = 9) -> None:
        """Go forward to `hour` o'clock of `day` in Asia/Shanghai; raises ValueError when that is in the past."""
        target = datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI).astimezone(UTC)
        if target < self._now:
            raise ValueError("a clock does not go back")
        self._now = target
