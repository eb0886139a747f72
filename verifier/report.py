"""A check result for a person at a terminal: one sentence first, the reasons below it, each with what to do next."""

import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from verifier.record.verdict import CheckResult, PublicCertificate, Verdict

_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
SENTENCES: Final[dict[Verdict, tuple[str, str]]] = {
    Verdict.VALID: ("证书有效。", "The certificate is valid."),
    Verdict.INVALID: ("证书无效，不能采信。", "The certificate is invalid. Do not rely on it."),
    Verdict.SUSPENDED: ("证书已暂停使用，暂不能采信。", "The certificate is suspended. Do not rely on it for now."),
    Verdict.SUPERSEDED: ("证书已被更正后的新证书取代。", "The certificate was replaced by a corrected one."),
    Verdict.EXPIRED_COPY: ("这份加注件已过期。", "This purpose-bound copy has expired."),
    Verdict.ALTERED: ("内容被改动过，不能采信。", "It was altered. Do not rely on it."),
    Verdict.UNTRUSTED: ("不是发证机关出具的，不能采信。", "The authority did not issue it. Do not rely on it."),
    Verdict.NOT_FOUND: ("查无此证。", "No such certificate."),
    Verdict.STATUS_UNKNOWN: (
        "无法确定证书现在是否有效。",
        "Whether the certificate is valid now could not be determined.",
    ),
    Verdict.MALFORMED: ("无法识别。", "It cannot be read as a certificate."),
}
_GREEN, _AMBER, _RED = "bold green", "bold yellow", "bold red"
_MARKS: Final = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}
_FIELDS: Final = (
    ("name", "姓名"),
    ("management_no", "管理号"),
    ("programme_name", "考试名称"),
    ("level", "级别"),
    ("specialty", "专业"),
    ("approved_on", "批准日期"),
    ("issued_on", "签发日期"),
    ("effective_on", "状态生效日期"),
    ("superseded_by", "新证书查验码"),
)


def colour_of(verdict: Verdict) -> str:
    """The style of a verdict. Only valid is green: neither doubt nor error may look like a yes."""
    if verdict is Verdict.VALID:
        return _GREEN
    return _AMBER if verdict is Verdict.STATUS_UNKNOWN else _RED


def print_result(result: CheckResult, console: Console) -> None:
    """Write the result to `console`, which decides about colour (NO_COLOR, no terminal)."""
    zh, en = SENTENCES[result.verdict]
    past = result.extra.get("on")
    if past is None:
        console.print(Text(f"{zh} {en}", style=colour_of(result.verdict)))
    else:
        # Never green: it does not speak of today.
        style = _AMBER if result.verdict is Verdict.VALID else colour_of(result.verdict)
        day = plain(past["asked"])
        console.print(Text(f"就 {day} 而言 as to {day}: {result.verdict.value}", style=style))
        console.print(Text(f"现在 now: {result.extra['now']['verdict']}", style="bold"))
    if result.certificate is not None:
        for label, value in _shown(result.certificate):
            console.print(Text(f"  {label}：{plain(value)}"))
    console.print()
    for check in result.checks:
        mark, style = _MARKS[check.ok]
        console.print(Text.assemble((f"  {mark} ", style), plain(f"{check.message} {check.message_en}")))
        if check.ok is not True and check.remedy:
            console.print(Text(f"    → {plain(f'{check.remedy} {check.remedy_en}')}", style="bold"))
    console.print()
    if result.extra.get("log", {}).get("proven", True) is None:
        line = "没有公开日志的证明；状态以登记或状态清单为准 no log proof; the status rests on register or list"
        console.print(Text(f"  {line}", style="dim"))
    console.print(Text(f"  状态时间 as of {_local(result.as_of)}", style="dim"))


_OUTCOMES: Final = {
    "genuine": ("回执是真的。", "The receipt is genuine.", _GREEN),
    "altered": ("回执被改动过，不能采信。", "The receipt was altered. Do not rely on it.", _RED),
    "untrusted": ("不是本查验网站出具的回执。", "Not a receipt of this verifier.", _RED),
    "contradicted": ("回执与公开登记不一致，不能采信。", "The receipt and the public record disagree.", _RED),
    "malformed": ("这不是查验回执。", "This is no receipt.", _RED),
    "undetermined": ("回执的真伪暂时无法确定。", "Whether the receipt is genuine could not be determined.", _AMBER),
}


def print_receipt(found: dict[str, Any], console: Console) -> None:
    """Write the answer about a receipt (`ReceiptCheck.to_json`): first what became of it, then what is true now."""
    zh, en, style = _OUTCOMES[found["outcome"]]
    console.print(Text(f"{zh} {en}", style=style))
    receipt, now = found["receipt"], found["now"]
    if receipt is not None:
        console.print(Text(f"  出具时刻 given at: {plain(receipt['asked_at'])}"))
        console.print(Text(f"  当时的结果 answer then: {plain(receipt['verdict'])}"))
        console.print(Text(f"  自注 label: {plain(receipt['label'])}"))
    if now is not None:
        console.print(Text(f"  现在 now: {plain(now['verdict'])}", style="bold"))
    console.print()
    for check in found["checks"]:
        mark, colour = _MARKS[check["ok"]]
        console.print(Text.assemble((f"  {mark} ", colour), plain(f"{check['message']} {check['message_en']}")))
    console.print()
    console.print(Text(f"  {plain(found['notice'])} {plain(found['notice_en'])}", style="dim"))


def plain(text: str) -> str:
    """`text` without characters that could steer a terminal or turn the direction of writing."""
    return "".join("�" if unicodedata.category(char) in ("Cc", "Cf") else char for char in text)


def _shown(certificate: PublicCertificate) -> Iterator[tuple[str, str]]:
    for field, label in _FIELDS:
        value = getattr(certificate, field)
        if value:
            yield label, str(value)


def _local(instant: datetime) -> str:
    return instant.astimezone(_SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
