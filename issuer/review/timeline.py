"""The days of a sitting in order: one list, read by the candidate and by staff alike (R5, R6, R7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from issuer.errors import Words
from issuer.ports import ServiceContext
from issuer.records.sittings import Programme, Sitting
from issuer.rules.deadlines import report_due_on
from issuer.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Day:
    """One day, until 24:00 in Asia/Shanghai: `state` is past, today or ahead."""

    name: str
    day: date
    words: Words
    clause: str | None
    state: str


def timeline_of(sitting: Sitting, programme: Programme, today: date) -> tuple[Day, ...]:
    """The sitting's days in order, with today among them.

    The last day to decide on defences is shown where the policy gives one of its own (R7).
    """
    policy = Policy.from_dict(programme.policy)
    closes = sitting.supplementary_closes_on
    announced = sitting.review_report_due_on != report_due_on(sitting.results_released_on, policy)
    days: list[tuple[str, date, Words, str | None]] = [
        ("exam-ended", sitting.exam_ended_on, Words("考试结束", "exam ended"), None),
        ("scores-out", sitting.results_released_on, Words("成绩发布", "scores out"), None),
        ("notice-opens", sitting.notice_opens_on, Words("公示开始", "notice opens"), "R5"),
        ("notice-closes", sitting.notice_closes_on, Words("公示截止", "notice closes"), "R5"),
        (
            "report-due",
            sitting.review_report_due_on,
            Words("核查结果报送", "first round due"),
            "R6" if announced else "R5",
        ),
        ("supplementary-closes", closes, Words("补充核查、申辩截止", "last review closes"), "R7"),
        ("approved", sitting.approved_on, Words("批准日期", "approved"), None),
    ]
    if policy.defence_decision_days:
        decided = closes + timedelta(days=policy.defence_decision_days)
        days.append(("defences-decided", decided, Words("申辩处理截止", "defences decided"), "R7"))
    return tuple(_placed(days, today))


def _placed(days: Iterable[tuple[str, date, Words, str | None]], today: date) -> list[Day]:
    drawn = [
        Day(name, day, words, clause, "today" if day == today else "past" if day < today else "ahead")
        for name, day, words, clause in days
    ]
    if all(day.state != "today" for day in drawn):
        drawn.append(Day("today", today, Words("今天", "today"), None, "today"))
    return sorted(drawn, key=lambda day: day.day)


def sitting_days(ctx: ServiceContext, sitting_code: str) -> tuple[Day, ...]:
    """`timeline_of` for a sitting that exists and that the caller may see."""
    with ctx.database.read() as session:
        sitting = session.get_one(Sitting, sitting_code)
        return timeline_of(sitting, session.get_one(Programme, sitting.programme_code), ctx.clock.today())
