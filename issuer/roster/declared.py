"""Optional columns of a roster: what the candidate declared (R3), and the commitment they accepted (R2)."""

from collections.abc import Callable
from datetime import date, datetime, time

from issuer.clock import SHANGHAI
from issuer.registration.from_roster import Promise
from issuer.roster.cells import cell_date, cell_text, folded, plain_text
from issuer.roster.columns import ColumnMap
from issuer.roster.findings import Finding, error, note
from issuer.roster.xlsx_reading import Cell
from issuer.rules.comparison import EDUCATION_LEVELS, FactItem, canonical, years_in

FACT_COLUMNS = {FactItem.EDUCATION: "education", FactItem.MAJOR: "major", FactItem.YEARS: "years"}
MAX_FACT, MAX_VERSION = 80, 40
_BY_OTHERS = frozenset({"代办", "他人", "他人代办", "代承诺", "否", "no", "agent"})

_Read = Callable[[str], Cell]


def read_facts(row: int, columns: ColumnMap, cell: _Read, findings: list[Finding]) -> dict[FactItem, str]:
    """What the row declares, by item; an empty cell declares nothing."""
    facts: dict[FactItem, str] = {}
    for item, field in FACT_COLUMNS.items():
        text, _ = plain_text(cell(field))
        if not text:
            continue
        head = columns.head(field)
        if len(text) > MAX_FACT:
            findings.append(error(row, head, "text_too_long"))
            continue
        if item is FactItem.EDUCATION and canonical(item, text) not in EDUCATION_LEVELS:
            findings.append(note(row, head, "education_unknown"))
        if item is FactItem.YEARS and years_in(text) is None:
            findings.append(note(row, head, "years_form"))
        facts[item] = text
    return facts


def read_promise(row: int, columns: ColumnMap, cell: _Read, today: date, findings: list[Finding]) -> Promise | None:
    """The acceptance the row tells of; None without one, or with one that cannot be read (a note says so)."""
    version = "".join(folded(cell_text(cell("commitment_version"))).split())
    given = cell("commitment_on")
    if not version and (not isinstance(given, str) or not given.strip()):
        return None
    head = columns.head("commitment_on" if version else "commitment_version")
    at = _instant(given)
    if not version or at is None or len(version) > MAX_VERSION or at.astimezone(SHANGHAI).date() > today:
        findings.append(note(row, head, "commitment_unusable"))
        return None
    own = folded(cell_text(cell("commitment_own"))).strip().lower() not in _BY_OTHERS
    return Promise(version, at, own)


def _instant(cell: Cell) -> datetime | None:
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=cell.tzinfo or SHANGHAI)
    if isinstance(cell, str):
        text = folded(cell).strip().replace("/", "-")
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return at.replace(tzinfo=at.tzinfo or SHANGHAI)
    day = cell_date(cell)
    return None if day is None else datetime.combine(day, time(), tzinfo=SHANGHAI)
