"""A sitting goes through both rounds: decision files, the calendar, deemed waived (R4–R8)."""

from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy import select

from issuer.audit import verify_chain
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from issuer.records.database import make_engine
from issuer.records.ledger import AuditEvent
from issuer.records.people import Registration
from issuer.records.reviews import EligibilityReview, ReviewEvent
from issuer.records.sittings import Sitting
from issuer.review.service import (
    apply_decisions,
    close_first_round,
    decide_all_eligible,
    export_template,
    lapse_supplementary,
    open_notice,
    open_supplementary,
    sitting_progress,
)
from issuer.rules.terms import ReviewOutcome, ReviewRound, Role
from tests.factories.small_world import SmallContext, SmallWorld, admission_no, small_context, staff

BODY = staff("body", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}))
FIRST, SUPPLEMENTARY = ReviewRound.FIRST, ReviewRound.SUPPLEMENTARY
HEADS = ("准考证号", "核查结果", "原因代码", "说明")


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return SmallWorld(small_context(make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}"), tmp_path)).build()


def csv_file(folder: Path, *rows: tuple[str, ...], heads: tuple[str, ...] = HEADS, encoding: str = "utf-8") -> Path:
    path = folder / f"decisions-{len(list(folder.glob('decisions-*')))}.csv"
    path.write_text("\n".join(",".join(row) for row in (heads, *rows)) + "\n", encoding=encoding)
    return path


def states(context: SmallContext) -> list[tuple[str, str, int]]:
    with context.database.read() as session:
        found = session.scalars(select(EligibilityReview).order_by(EligibilityReview.registration_id))
        return [(review.round, review.outcome, review.version) for review in found]


def move_to(world: SmallWorld, day: date) -> None:
    world.context.clock.move_to(day)  # type: ignore[attr-defined]


def test_from_result_day_to_deemed_waived(world: SmallWorld, tmp_path: Path) -> None:
    context, sitting = world.context, world.sitting
    world.register(5)
    first = csv_file(
        tmp_path,
        (admission_no(1), "合格"),
        (admission_no(2), "不合格", "WORK-YEARS", "从业年限不足"),
        (admission_no(3), "待核查"),
        ("4199999999", "合格"),
        (admission_no(4), "好"),
    )
    report = apply_decisions(context, BODY, sitting, "first", content=first)
    assert report.moved == {"合格": 1, "不合格": 1, "待核查": 1}
    assert [(f.row, f.code) for f in report.findings] == [(5, "not_in_sitting"), (6, "finding_unknown")]
    assert (report.rows, report.refused, report.unchanged) == (5, 2, 0)
    again = apply_decisions(context, BODY, sitting, FIRST, content=first)
    assert (again.moved, again.unchanged, again.refused) == ({}, 3, 2)

    with pytest.raises(ConflictError) as early:
        close_first_round(context, BODY, sitting)
    assert early.value.code == "first-round-still-open"
    move_to(world, date(2025, 9, 16))
    with pytest.raises(ConflictError, match="第一轮"):
        open_supplementary(context, BODY, sitting)
    assert close_first_round(context, BODY, sitting).moved == 2
    assert close_first_round(context, BODY, sitting).moved == 0, "a second time moves nobody"
    move_to(world, date(2025, 9, 20))
    late = apply_decisions(context, BODY, sitting, FIRST, content=csv_file(tmp_path, (admission_no(3), "合格")))
    assert [(f.code, f.clause) for f in late.findings] == [("first-round-closed", "R5")]

    assert open_supplementary(context, BODY, sitting).moved == 3
    assert apply_decisions(context, BODY, sitting, FIRST, content=first).unchanged == 3, "an old file changes nothing"
    second = csv_file(tmp_path, (admission_no(3), "合格"), (admission_no(4), "待核查"), (admission_no(2), "合格"))
    report = apply_decisions(context, BODY, sitting, SUPPLEMENTARY, content=second)
    assert report.moved == {"合格": 1}
    assert [(f.code, f.clause) for f in report.findings] == [
        ("pending_in_last_round", "R7"),
        ("supplementary-not-opened", "R7"),
    ]
    move_to(world, date(2025, 11, 1))
    with pytest.raises(ConflictError) as open_still:
        lapse_supplementary(context, BODY, sitting)
    assert open_still.value.code == "supplementary-still-open", "the closing day runs until 24:00"
    move_to(world, date(2025, 11, 2))
    assert lapse_supplementary(context, BODY, sitting).moved == 2
    waived = apply_decisions(
        context, BODY, sitting, SUPPLEMENTARY, content=csv_file(tmp_path, (admission_no(5), "合格"))
    )
    assert [(f.code, f.clause) for f in waived.findings] == [("deemed-waived", "R7")]
    assert states(context) == [
        ("first", "eligible", 1),
        ("first", "ineligible", 1),
        ("supplementary", "eligible", 3),
        ("supplementary", "deemed-waived", 3),
        ("supplementary", "deemed-waived", 3),
    ]
    with context.database.read() as session:
        assert verify_chain(session).intact
        versions = session.execute(select(ReviewEvent.registration_id, ReviewEvent.version).order_by(ReviewEvent.id))
        assert len(set(versions.all())) == 11, "one event for every transition"


def test_a_dry_run_tells_and_changes_nothing(world: SmallWorld, tmp_path: Path) -> None:
    world.register(2)
    file = csv_file(tmp_path, (admission_no(1), "合格"), ("4199999999", "合格"))
    report = apply_decisions(world.context, BODY, world.sitting, FIRST, content=file, dry_run=True)
    assert (report.moved, report.refused, report.dry_run) == ({"合格": 1}, 1, True)
    assert {version for _, _, version in states(world.context)} == {0}
    with world.context.database.read() as session:
        assert session.scalars(select(AuditEvent)).all() == []


def test_rows_that_contradict_each_other_count_not_at_all(world: SmallWorld, tmp_path: Path) -> None:
    world.register(2)
    file = csv_file(
        tmp_path,
        (admission_no(1), "合格"),
        (admission_no(1), "不合格", "X"),
        (admission_no(2), "合格"),
        (admission_no(2), "合格"),
    )
    report = apply_decisions(world.context, BODY, world.sitting, FIRST, content=file)
    assert [(f.row, f.code) for f in report.findings] == [(2, "contradiction"), (3, "contradiction")]
    assert report.moved == {"合格": 1}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("", "合格"), "admission_no_form"),
        (("41' OR 1=1", "合格"), "admission_no_form"),
        ((admission_no(1), "不合格"), "reason_missing"),
        ((admission_no(1), "合格", "not a code!"), "reason_code_form"),
        ((admission_no(1), "合格", "", "x" * 1001), "note_unusable"),
        ((admission_no(1), "合格", "", "翻\u202e转"), "note_unusable"),
    ],
)
def test_bad_rows_become_findings(world: SmallWorld, tmp_path: Path, row: tuple[str, ...], code: str) -> None:
    world.register(1)
    report = apply_decisions(world.context, BODY, world.sitting, FIRST, content=csv_file(tmp_path, row))
    assert [finding.code for finding in report.findings] == [code]
    assert admission_no(1) not in str(report.to_json()), "no admission number in a report"
    assert states(world.context) == [("first", "awaiting", 0)]


