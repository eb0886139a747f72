"""A sitting as its file (`sitting.toml`) defines it: programme and dates, held to the notice (R5–R7)."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, NoReturn

from issuer.errors import InputError, Words
from issuer.refusals import refusal_from
from issuer.rules.deadlines import notice_closes_on, report_due_on, supplementary_closes_on
from issuer.rules.notice import PublicNotice, require_full_notice
from issuer.rules.numbering import PatternError, parse_pattern
from issuer.rules.policy import Policy, PolicyError
from issuer.rules.terms import Medium
from issuer.rules.violation import RuleViolation

MAX_TOML_BYTES = 256 * 1024
DEFAULT_PATTERN = "{year}{region:02}{specialty:02}{serial:06}{check}"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)
_TEXTS = (
    "code",
    "programme",
    "programme_code",
    "level",
    "medium",
    "review_body",
    "authority",
    "management_no_pattern",
)
_DATES = (
    "exam_ended_on",
    "results_released_on",
    "notice_opens_on",
    "notice_closes_on",
    "review_report_due_on",
    "supplementary_closes_on",
    "approved_on",
)
_DAY_LISTS = ("days_off", "days_on")
_OTHERS = ("specialties", "pass_marks", "policy", "regions", "template")
_LONGEST = {"programme": 80, "level": 16, "review_body": 120, "authority": 120, "template": 40}


@dataclass(frozen=True, slots=True)
class SittingDefinition:
    """A read and checked definition: values for the tables `programmes` and `sittings`.

    policy holds only what the file says; announced_report_day tells whether the file set the reporting day
    itself (R6) instead of leaving it to the policy (R5).
    """

    programme: dict[str, Any]
    sitting: dict[str, Any]
    policy: dict[str, Any] = field(default_factory=dict)
    announced_report_day: bool = False


def read_definition(
    content: bytes, known_policy: Callable[[str], Mapping[str, Any]] = lambda _code: {}
) -> SittingDefinition:
    """Read `sitting.toml`. Raises InputError (what is missing or unusable), ConflictError (R5–R7 refuse the dates).

    known_policy gives the policy a programme already has, by its code; the file's values go over it.
    Dates left out follow from the policy: notice_closes_on, review_report_due_on, supplementary_closes_on.
    """
    data = _parse(content)
    code = _code(data, "code")
    programme_code = _code(data, "programme_code") if "programme_code" in data else code.split("-")[0]
    medium = _text(data, "medium", "electronic")
    if medium not in set(Medium):
        _refuse("medium", "electronic 或 paper", "electronic or paper")
    pattern = _text(data, "management_no_pattern", DEFAULT_PATTERN)
    policy_data = _policy_data(data)
    try:
        policy = Policy.from_dict({**known_policy(programme_code), **policy_data})
        parse_pattern(pattern)
    except (PolicyError, PatternError) as exc:
        raise InputError(
            "sitting-value",
            Words(
                f"考试定义中的值不可用：{exc}。未作任何改动。", f"A value cannot be used: {exc}. Nothing was changed."
            ),
            remedy=Words("更正 sitting.toml 后重试。", "Mend sitting.toml and try again."),
        ) from exc
    specialties = _specialties(data)
    days = _dates(data, policy)
    known = {*_TEXTS, *_DATES, *_OTHERS, "notice_opened_on"}  # the last is written by the act itself, never by a file
    return SittingDefinition(
        programme={
            "code": programme_code,
            "name": _text(data, "programme"),
            "level": _text(data, "level", ""),
            "medium": medium,
            "review_body": _text(data, "review_body"),
            "authority": _text(data, "authority"),
            "management_no_pattern": pattern,
            "template": _text(data, "template", "default"),
        },
        sitting={
            "code": code,
            "programme_code": programme_code,
            **days,
            "specialties": specialties,
            "pass_marks": _pass_marks(data),
            "extra": {key: _plain(value) for key, value in data.items() if key not in known},
        },
        policy=policy_data,
        announced_report_day="review_report_due_on" in data,
    )


def code_in(path: Path) -> str | None:
    """The sitting code in the file at `path`; None when there is no such readable file."""
    try:
        if path.stat().st_size > MAX_TOML_BYTES:
            return None
        code = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("code")
    except (OSError, ValueError):
        return None
    return code if isinstance(code, str) else None


def _parse(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_TOML_BYTES:
        raise InputError(
            "sitting-too-large",
            Words("考试定义文件过大。未作任何改动。", "The sitting's file is too large. Nothing was changed."),
            remedy=Words("核对文件是否为 sitting.toml。", "Make sure it is a sitting.toml."),
        )
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as exc:
        where = f" ({exc})" if isinstance(exc, tomllib.TOMLDecodeError) else ""
        raise InputError(
            "sitting-unreadable",
            Words(
                f"考试定义不是可读取的 UTF-8 TOML 文件{where}。未作任何改动。",
                f"The sitting's definition is not readable TOML in UTF-8{where}. Nothing was changed.",
            ),
            remedy=Words("更正文件后重试。", "Mend the file and try again."),
        ) from exc


def _policy_data(data: Mapping[str, Any]) -> dict[str, Any]:
    policy = data.get("policy", {})
    if not isinstance(policy, dict):
        _refuse("policy", "表", "a table")
    # Days are kept as text: the policy rests as JSON, which has no dates.
    plain = {
        key: [str(each) for each in value] if key in _DAY_LISTS and isinstance(value, list) else value
        for key, value in policy.items()
    }
    return {**plain, "regions": data["regions"]} if "regions" in data else plain


def _dates(data: Mapping[str, Any], policy: Policy) -> dict[str, date]:
    given = {key: _date(key, data[key]) for key in _DATES if key in data}
    for key in ("exam_ended_on", "results_released_on", "notice_opens_on", "approved_on"):
        if key not in given:
            _refuse_missing(key)
    released = given["results_released_on"]
    days = {
        "notice_closes_on": notice_closes_on(given["notice_opens_on"], policy),
        "review_report_due_on": report_due_on(released, policy),
        "supplementary_closes_on": supplementary_closes_on(released, policy),
        **given,
    }
    for earlier, later in (
        ("exam_ended_on", "results_released_on"),
        ("results_released_on", "notice_opens_on"),
        ("results_released_on", "review_report_due_on"),
        ("review_report_due_on", "supplementary_closes_on"),
    ):
        if days[earlier] > days[later]:
            _refuse(later, f"不早于 {earlier}（{days[earlier]}）", f"not before {earlier} ({days[earlier]})")
    try:
        require_full_notice(PublicNotice(days["notice_opens_on"], days["notice_closes_on"]), policy)
        latest = supplementary_closes_on(released, policy)
        if days["supplementary_closes_on"] > latest:
            raise RuleViolation(
                "R7",
                "supplementary-too-late",
                found=(
                    f"补充核查至 {days['supplementary_closes_on']}",
                    f"supplementary review until {days['supplementary_closes_on']}",
                ),
                expected=(
                    f"成绩发布后 {policy.supplementary_months} 个月内，即 {latest} 前完成",
                    f"completed within {policy.supplementary_months} months of score release, by {latest}",
                ),
            )
    except RuleViolation as violation:
        raise refusal_from(
            violation, remedy=Words("更正 sitting.toml 后重试。", "Mend sitting.toml and try again.")
        ) from violation
    return days


def _specialties(data: Mapping[str, Any]) -> list[str]:
    values = data.get("specialties", [])
    good = isinstance(values, list) and all(isinstance(v, str) and 0 < len(v.strip()) <= 80 for v in values)
    if not good or len({v.strip() for v in values}) != len(values) or len(values) > 99:
        _refuse("specialties", "不重复的专业名称列表", "a list of different names")
    return [v.strip() for v in values]


def _pass_marks(data: Mapping[str, Any]) -> dict[str, int]:
    marks = data.get("pass_marks")
    if not isinstance(marks, dict) or not marks:
        _refuse("pass_marks", "科目与合格分数的表", "a table of subjects and pass marks")
    for subject, mark in marks.items():
        if (
            not 0 < len(subject.strip()) <= 80
            or isinstance(mark, bool)
            or not isinstance(mark, int)
            or not 0 <= mark <= 1000
        ):
            _refuse("pass_marks", "科目名和 0 至 1000 的整数", "names of subjects and whole numbers from 0 to 1000")
    return {subject.strip(): mark for subject, mark in marks.items()}


def _code(data: Mapping[str, Any], key: str) -> str:
    code = _text(data, key)
    if _CODE.fullmatch(code) is None:
        _refuse(
            key, "1 至 32 位字母、数字、点、下划线或连字符", "1 to 32 letters, digits, dots, underscores or hyphens"
        )
    return code


def _text(data: Mapping[str, Any], key: str, default: str | None = None) -> str:
    if key not in data:
        if default is None:
            _refuse_missing(key)
        return default
    value = data[key]
    longest = _LONGEST.get(key, 120)
    if (
        not isinstance(value, str)
        or not value.isprintable()
        or len(value) > longest
        or (default is None and not value.strip())
    ):
        _refuse(key, f"不超过 {longest} 个字符的文字", f"text of at most {longest} characters")
    return value.strip()


def _date(key: str, value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    return _refuse(key, "日期，如 2025-08-20", "a date such as 2025-08-20")


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case str() | bool() | int() | float():
            return value
        case _:
            return str(value)


def _refuse(key: str, zh: str, en: str) -> NoReturn:
    raise InputError(
        "sitting-value",
        Words(
            f"考试定义中 {key} 应为{zh}。未作任何改动。",
            f"In the definition, {key} must be {en}. Nothing was changed.",
        ),
        remedy=Words("更正 sitting.toml 后重试。", "Mend sitting.toml and try again."),
    )


def _refuse_missing(key: str) -> NoReturn:
    raise InputError(
        "sitting-value-missing",
        Words(f"考试定义缺少 {key}。未作任何改动。", f"The definition lacks {key}. Nothing was changed."),
        remedy=Words("补全 sitting.toml 后重试。", "Complete sitting.toml and try again."),
    )
