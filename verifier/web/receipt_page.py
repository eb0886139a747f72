"""A receipt as one printed page: Typst, the certificate's fonts, a QR code that leads to the check of receipts."""

import json
import threading
from datetime import datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from verifier.check.judgement import SHANGHAI
from verifier.check.receipts import NOTICE, current_address
from verifier.record.receipt import Receipt
from verifier.record.verdict import Verdict
from verifier.web.faces import FACES, Tone
from verifier.web.view import chinese_date

if TYPE_CHECKING:
    import typst

_INKS: Final = {Tone.GOOD: "#17703c", Tone.CAUTION: "#a86200", Tone.BAD: "#b3261e", Tone.NONE: "#56646c"}
_DRAWING: Final = threading.Lock()


def draw_receipt(receipt: Receipt, document: dict[str, Any], qr_address: tuple[str, str, str]) -> bytes:
    """The page as PDF, with `document` attached as `receipt.json`. The same receipt gives the same bytes."""
    from templates.fonts import families

    face = FACES[receipt.verdict]
    valid = receipt.verdict is Verdict.VALID
    page = {
        "zh": "出具时登记有效" if valid else face.zh,
        "en": "On record as valid when this was given" if valid else face.en,
        "ink": _INKS[face.tone],
        "rows": [[zh, en, _drawable(value)] for zh, en, value in _rows(receipt)],
        "notice": NOTICE,
        "current": current_address(receipt),
        "check": f"{receipt.origin}/receipts",
        "qr": _qr_svg(qr_address),
        "id": receipt.receipt_id,
        "families": list(families()),
        "document": json.dumps(document, ensure_ascii=False, indent=1),
    }
    with _DRAWING:
        pdf = _compiler().compile(
            sys_inputs={"page": json.dumps(page, ensure_ascii=False)},
            format="pdf",
            pdf_standards=["a-3a", "ua-1"],
            timestamp=int(receipt.asked_at.timestamp()),
        )
    if not isinstance(pdf, bytes):
        raise TypeError("a receipt is one file")
    return pdf


def _rows(receipt: Receipt) -> list[tuple[str, str, str]]:
    found = receipt.found
    asked = ("查验的文件", "File (SHA-256)") if receipt.of_file else ("查验码", "Token")
    rows = [
        ("出具时刻", "Given at", f"{_shanghai(receipt.asked_at)}（北京时间 UTC+8）"),
        ("查验人自注", "Asker's own label", receipt.label or "—"),
        (*asked, receipt.subject),
    ]
    if found is not None:
        if receipt.of_file:
            rows.append(("查验码", "Token", found.token))
        what = " · ".join(filter(None, (found.programme_name, found.level, found.specialty)))
        dates = f"{chinese_date(found.approved_on)} / {chinese_date(found.issued_on)}"
        rows += [("职业资格", "Qualification", what), ("批准 / 签发", "Approved / issued", dates)]
        if found.effective_on:
            rows.append(("状态自", "Effective from", chinese_date(found.effective_on)))
    rows.append(("结果代码", "Verdict", receipt.verdict.value + (f" ({receipt.reason})" if receipt.reason else "")))
    if receipt.log_size:
        rows.append(("日志位置", "Log position", f"{receipt.log_size} · {receipt.log_root.hex()}"))
    rows.append(("回执编号", "Receipt", receipt.receipt_id))
    return rows


def _drawable(text: str) -> str:
    """A label may hold anything; what no font here draws is written as its code, never as an empty box."""
    from templates.fonts import can_draw

    return "".join(char if can_draw(char) else f"[U+{ord(char):04X}]" for char in text)


def _shanghai(instant: datetime) -> str:
    local = instant.astimezone(SHANGHAI)
    return f"{chinese_date(local.date())} {local:%H:%M:%S}"


def _qr_svg(segments: tuple[str, str, str]) -> str:
    """The symbol as SVG: error correction M, or L where M would be too dense."""
    import qrcode
    from qrcode.util import MODE_8BIT_BYTE, MODE_ALPHA_NUM, QRData

    symbol = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_L, border=4, mask_pattern=3)
    for text, mode in zip(segments, (MODE_ALPHA_NUM, MODE_8BIT_BYTE, MODE_ALPHA_NUM), strict=True):
        symbol.add_data(QRData(text.encode(), mode=mode), optimize=0)
    symbol.make(fit=True)
    rows = symbol.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    side = len(rows)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><path d="{path}"/></svg>'


@lru_cache(maxsize=1)
def _compiler() -> "typst.Compiler":
    """One warm compiler a process, made when the first receipt is asked for as a page."""
    import typst

    from templates.fonts import typst_fonts

    folder = Path(str(resources.files("templates").joinpath("public")))
    return typst.Compiler(
        input=folder / "receipt.typ", root=folder, font_paths=typst_fonts(), ignore_system_fonts=True
    )