def test_workbooks_encodings_and_numbers_in_number_cells(world: SmallWorld, tmp_path: Path) -> None:
    world.register(3)
    book_path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(book_path) as book:
        book.add_worksheet("说明").write_string(0, 0, "请填写第二个工作表")
        sheet = book.add_worksheet("结果")
        for column, head in enumerate(("序号", "准考证号", "结论")):
            sheet.write_string(1, column, head)
        for line, number in ((2, float(admission_no(1))), (3, 41000000000199999.0)):
            sheet.write_number(line, 1, number)
            sheet.write_string(line, 2, "合格")
    report = apply_decisions(world.context, BODY, world.sitting, FIRST, content=book_path)
    assert report.moved == {"合格": 1}
    assert [(f.row, f.code) for f in report.findings] == [(4, "admission_no_damaged")]
    gb = csv_file(tmp_path, (admission_no(2), "合格"), encoding="gb18030")
    assert apply_decisions(world.context, BODY, world.sitting, FIRST, content=gb).moved == {"合格": 1}


def test_files_that_are_none(world: SmallWorld, tmp_path: Path) -> None:
    world.register(1)
    empty, noise, other = tmp_path / "empty.csv", tmp_path / "noise.xlsx", tmp_path / "other.csv"
    empty.write_bytes(b"")
    noise.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 20)
    other.write_text("a,b\n1,2\n")
    for path in (empty, noise, other, tmp_path / "missing.csv"):
        with pytest.raises(InputError):
            apply_decisions(world.context, BODY, world.sitting, FIRST, content=path)
    assert states(world.context) == [("first", "awaiting", 0)]


