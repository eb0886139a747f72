"""A hearing before a decision (R7, R9, R10): who may ask for one, when it is held and by whom, what may follow it.

The notice lets a candidate make a defence and says nothing of its form; MOHRSS Order 31 lets whoever is to be
punished state and defend. The form kept here is that of the Administrative Penalty Law (行政处罚法, 2021), articles
64 and 65: notice seven days ahead, a chair who did not investigate, minutes which the person reads and confirms or
objects to, or whose missing signature is explained, and a decision that rests on them. Days are policy values.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NoReturn

from issuer.rules.violation import RuleViolation


class HearingState(StrEnum):
    """Where a hearing stands."""

    ASKED = "asked"
    """当事人要求听证; staff have not set a day."""
    SET = "set"
    """Time and place were notified."""
    HELD = "held"
    """Minutes wait for the person."""
    CONFIRMED = "confirmed"
    OBJECTED = "objected"
    """The person noted what they object to; the minutes stand with it."""
    UNSIGNED = "unsigned"
    """No answer: the chair noted why (article 64 (8))."""
    WAIVED = "waived"
    """Taken back, or the person did not come without good reason (article 64 (6))."""
    MOOT = "moot"
    """What it was about was decided for the person, or withdrawn."""


OPEN = frozenset({HearingState.ASKED, HearingState.SET, HearingState.HELD})
"""Nothing is decided meanwhile."""
ON_RECORD = frozenset({HearingState.CONFIRMED, HearingState.OBJECTED, HearingState.UNSIGNED})
"""Minutes the decision rests on."""


@dataclass(frozen=True, slots=True)
class HearingDays:
    """Days around a hearing, last days included.

    ask_until: last day on which it can be asked for. decide_by: last day of the decision it comes before, None where
    the law names none.
    """

    ask_until: date
    decide_by: date | None
    notice_days: int
    answer_days: int


def may_ask(clause: str, state: HearingState | None, days: HearingDays, today: date) -> None:
    """Return if a hearing can be asked for; raise RuleViolation: hearing-asked, hearing-too-late.

    It must be possible to notify and hold it before the last day of the decision (R7).
    """
    if state is not None:
        _refuse(
            clause,
            "hearing-asked",
            f"听证状态为 {state}",
            f"the hearing is {state}",
            "每项申辩或事项听证一次",
            "one hearing about each defence or case",
        )
    last = days.ask_until
    if days.decide_by is not None:
        last = min(last, days.decide_by - timedelta(days=days.notice_days))
    if today > last:
        _refuse(
            clause,
            "hearing-too-late",
            f"提出日期 {today}",
            f"asked on {today}",
            f"{last} 24:00 前提出",
            f"until 24:00 on {last}",
        )


def may_set(
    clause: str,
    state: HearingState | None,
    days: HearingDays,
    *,
    today: date,
    on: date,
    chair: str,
    investigators: Iterable[str],
) -> None:
    """Return if a hearing may be notified for the day `on`; raise RuleViolation.

    Codes: hearing-over, hearing-notice-short, hearing-after-deadline, chair-investigated.
    """
    if state not in (None, HearingState.ASKED, HearingState.SET):
        _refuse(
            clause,
            "hearing-over",
            f"听证状态为 {state}",
            f"the hearing is {state}",
            "尚未举行的听证",
            "a hearing that was not held yet",
        )
    earliest = today + timedelta(days=days.notice_days)
    if on < earliest:
        _refuse(
            clause,
            "hearing-notice-short",
            f"听证日期 {on}",
            f"held on {on}",
            f"提前 {days.notice_days} 日通知，即 {earliest} 或以后",
            f"{days.notice_days} days' notice: {earliest} or later",
        )
    if days.decide_by is not None and on > days.decide_by:
        _refuse(
            clause,
            "hearing-after-deadline",
            f"听证日期 {on}",
            f"held on {on}",
            f"作出决定的最后一日 {days.decide_by} 之前",
            f"by {days.decide_by}, the last day to decide",
        )
    if chair.casefold() in {name.casefold() for name in investigators}:
        _refuse(
            clause,
            "chair-investigated",
            "听证主持人是本案认定人或提议人",
            "the chair made the finding or the proposal",
            "由非本案调查人员主持（行政处罚法第六十四条第四项）",
            "somebody who did not investigate the case (article 64 (4))",
        )


def may_record(clause: str, state: HearingState, starts_at: datetime, now: datetime) -> None:
    """Return if what happened there may be written down; raise RuleViolation hearing-not-set, hearing-ahead."""
    if state is not HearingState.SET:
        _refuse(
            clause,
            "hearing-not-set",
            f"听证状态为 {state}",
            f"the hearing is {state}",
            "已通知时间地点、尚未记录的听证",
            "a hearing that was notified and not recorded yet",
        )
    if now < starts_at:
        _refuse(
            clause,
            "hearing-ahead",
            "听证尚未开始",
            "the hearing has not begun",
            "听证开始之后再记录",
            "record it once it has begun",
        )


def may_answer(clause: str, state: HearingState, due_on: date, today: date) -> None:
    """Return if the person may confirm the minutes or object; raise RuleViolation not-to-answer, answer-too-late."""
    _require_held(clause, state)
    if today > due_on:
        _refuse(
            clause,
            "answer-too-late",
            f"办理日期 {today}",
            f"answered on {today}",
            f"{due_on} 24:00 前核对笔录",
            f"until 24:00 on {due_on}",
        )


def may_close_unsigned(clause: str, state: HearingState, due_on: date, today: date) -> None:
    """Return if the chair may close minutes without a signature; raise RuleViolation not-to-answer, answer-open."""
    _require_held(clause, state)
    if today <= due_on:
        _refuse(
            clause,
            "answer-open",
            f"当事人核对笔录的期限至 {due_on}",
            f"the person can answer until {due_on}",
            f"{due_on} 24:00 之后注明原因",
            f"after 24:00 on {due_on}, with the reason",
        )


def may_waive(clause: str, state: HearingState) -> None:
    """Return if the person may take the hearing back; raise RuleViolation hearing-over."""
    if state not in (HearingState.ASKED, HearingState.SET):
        _refuse(
            clause,
            "hearing-over",
            f"听证状态为 {state}",
            f"the hearing is {state}",
            "尚未举行的听证",
            "a hearing that was not held yet",
        )


def require_heard(clause: str, state: HearingState | None) -> None:
    """Raise RuleViolation `hearing-open` while a hearing waits to be held or for the person to read its minutes."""
    if state in OPEN:
        _refuse(
            clause,
            "hearing-open",
            f"听证尚未办结（{state}）",
            f"a hearing is open ({state})",
            "听证结束、笔录核对后再作决定（行政处罚法第六十五条）",
            "decide once it was held and its minutes were read (article 65)",
        )


def _require_held(clause: str, state: HearingState) -> None:
    if state is not HearingState.HELD:
        _refuse(
            clause,
            "not-to-answer",
            f"听证状态为 {state}",
            f"the hearing is {state}",
            "等待核对的笔录",
            "minutes that wait for an answer",
        )


def _refuse(clause: str, code: str, found: str, found_en: str, expected: str, expected_en: str) -> NoReturn:
    raise RuleViolation(clause, code, found=(found, found_en), expected=(expected, expected_en))
