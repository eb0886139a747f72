"""The pages of a hearing's record, to read, print, sign and seal (PDF/A-3a, PDF/UA-1)."""

import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import typst

from issuer.clock import SHANGHAI
from issuer.errors import InputError, NotFoundError, Words
from issuer.hearings.reading import HearingView
from issuer.words import say_in_both
from templates.certificate.seal import seal_svg
from templates.fonts import families, typst_fonts

SEAL_INK = "#c22a22"
PAGE = Path(__file__).resolve().parents[2] / "templates" / "hearings" / "record.typ"


def record_pdf(view: HearingView, *, sample: bool) -> bytes:
    """The record as it stands; the same record gives the same bytes.

    Raises NotFoundError (not notified yet), InputError (a character that cannot be drawn).
    """
    if view.number is None or view.starts_at is None:
        raise NotFoundError(
            "hearing-not-notified",
            Words("尚未通知听证，没有笔录。", "It was not notified yet: there is no record."),
            remedy=Words("先确定时间和地点。", "Set its time and place first."),
        )
    state = say_in_both("hearing", view.state)
    data = {
        "number": view.number,
        "authority": view.authority,
        "families": list(families()),
        "notice": "示例文件，不具有法律效力 Sample" if sample else None,
        "facts": [
            ["当事人", "Person", view.name],
            ["准考证号", "Admission no.", view.admission_no],
            ["考试项目", "Programme", f"{view.programme} {view.sitting_code}"],
            ["听证事项", "About", _about(view)],
            ["依据条款", "Clause", view.clause],
            ["听证时间", "Held at", _moment(view.starts_at)],
            ["听证地点", "Place", view.place or ""],
            ["主持人", "Chair", view.chair_name or ""],
            ["通知时间", "Notified at", _moment(view.notified_at)],
            ["状态", "State", f"{state.zh} {state.en}"],
        ],
        "present": [
            [say_in_both("capacity", one.capacity).zh, say_in_both("capacity", one.capacity).en, one.name]
            for one in view.present
        ],
        "minutes": _paragraphs(view.minutes),
        "answered": f"{state.zh}　{_moment(view.answered_at)}" if view.answered_at else "尚未核对",
        "answer": _paragraphs(view.answer),
        "decided": _decided(view),
        "decision": _paragraphs(view.decision_note),
        "seal": None if view.open else list(seal_svg(view.authority, SEAL_INK, sample).encode()),
        "seal_alt": "样章，非真实印章" if sample else f"{view.authority}印章",
    }
    at = view.decided_at or view.answered_at or view.recorded_at or view.notified_at or view.starts_at
    try:
        pdf = _compiler().compile(
            sys_inputs={"record": json.dumps(data, ensure_ascii=False)},
            format="pdf",
            pdf_standards=["a-3a", "ua-1"],
            timestamp=int(at.timestamp()),
        )
    except typst.TypstError as exc:
        # Typst quotes what it could not set, which may be a name: it is not passed on.
        raise InputError(
            "hearing-undrawable",
            Words("听证笔录无法排版（可能缺少字体）。", "The record could not be laid out."),
            remedy=Words("运行 ecert doctor 检查字体。", "See `ecert doctor` about fonts."),
        ) from exc
    assert isinstance(pdf, bytes), "one file was asked for"
    return pdf


def _about(view: HearingView) -> str:
    return f"无效认定 第 {view.case_id} 号事项" if view.case_id else "对核查不合格结果的申辩"


def _decided(view: HearingView) -> str:
    if view.decision is None:
        return "尚未决定"
    family = "case" if view.case_id else "defence"
    return f"{say_in_both(family, view.decision).zh}　{_moment(view.decided_at)}"


def _paragraphs(text: str | None) -> list[str]:
    return [line for line in (text or "").splitlines() if line.strip()]


def _moment(instant: datetime | None) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if instant else "—"


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    return typst.Compiler(input=PAGE, root=PAGE.parent, font_paths=typst_fonts(), ignore_system_fonts=True)