def test_who_may_review(world: SmallWorld, tmp_path: Path) -> None:
    world.register(1, city="东江")
    world.register(1, city="西岭")
    file = csv_file(tmp_path, (admission_no(1), "合格"), (admission_no(2), "合格"))
    context, sitting = world.context, world.sitting
    stranger = staff("other", Role.REVIEW_BODY, programmes=frozenset({"OTHER"}))
    for actor in (stranger, staff("auditor", Role.AUDITOR)):
        with pytest.raises(NotAllowedError):
            apply_decisions(context, actor, sitting, FIRST, content=file)
    with pytest.raises(NotAllowedError):
        sitting_progress(context, stranger, sitting)
    with pytest.raises(NotFoundError):
        apply_decisions(context, BODY, "NOSUCH", FIRST, content=file)
    city = staff("city", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}), cities=frozenset({"东江"}))
    report = apply_decisions(context, city, sitting, FIRST, content=file)
    assert report.moved == {"合格": 1}
    assert [(f.row, f.code, f.clause) for f in report.findings] == [(3, "outside_own_city", "R1")]
    assert sitting_progress(context, city, sitting).total == 1
    assert sitting_progress(context, staff("auditor", Role.AUDITOR), sitting).total == 2
    move_to(world, date(2025, 9, 17))
    with pytest.raises(NotAllowedError, match="市级"):
        close_first_round(context, city, sitting)


def test_after_a_certificate_was_made_the_review_is_closed(world: SmallWorld, tmp_path: Path) -> None:
    with_certificate, without = world.register(2, outcome=ReviewOutcome.ELIGIBLE)
    world.certificate(with_certificate)
    file = csv_file(tmp_path, (admission_no(1), "不合格", "X"), (admission_no(2), "不合格", "X"))
    report = apply_decisions(world.context, BODY, world.sitting, FIRST, content=file)
    assert report.moved == {"不合格": 1}
    (finding,) = report.findings
    assert (finding.row, finding.code, finding.clause) == (2, "certificate-exists", "R9")
    assert "revoke" in finding.remedy.en
    with world.context.database.write() as session:
        session.get_one(Registration, without).void_since = world.context.clock.now()
    report = apply_decisions(world.context, BODY, world.sitting, FIRST, content=file)
    assert [f.code for f in report.findings] == ["certificate-exists"]


def test_everybody_eligible_at_once(world: SmallWorld) -> None:
    world.register(3)
    world.register(1, outcome=ReviewOutcome.INELIGIBLE)
    report = decide_all_eligible(world.context, BODY, world.sitting, FIRST)
    assert report.moved == {"合格": 3}
    assert [outcome for _, outcome, _ in states(world.context)] == ["eligible"] * 3 + ["ineligible"]
    move_to(world, date(2025, 9, 17))
    world.register(1)
    with pytest.raises(ConflictError) as late:
        decide_all_eligible(world.context, BODY, world.sitting, FIRST)
    assert late.value.clause == "R5"


def test_the_notice_stands_ten_days_from_the_day_it_was_opened(world: SmallWorld) -> None:
    with world.context.database.write() as session:
        session.get_one(Sitting, world.sitting).review_report_due_on = date(2025, 9, 20)
    notice = open_notice(world.context, BODY, world.sitting)
    assert (notice.opens_on, notice.closes_on) == (date(2025, 9, 10), date(2025, 9, 20))
    assert open_notice(world.context, BODY, world.sitting) == notice
    with world.context.database.read() as session:
        assert session.get_one(Sitting, world.sitting).notice_closes_on == date(2025, 9, 20)
    move_to(world, date(2025, 9, 11))
    with pytest.raises(ConflictError) as again:
        open_notice(world.context, BODY, world.sitting)
    assert again.value.clause == "R5"


