"""The days of a sitting along a line, for drawing."""

from dataclasses import dataclass
from datetime import date

from issuer.errors import Words
from issuer.roster.overview import SittingView


@dataclass(frozen=True, slots=True)
class Day:
    """One day: `state` is past, today or ahead."""

    day: date
    words: Words
    clause: str | None
    state: str


def timeline(sitting: SittingView, today: date) -> list[Day]:
    """The sitting's days in order, with today among them."""
    days = [
        (sitting.exam_ended_on, Words("考试结束", "exam ended"), None),
        (sitting.results_released_on, Words("成绩发布", "scores out"), None),
        (sitting.notice_opens_on, Words("公示开始", "notice opens"), "R5"),
        (sitting.notice_closes_on, Words("公示截止", "notice closes"), "R5"),
        (sitting.review_report_due_on, Words("核查结果报送", "first round due"), "R5"),
        (sitting.supplementary_closes_on, Words("补充核查、申辩截止", "last review closes"), "R7"),
        (sitting.approved_on, Words("批准日期", "approved"), None),
    ]
    drawn = [
        Day(day, words, clause, "today" if day == today else "past" if day < today else "ahead")
        for day, words, clause in days
    ]
    if all(day.state != "today" for day in drawn):
        drawn.append(Day(today, Words("今天", "today"), None, "today"))
    return sorted(drawn, key=lambda day: day.day)
