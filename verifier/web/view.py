"""From a check result to what a page shows: one way for token, file, digest and look-up answers alike."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from verifier.check.judgement import SHANGHAI
from verifier.record.verdict import Check, CheckResult, PublicCertificate, Verdict
from verifier.web.faces import (
    COPY_VALID,
    FACES,
    FILE_VALID,
    LOOKING,
    NAME_UNCHECKED,
    Face,
    Tone,
)

SIGNED: Final = "签"
REGISTERED: Final = "登"
TYPED: Final = "填"
LEGEND: Final = {
    SIGNED: ("发证机关签名的数据", "signed by the authority"),
    REGISTERED: ("公开登记", "public register"),
    TYPED: ("您输入的、与登记相符", "typed by you, matches the register"),
}
_SIGNED_HERE: Final = ("发证机关签名，在这台设备上核对", "signed by the authority, checked on this device")
OUTCOMES: Final = {True: "通过 passed", False: "未通过 failed", None: "未能确定 not determined"}
RARE: Final = (
    "生僻字：{list}。如显示为方框，请对照证书上的字形。 Rare characters: if boxes show, see the certificate."
)
_RARE_BLOCKS: Final = ((0x3400, 0x4DBF), (0x9FA6, 0x9FFF), (0x20000, 0x3FFFF))
_STATUS_WORDS: Final = {
    "valid": "有效 Valid",
    "invalid": "无效 Invalid",
    "suspended": "暂停使用 Suspended",
    "superseded": "已被取代 Superseded",
    "unknown": "未知 Unknown",
}

NOT_CHECKED: Final = Check(
    "credential",
    None,
    "credential-not-checked",
    "本页只凭网址中的查验码作答，没有核对姓名和签名。",
    "This answer rests on the code in the address alone; name and signature were not checked.",
    "请用允许运行脚本的浏览器重新扫描证书上的二维码，或在首页提交 PDF、输入管理号和姓名。",
    "Scan the QR code again with a browser that runs scripts, or give the PDF or number and name on the first page.",
)


class Asked(Enum):
    """What the asker gave."""

    TOKEN = "token"  # noqa: S105 - a way of asking, not a secret
    FILE = "file"
    DIGEST = "digest"
    LOOKUP = "lookup"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the certificate's content; an empty value is a place the page's script may fill."""

    field: str
    zh: str
    en: str
    value: str = ""
    source: str = REGISTERED
    href: str = ""


def verdict_context(result: CheckResult, asked: Asked) -> dict[str, Any]:
    """What `verdict.html` needs to draw `result`."""
    certificate = result.certificate
    rows = _rows(certificate, asked)
    shown = {row.source for row in rows if row.value}
    face = face_of(result.verdict, asked)
    if face in (FACES[Verdict.VALID], FILE_VALID) and certificate is not None and certificate.copy_of:
        face = COPY_VALID
    unchecked = asked is Asked.TOKEN and result.verdict not in (Verdict.MALFORMED, Verdict.NOT_FOUND)
    return {
        "title": face.zh,
        "face": face,
        "verdict": result.verdict.value,
        "who": certificate.name if certificate and certificate.name else "",
        "what": _what(certificate),
        "rare": rare_note(certificate.name) if certificate and certificate.name else "",
        "unsigned": _marked(NOT_CHECKED, face) if unchecked else None,
        "checks": [_marked(check, face) for check in _worst_first(result.checks)],
        "rows": rows,
        "signed_shown": SIGNED in shown,
        "has_facts": certificate is not None,
        "kept": certificate.token if certificate is not None and certificate.status != "unknown" else "",
        "legend": _legend(asked, shown),
        "as_of_iso": result.as_of.isoformat(),
        "as_of": chinese_instant(result.as_of),
    }


def face_of(verdict: Verdict, asked: Asked) -> Face:
    """The top of the page. Without a name checked, `valid` is not shown in green."""
    if verdict is Verdict.VALID and asked is Asked.TOKEN:
        return NAME_UNCHECKED
    if verdict is Verdict.VALID and asked in (Asked.FILE, Asked.DIGEST):
        return FILE_VALID
    return FACES[verdict]


def offline_context() -> dict[str, Any]:
    """What `offline.html` needs: an empty verdict page that the script fills in."""
    return {
        "title": LOOKING.zh,
        "face": LOOKING,
        "verdict": "pending",
        "who": "",
        "what": "",
        "rare": "",
        "unsigned": None,
        "checks": [],
        "rows": _rows(None, Asked.TOKEN),
        "signed_shown": False,
        "has_facts": False,
        "legend": [(SIGNED, *_SIGNED_HERE)],
    }