def test_a_notice_too_late_for_the_days_after_it_is_refused_or_entered_late(world: SmallWorld) -> None:
    context, sitting, department = world.context, world.sitting, staff("clerk", Role.AUTHORITY_ISSUER)
    for today in (date(2025, 9, 10), date(2026, 3, 1)):
        move_to(world, today)
        with pytest.raises(ConflictError) as late:
            open_notice(context, BODY, sitting)
        assert (late.value.code, late.value.clause) == ("notice-past-deadlines", "R5")
        assert late.value.remedy is not None
        assert "--on" in late.value.remedy.en and "sitting define" in late.value.remedy.en
    with pytest.raises(NotAllowedError):
        open_notice(context, BODY, sitting, on=date(2025, 9, 2))
    with pytest.raises(InputError):
        open_notice(context, department, sitting, on=date(2026, 3, 2))
    with pytest.raises(ConflictError, match="成绩"):
        open_notice(context, department, sitting, on=date(2025, 8, 31))
    notice = open_notice(context, department, sitting, on=date(2025, 9, 2))
    assert (notice.opens_on, notice.closes_on) == (date(2025, 9, 2), date(2025, 9, 12))
    assert open_notice(context, department, sitting, on=date(2025, 9, 2)) == notice
    with context.database.read() as session:
        (event,) = session.scalars(select(AuditEvent)).all()
        assert event.details["acted_on"] == "2025-09-02" and event.at.date() > date(2026, 2, 27)


def test_progress_counts_and_names_the_next_day(world: SmallWorld) -> None:
    world.register(2)
    world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    progress = sitting_progress(world.context, BODY, world.sitting)
    assert progress.counts == {(FIRST, ReviewOutcome.AWAITING): 2, (FIRST, ReviewOutcome.ELIGIBLE): 1}
    assert [(d.name, d.days) for d in progress.deadlines] == [
        ("notice-closes", 2),
        ("report-due", 6),
        ("supplementary-closes", 52),
    ]
    assert progress.to_json()["next"] == "notice-closes"


def test_the_exported_template_comes_back_as_a_decision_file(world: SmallWorld, tmp_path: Path) -> None:
    world.register(2)
    target = tmp_path / "template.xlsx"
    assert export_template(world.context, BODY, world.sitting, FIRST, target) == 2
    assert target.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError):
        export_template(world.context, BODY, world.sitting, FIRST, target)
    report = apply_decisions(world.context, BODY, world.sitting, FIRST, content=target)
    assert [f.code for f in report.findings] == ["finding_unknown", "finding_unknown"], "nothing is filled in yet"


def test_what_was_decided_in_time_may_be_entered_late_by_the_department_only(
    world: SmallWorld, tmp_path: Path
) -> None:
    world.register(2)
    context, sitting, department = world.context, world.sitting, staff("clerk", Role.AUTHORITY_ISSUER)
    move_to(world, date(2026, 3, 1))
    file = csv_file(tmp_path, (admission_no(1), "合格"), (admission_no(2), "待核查"))
    with pytest.raises(NotAllowedError):
        apply_decisions(context, BODY, sitting, FIRST, content=file, on=date(2025, 9, 15))
    with pytest.raises(InputError):
        apply_decisions(context, department, sitting, FIRST, content=file, on=date(2026, 3, 2))
    late = apply_decisions(context, department, sitting, FIRST, content=file, on=date(2025, 9, 17), dry_run=True)
    assert [finding.code for finding in late.findings] == ["first-round-closed"], (
        "late is late, whenever it is entered"
    )
    report = apply_decisions(context, department, sitting, FIRST, content=file, on=date(2025, 9, 15))
    assert report.moved == {"合格": 1, "待核查": 1}
    assert open_supplementary(context, department, sitting, on=date(2025, 10, 1)).moved == 1
    report = decide_all_eligible(context, department, sitting, SUPPLEMENTARY, on=date(2025, 10, 30))
    assert report.moved == {"合格": 1}
    with context.database.read() as session:
        days = {event.details.get("acted_on") for event in session.scalars(select(AuditEvent))}
    assert {"2025-09-15", "2025-10-01", "2025-10-30"} <= days
