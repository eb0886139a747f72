"""Numbers the notice leaves to the authority, as data: days, months, years, region codes.

A programme's `policy` column (or the `[policy]` table of a sitting file) overrides the defaults below.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from types import MappingProxyType
from typing import Any

from issuer.rules.comparison import FactItem
from issuer.rules.materials import DEFAULT_MATERIALS, MaterialKind

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
    "take_back_days": 0,
    "booking_days": 1,
    "safekeeping_years": 1,
    "copy_days": 1,
    "copies_live": 1,
    "watch_days": 1,
    "objection_working_days": 1,
    "defence_working_days": 1,
    "correction_working_days": 1,
    "hearing_ask_days": 1,
    "hearing_notice_days": 1,
    "hearing_answer_days": 1,
    "keep_contact_days": 0,
    "keep_file_days": 183,  # an action against the decision may be brought for six months
    "announce_invalidations": 0,
    "material_days": 1,
    "known_fact_days": 1,
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
    take_back_days: int = 3
    """R4: days after its own in which a finding recorded by mistake may be taken back; 0 for never."""
    booking_days: int = 30
    """R12."""
    safekeeping_years: int = 5
    """R13."""
    copy_days: int = 90
    """R16: a purpose-bound copy lasts no longer, the day it is made being the first."""
    copies_live: int = 3
    """R16: purpose-bound copies of one certificate at a time."""
    watch_days: int = 365
    """R16: how long an employer is told of changes without asking again."""
    objection_working_days: int = 5
    """R15, a service promise: working days to resolve an objection to the notice."""
    defence_working_days: int = 10
    """R15, a service promise: working days to decide on a defence, within R7's last day."""
    correction_working_days: int = 10
    """R15, a service promise: working days to answer a holder who says that something on record is wrong."""
    comparison_items: tuple[FactItem, ...] = ()
    """R3: what is compared with registers, and where it is not, proved by materials. Empty: nothing is, as with a
    programme whose registration system does all of it."""
    materials: Mapping[FactItem, MaterialKind] = field(default_factory=lambda: DEFAULT_MATERIALS)
    """R3: the material that proves an item."""
    material_days: int = 10
    """R3: days in which a material is to be handed in."""
    known_fact_days: int = 1096
    """R15: how long what an earlier sitting found of the same declaration counts."""
    commitment_required: bool = False
    """R2: whoever has no commitment on record that counts proves by materials."""
    uncompared_blocks: bool = False
    """R3: nobody is found eligible, without a reason, before every item was compared."""
    hearing_ask_days: int = 5
    """R9, R10 (Administrative Penalty Law, article 64 (1)): days after a proposal to ask for a hearing."""
    hearing_notice_days: int = 7
    """R7, R9, R10 (article 64 (2)): a hearing is notified at least so many days ahead."""
    hearing_answer_days: int = 5
    """R7, R9, R10 (article 64 (8)): days in which minutes can be confirmed or objected to on the holder's page."""
    keep_contact_days: int = 365
    """How long telephone numbers and employers are kept after the sitting's last day of reviews (PIPL 19)."""
    keep_file_days: int = 1096
    """The same for what a review rested on, portraits, and who is without a certificate."""
    announce_invalidations: int = 0
    """R9, R10: 1 drafts an announcement when an invalidation is approved. The notice does not order one."""
    days_off: frozenset[date] = frozenset()
    """Working days of the national calendar on which the province does not work."""
    days_on: frozenset[date] = frozenset()
    """Days off of the national calendar on which the province works; also the working days of a year announced
    after this program's calendar, together with `calendar_years`."""
    calendar_years: frozenset[int] = frozenset()
    """Years not in the program's calendar for which Monday to Friday, `days_off` and `days_on` are complete."""
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
            elif key in ("days_off", "days_on"):
                values[key] = _days(key, value)
            elif key in ("commitment_required", "uncompared_blocks"):
                values[key] = _switch(key, value)
            elif key == "comparison_items":
                values[key] = _items(key, value)
            elif key == "materials":
                values[key] = _materials(key, value)
            elif key == "calendar_years":
                values[key] = _years(key, value)
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
        if policy.days_off & policy.days_on:
            raise PolicyError("a day stands in days_off and in days_on")
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


def _days(key: str, value: Any) -> frozenset[date]:
    if not isinstance(value, list):
        raise PolicyError(f"{key} must be a list of days")
    try:
        return frozenset(date.fromisoformat(str(day)) for day in value)
    except ValueError as exc:
        raise PolicyError(f"{key} must hold days as YYYY-MM-DD") from exc


def _years(key: str, value: Any) -> frozenset[int]:
    if not isinstance(value, list) or not all(isinstance(year, int) and 2000 <= year <= 2199 for year in value):
        raise PolicyError(f"{key} must be a list of years")
    return frozenset(value)


def _switch(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise PolicyError(f"{key} must be true or false")
    return value


def _items(key: str, value: Any) -> tuple[FactItem, ...]:
    known = {item.value for item in FactItem}
    if not isinstance(value, list) or not all(isinstance(each, str) and each in known for each in value):
        raise PolicyError(f"{key} must be a list out of {', '.join(sorted(known))}")
    return tuple(item for item in FactItem if item.value in value)


def _materials(key: str, value: Any) -> Mapping[FactItem, MaterialKind]:
    chosen = dict(DEFAULT_MATERIALS)
    for name, kind in _table(key, value).items():
        try:
            chosen[FactItem(name)] = MaterialKind(kind)
        except ValueError as exc:
            kinds = ", ".join(each.value for each in MaterialKind)
            raise PolicyError(f"{key}.{name} must be an item and one of {kinds}") from exc
    return MappingProxyType(chosen)


def _table(key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise PolicyError(f"{key} must be a table")
    return value
