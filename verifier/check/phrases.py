"""The shape of a check's words."""

from dataclasses import dataclass
from typing import Final

OK: Final = True
BAD: Final = False
UNKNOWN: Final = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """One code's words. `ok` as in `Check`; `remedy` is a key of `REMEDIES` or empty when all is well."""

    name: str
    ok: bool | None
    zh: str
    en: str
    remedy: str = ""
