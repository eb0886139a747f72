"""Numbers the notice leaves to the authority, as data: days, months, years, region codes.

A programme's `policy` column (or the `[policy]` table of a sitting file) overrides the defaults below.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

DEFAULT_REGIONS: Mapping[str, str] = MappingProxyType(
    {
        "郑州": "01",
        "开封": "02",
        "洛阳": "03",
        "平顶山": "04",
        "安阳": "05",
        "鹤壁": "06",
        "新乡": "07",
        "焦作": "08",
        "濮阳": "09",
        "许昌": "10",
        "漯河": "11",
        "三门峡": "12",
        "南阳": "13",
        "商丘": "14",
        "信阳": "15",
        "周口": "16",
        "驻马店": "17",
        "济源": "18",
    }
)
"""City → two-digit region code of the management number; a province replaces it in its policy."""

_LOWEST = {
    "notice_days": 10,  # R5: "at least 10 days"; an authority may give more, never less
    "report_days": 1,
    "supplementary_months": 1,
    "defence_decision_days": 0,
    "booking_days": 1,
    "safekeeping_years": 1,
    "min_age": 0,
    "max_age": 1,
}


class PolicyError(ValueError):
    """A policy value that cannot be used. The text names the key and what was expected."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Policy values of one programme. Days are calendar days in Asia/Shanghai.

    regions maps a city (without 市) to a region code of digits; unknown_region is used for any other city,
    and when it is empty a city that is not in the table is refused.
    specialty_codes maps a specialty to its number; a specialty that is not in it counts by its place in
    the sitting's list, from 1.
    """

    notice_days: int = 10
    """R5."""
    report_days: int = 15
    """R5; R6 lets a sitting's announcement set another day."""
    supplementary_months: int = 2
    """R7."""
    defence_decision_days: int = 0
    """R7: days after the closing day in which a defence filed in time may still be decided."""
    booking_days: int = 30
    """R12."""
    safekeeping_years: int = 5
    """R13."""
    min_age: int = 14
    max_age: int = 100
    """Plausible ages, in years, on the day the examination ended."""
    regions: Mapping[str, str] = field(default_factory=lambda: DEFAULT_REGIONS)
    unknown_region: str = "00"
    specialty_codes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> "Policy":
        """Defaults overridden by `data`; raises PolicyError for an unknown key or an unusable value."""
        data = dict(data or {})
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise PolicyError(f"unknown policy value {unknown[0]!r}; known: {', '.join(sorted(known))}")
        values: dict[str, Any] = {}
        for key, value in data.items():
            if key in _LOWEST:
                values[key] = _whole(key, value)
            elif key == "unknown_region":
                values[key] = _region(key, value) if value != "" else ""
            elif key == "regions":
                table = _table(key, value)
                values[key] = MappingProxyType(
                    {_city(city): _region(f"regions.{city}", v) for city, v in table.items()}
                )
            else:
                table = _table(key, value)
                codes = {name: _whole(f"specialty_codes.{name}", v, lowest=1) for name, v in table.items()}
                if len(set(codes.values())) != len(codes):
                    raise PolicyError("specialty_codes: two specialties have the same number")
                values[key] = MappingProxyType(codes)
        policy = cls(**values)
        if policy.min_age >= policy.max_age:
            raise PolicyError("min_age must be below max_age")
        return policy

    def region_code(self, city: str) -> str | None:
        """Region code of `city` (with or without 市), `unknown_region` for others, None if that is empty."""
        return self.regions.get(_city(city)) or self.unknown_region or None

    def specialty_code(self, specialty: str, specialties: tuple[str, ...]) -> int | None:
        """Number of `specialty`: from the table, else its place in `specialties` from 1, else None."""
        if specialty in self.specialty_codes:
            return self.specialty_codes[specialty]
        return specialties.index(specialty) + 1 if specialty in specialties else None


def _city(name: str) -> str:
    name = name.strip()
    return name[:-1] if len(name) > 2 and name.endswith("市") else name


def _whole(key: str, value: Any, lowest: int | None = None) -> int:
    bottom = _LOWEST.get(key, 0) if lowest is None else lowest
    if isinstance(value, bool) or not isinstance(value, int) or not bottom <= value <= 3660:
        raise PolicyError(f"{key} must be a whole number from {bottom} to 3660")
    return value


def _region(key: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 99:
        return f"{value:02}"
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 6:
        raise PolicyError(f"{key} must be a text of 1 to 6 digits, or a number up to 99")
    return value


def _table(key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise PolicyError(f"{key} must be a table")
    return value