def rare_note(name: str) -> str:
    """A line for names with ideographs that a phone may lack, with their code points; empty for other names."""
    listed = [
        f"{char} U+{ord(char):X}" for char in name if any(first <= ord(char) <= last for first, last in _RARE_BLOCKS)
    ]
    return RARE.replace("{list}", "、".join(listed)) if listed else ""


def chinese_date(day: date) -> str:
    """2025年9月30日."""
    return f"{day.year}年{day.month}月{day.day}日"


def chinese_instant(instant: datetime) -> str:
    """The instant in Asia/Shanghai, to the second."""
    local = instant.astimezone(SHANGHAI)
    return f"{chinese_date(local.date())} {local:%H:%M:%S}"


def _legend(asked: Asked, shown: set[str]) -> list[tuple[str, str, str]]:
    """What the marks beside the values mean; on the QR page it is the script that checks the signature."""
    if asked is Asked.TOKEN:
        return [(SIGNED, *_SIGNED_HERE), (REGISTERED, *LEGEND[REGISTERED])]
    return [(letter, *words) for letter, words in LEGEND.items() if letter in shown]


def _rows(certificate: PublicCertificate | None, asked: Asked) -> list[Row]:
    if certificate is None:
        return [Row(field, zh, en) for field, (zh, en) in _LABELS.items() if field in _SIGNED_FIELDS]
    unknown = certificate.status == "unknown"
    own = {Asked.LOOKUP: TYPED}.get(asked, SIGNED)
    register = SIGNED if unknown else REGISTERED
    values = {
        "name": (certificate.name or "", own),
        "management_no": (certificate.management_no or "", own),
        "programme_name": (certificate.programme_name, register),
        "level": (certificate.level, register),
        "specialty": (certificate.specialty, register),
        "approved_on": (chinese_date(certificate.approved_on), register),
        "issued_on": (chinese_date(certificate.issued_on), register),
        "status": (_STATUS_WORDS[certificate.status], register),
        "effective_on": (chinese_date(certificate.effective_on) if certificate.effective_on else "", register),
        "superseded_by": (certificate.superseded_by or "", register),
        "copy_valid_until": (_last_day(certificate), register),
    }
    if unknown:
        values["status"] = ("", register)
    rows = [Row(field, *_LABELS[field], value=value, source=source) for field, (value, source) in values.items()]
    return [_linked(row) if row.field == "superseded_by" and row.value else row for row in rows]


def _last_day(certificate: PublicCertificate) -> str:
    return f"{chinese_date(certificate.copy_valid_until)}24时" if certificate.copy_valid_until else ""


def _linked(row: Row) -> Row:
    return Row(row.field, row.zh, row.en, "查看新证书 View", row.source, f"/v/{row.value}")


_LABELS: Final = {
    "name": ("姓名", "Name"),
    "management_no": ("管理号", "Number"),
    "programme_name": ("职业资格", "Qualification"),
    "level": ("级别", "Level"),
    "specialty": ("专业类别", "Specialty"),
    "approved_on": ("批准日期", "Approved on"),
    "issued_on": ("签发日期", "Issued on"),
    "status": ("登记状态", "Status"),
    "effective_on": ("状态自", "Effective from"),
    "superseded_by": ("取代它的证书", "Replaced by"),
    "copy_valid_until": ("加注件有效期至", "Copy valid to"),
}
_SIGNED_FIELDS: Final = ("name", "management_no", "programme_name", "level", "specialty", "approved_on")


def _what(certificate: PublicCertificate | None) -> str:
    """The qualification in one line; on a page without a name it would read as somebody's, so it is left out."""
    if certificate is None or not certificate.name:
        return ""
    return " · ".join(filter(None, (certificate.programme_name, certificate.level, certificate.specialty)))


def marked_checks(checks: tuple[Check, ...], face: Face) -> list[dict[str, Any]]:
    """Checks as a page lists them, the worst first."""
    return [_marked(check, face) for check in _worst_first(checks)]


def _worst_first(checks: tuple[Check, ...]) -> list[Check]:
    return sorted(checks, key=lambda check: {False: 0, None: 1, True: 2}[check.ok])


def _marked(check: Check, face: Face) -> dict[str, Any]:
    """A check with its mark. A failed one takes the page's tone, so that suspended does not look like forged."""
    failed = Tone.BAD if face.tone is Tone.GOOD else face.tone
    mark = {True: Tone.GOOD, False: failed, None: Tone.CAUTION}[check.ok]
    return {**asdict(check), "mark": mark.value, "outcome": OUTCOMES[check.ok]}
