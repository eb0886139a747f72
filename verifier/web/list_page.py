"""A list's answers as one page: a row for each line that was sent, a summary above, the annotated table to take away.

The page holds all of it, the table to download too, so nothing of a list has to be kept for its asker.
"""

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from limits import parse_many
from starlette.requests import Request
from starlette.responses import Response

from verifier.record.verdict import Verdict
from verifier.web.faces import FACES, Face, Tone
from verifier.web.lists import CSV, HEADINGS, answers_as_csv, reason
from verifier.web.rates import BULK_NAMES_PER_ADDRESS, LOOKUPS_PER_NUMBER
from verifier.web.render import Pages
from verifier.web.view import chinese_instant

_STYLES: Final = ("page.css", "start.css", "history.css", "checks.css")
_UNNAMED: Final = replace(
    FACES[Verdict.VALID], tone=Tone.NONE, zh="登记为有效，未核对姓名", en="On record as valid; no name compared"
)
"""A row that gave a code or digest only: what it leads to is valid, but whose it is was not asked."""
_WHAT: Final = ("programme_name", "level", "specialty")
_ORDER: Final = (Tone.GOOD, Tone.NONE, Tone.CAUTION, Tone.BAD)


def list_form(pages: Pages, request: Request, *, max_items: int, max_bytes: int) -> Response:
    """The page on which a list is sent, with what it may hold. `max_bytes`: of the file."""
    minutes, day = parse_many(BULK_NAMES_PER_ADDRESS)
    context = {
        "title": "批量查验 Check a list",
        "max_items": max_items,
        "max_mb": max_bytes // 1_000_000,
        "names_soon": minutes.amount,
        "names_day": day.amount,
        "per_number": parse_many(LOOKUPS_PER_NUMBER)[0].amount,
        "blank": table_address(b"\xef\xbb\xbf" + (",".join(HEADINGS) + "\r\n").encode()),
    }
    return pages.draw(request, "checks.html", context, styles=_STYLES, submits=True)


def list_answer(
    pages: Pages, request: Request, entries: Sequence[Any], results: Sequence[dict[str, Any]], as_of: datetime
) -> Response:
    """The rows as they were asked with the verdict of each. `results` in the order of `entries`."""
    rows = [_row(entry, result) for entry, result in zip(entries, results, strict=True)]
    good = sum(row["face"].tone is Tone.GOOD for row in rows)
    context = {
        "title": "批量查验结果 Answers to a list",
        "face": _face(rows, good),
        "rows": rows,
        "counts": _counts(rows),
        "table": table_address(answers_as_csv(entries, results)),
        "as_of": chinese_instant(as_of),
        "as_of_iso": as_of.isoformat(),
    }
    return pages.draw(request, "checks_answer.html", context, styles=_STYLES)


def table_address(table: bytes) -> str:
    """A table as an address that holds it whole, to be downloaded without asking the server again."""
    return f"data:{CSV};charset=utf-8;base64,{base64.b64encode(table).decode()}"


def _row(entry: Any, result: dict[str, Any]) -> dict[str, Any]:
    asked = {name: text for name, text in entry.items() if isinstance(text, str)} if isinstance(entry, dict) else {}
    verdict = Verdict(result["verdict"])
    named = "management_no" in asked
    certificate = result.get("certificate") or {}
    face = _UNNAMED if verdict is Verdict.VALID and not named else FACES[verdict]
    said = reason(result)
    # A headline is not said twice.
    plain = verdict is Verdict.VALID or said["message"].rstrip("。") == face.zh
    return {
        "no": result["index"] + 1,
        "asked": [asked[name] for name in ("management_no", "name", "token", "sha256") if name in asked],
        "ref": asked.get("ref", ""),
        "token": asked.get("token", "").upper() if certificate and "token" in asked else "",
        "what": " · ".join(filter(None, (certificate.get(name) for name in _WHAT))),
        "face": face,
        "message": "" if plain else said["message"],
        "message_en": "" if plain else said["message_en"],
    }


def _face(rows: Sequence[dict[str, Any]], good: int) -> Face:
    total, tones = len(rows), {row["face"].tone for row in rows}
    recorded = sum(row["face"] is _UNNAMED for row in rows)
    zh, en = f"共 {total} 行，{good} 行有效", f"{good} of {total} are valid"
    if recorded:
        zh, en = f"{zh}，另 {recorded} 行登记为有效", f"{en}, {recorded} more are on record as valid"
    if good == total:
        return Face(Tone.GOOD, zh, en, "每行的管理号和姓名都与登记相符。", "Number and name of every row match.")
    tone = Tone.BAD if Tone.BAD in tones else Tone.NONE if good + recorded == total else Tone.CAUTION
    lead = "只有标为“此证书有效”的行可以采信，其余逐行看原因。"
    return Face(tone, zh, en, lead, "Rely only on rows that say valid; the others say why not.")


def _counts(rows: Sequence[dict[str, Any]]) -> list[tuple[Face, int]]:
    """How many rows have which answer, good ones first."""
    found: dict[Face, int] = {}
    for row in rows:
        found[row["face"]] = found.get(row["face"], 0) + 1
    return sorted(found.items(), key=lambda pair: _ORDER.index(pair[0].tone))
