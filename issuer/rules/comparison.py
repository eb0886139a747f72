"""在线比对 (R3): what a candidate declared against what a register holds, item by item, and which answer stands.

Data before documents (R15): one register that agrees settles an item, whatever another does not know.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum


class FactItem(StrEnum):
    """What is compared (R3: 学历信息、所学专业、工作年限)."""

    EDUCATION = "education"
    MAJOR = "major"
    YEARS = "years"


class ComparisonOutcome(StrEnum):
    """What a register said of one item."""

    MATCH = "match"
    DIFFERS = "differs"
    NOT_FOUND = "not-found"
    """The register does not know the person, or holds nothing of the item."""
    UNREACHABLE = "unreachable"
    """The register did not answer: our trouble, never the candidate's."""


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """One answer of one source about what was declared then (`fact`: keyed digest of the canonical declaration)."""

    item: FactItem
    outcome: ComparisonOutcome
    source: str
    compared_at: datetime
    fact: str


EDUCATION_LEVELS: dict[str, int] = {
    "小学": 1,
    "初中": 2,
    "高中": 3,
    "中专": 4,
    "中职": 4,
    "技校": 4,
    "中等专业学校": 4,
    "大专": 5,
    "专科": 5,
    "大学专科": 5,
    "高职": 5,
    "本科": 6,
    "大学本科": 6,
    "大学": 6,
    "学士": 6,
    "双学士": 7,
    "第二学士学位": 7,
    "研究生班": 8,
    "研究生": 9,
    "硕士": 9,
    "硕士研究生": 9,
    "博士": 10,
    "博士研究生": 10,
}
"""Names of levels of education, lowest first. A higher level in the register proves a lower declaration."""

_YEARS = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,2})?)\s*年?(?:以上)?", re.ASCII)
_MAJOR_TAIL = re.compile(r"(?:专业|方向)$")


def canonical(item: FactItem, text: str) -> str:
    """A declaration or a register's value in the form in which it is compared; empty when there is none."""
    text = "".join(unicodedata.normalize("NFKC", text).split())
    if item is FactItem.EDUCATION:
        return text.removesuffix("学历").removesuffix("毕业") or text
    if item is FactItem.YEARS:
        years = years_in(text)
        return text if years is None else format(years.normalize(), "f")
    return _MAJOR_TAIL.sub("", re.sub(r"\([^()]*\)", "", text)).lower() or text.lower()


def years_in(text: str) -> Decimal | None:
    """Years of work in a text such as 6, 6.5 or 6年; None when it says none."""
    found = _YEARS.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
    try:
        return Decimal(found[1]) if found else None
    except InvalidOperation:  # pragma: no cover - the pattern admits numbers only
        return None


def compare(item: FactItem, declared: str, found: str) -> ComparisonOutcome:
    """What a register's value means for a declaration.

    Education and years: at least what was declared. Major: the same, brackets and 专业 aside. A value that is on no
    scale agrees only when it is the same text.
    """
    said, holds = canonical(item, declared), canonical(item, found)
    if not holds or not said:
        return ComparisonOutcome.NOT_FOUND
    if said == holds:
        return ComparisonOutcome.MATCH
    enough = False
    if item is FactItem.EDUCATION:
        low, high = EDUCATION_LEVELS.get(said), EDUCATION_LEVELS.get(holds)
        enough = low is not None and high is not None and high >= low
    elif item is FactItem.YEARS:
        least, most = years_in(said), years_in(holds)
        enough = least is not None and most is not None and most >= least
    return ComparisonOutcome.MATCH if enough else ComparisonOutcome.DIFFERS


_WEIGHT = {
    ComparisonOutcome.MATCH: 3,
    ComparisonOutcome.DIFFERS: 2,
    ComparisonOutcome.NOT_FOUND: 1,
    ComparisonOutcome.UNREACHABLE: 0,
}


def standing_result(results: Iterable[ComparisonResult], fact: str) -> ComparisonResult | None:
    """The answer that counts for a declaration; None when it was not compared.

    Each source's newest answer about this very declaration (`fact`); among sources agreement first, then
    disagreement, then ignorance. A source that did not answer takes nothing away from what it said before.
    """
    newest: dict[str, ComparisonResult] = {}
    for result in sorted(results, key=lambda each: each.compared_at):
        if result.fact != fact:
            continue
        if result.outcome is ComparisonOutcome.UNREACHABLE and result.source in newest:
            continue
        newest[result.source] = result
    return max(newest.values(), key=lambda each: (_WEIGHT[each.outcome], each.compared_at), default=None)
