"""A sitting's definition: read strictly, held to R5–R7, changed only while nothing rests on it."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from issuer.access.actor import SYSTEM
from issuer.errors import ConflictError, DomainError, InputError
from issuer.records.ledger import AuditEvent
from issuer.records.sittings import Programme, Sitting
from issuer.roster.service import define_sitting
from issuer.roster.sittings import read_definition
from tests.factories.roster_files import SITTING, SITTING_TOML, invent, write_roster
from tests.issuer.roster.conftest import RosterWorld
from tests.issuer.roster.test_roster_again import _issue


def _with(old: str, new: str) -> bytes:
    assert old in SITTING_TOML
    return SITTING_TOML.replace(old, new).encode()


def _stored(world: RosterWorld) -> tuple[Sitting, Programme]:
    with world.database.read() as session:
        sitting = session.get_one(Sitting, SITTING)
        programme = session.get_one(Programme, sitting.programme_code)
        session.expunge_all()
    return sitting, programme


def test_a_definition_is_stored_with_its_programme(world: RosterWorld) -> None:
    sitting, programme = _stored(world)
    assert (programme.code, programme.name, programme.medium) == ("EJJZ", "二级建造师", "electronic")
    assert sitting.notice_closes_on == date(2025, 9, 4)
    assert list(sitting.pass_marks.values()) == [60, 60, 72]


def test_the_same_definition_again_changes_nothing(world: RosterWorld) -> None:
    before = world.snapshot()
    define_sitting(world, SYSTEM, b"\xef\xbb\xbf" + SITTING_TOML.encode())
    assert world.snapshot() == before


def test_a_changed_definition_is_taken_over_and_audited(world: RosterWorld) -> None:
    define_sitting(world, SYSTEM, _with("notice_closes_on = 2025-09-04", "notice_closes_on = 2025-09-05"))
    sitting, _ = _stored(world)
    assert sitting.notice_closes_on == date(2025, 9, 5)
    with world.database.read() as session:
        assert session.scalar(select(func.count()).where(AuditEvent.act == "sitting.define")) == 2


def test_r5_a_notice_that_was_opened_is_not_shortened_by_the_file(world: RosterWorld) -> None:
    opened = {"notice_opened_on": "2025-09-01"}
    with world.database.write() as session:
        row = session.get_one(Sitting, SITTING)
        row.notice_opens_on, row.notice_closes_on, row.extra = date(2025, 9, 1), date(2025, 9, 11), opened
    before = world.snapshot()
    define_sitting(world, SYSTEM, SITTING_TOML.encode())
    define_sitting(world, SYSTEM, b'notice_opened_on = "2020-01-01"\n' + SITTING_TOML.encode())
    assert world.snapshot() == before
    define_sitting(world, SYSTEM, _with("notice_closes_on = 2025-09-04", "notice_closes_on = 2025-09-20"))
    sitting, _ = _stored(world)
    assert (sitting.notice_opens_on, sitting.notice_closes_on) == (date(2025, 9, 1), date(2025, 9, 20))
    assert sitting.extra == opened


def test_after_issue_a_changed_definition_is_refused(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", invent(1))
    world.take(files.xlsx)
    row = next(iter(world.registrations().values()))
    _issue(world, row.id, row.person_id)
    before = world.snapshot()
    for toml in (
        _with("notice_closes_on = 2025-09-04", "notice_closes_on = 2025-09-05"),
        _with('medium = "electronic"', 'medium = "paper"'),
        _with('level = "二级"', 'level = "一级"'),
    ):
        with pytest.raises(ConflictError):
            define_sitting(world, SYSTEM, toml)
    assert world.snapshot() == before
    define_sitting(world, SYSTEM, SITTING_TOML.encode())


def test_pass_marks_and_taken_specialties_stand_once_a_roster_was_imported(world: RosterWorld) -> None:
    files = write_roster(world.folder / "in", invent(1))
    world.take(files.xlsx)
    for toml in (_with('"专业工程管理与实务" = 72', '"专业工程管理与实务" = 60'), _with('"机电工程"]', '"机电"]')):
        with pytest.raises(ConflictError, match="roster was imported"):
            define_sitting(world, SYSTEM, toml)


@pytest.mark.parametrize(
    ("old", "new", "clause"),
    [
        ("notice_closes_on = 2025-09-04", "notice_closes_on = 2025-09-03", "R5"),
        ("supplementary_closes_on = 2025-10-20", "supplementary_closes_on = 2025-10-21", "R7"),
    ],
)
def test_dates_against_the_notice_are_refused_with_the_clause(
    world: RosterWorld, old: str, new: str, clause: str
) -> None:
    with pytest.raises(ConflictError) as refusal:
        define_sitting(world, SYSTEM, _with(old, new))
    assert refusal.value.clause == clause


def test_dates_left_out_follow_from_the_policy() -> None:
    text = SITTING_TOML
    for line in (
        "notice_closes_on = 2025-09-04",
        "review_report_due_on = 2025-09-10",
        "supplementary_closes_on = 2025-10-20",
    ):
        text = text.replace(line, "")
    made = read_definition(text.encode())
    assert made.sitting["notice_closes_on"] == date(2025, 9, 4)
    assert made.sitting["review_report_due_on"] == date(2025, 9, 4)
    assert made.sitting["supplementary_closes_on"] == date(2025, 10, 20)
    assert not made.announced_report_day


def test_region_codes_at_the_top_and_a_policy_table_are_understood() -> None:
    made = read_definition((SITTING_TOML + '\n[regions]\n"东江" = 1\n\n[policy]\nnotice_days = 10\n').encode())
    assert made.policy == {"notice_days": 10, "regions": {"东江": 1}}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (f'code = "{SITTING}"', 'code = "a/b"', "code"),
        (f'code = "{SITTING}"', "", "code"),
        ('medium = "electronic"', 'medium = "stone"', "medium"),
        ("exam_ended_on = 2025-06-08", "", "exam_ended_on"),
        ("exam_ended_on = 2025-06-08", 'exam_ended_on = "yesterday"', "exam_ended_on"),
        ("exam_ended_on = 2025-06-08", "exam_ended_on = 2025-08-21", "results_released_on"),
        ("{serial:06}", "{serial:06}{name}", "name"),
        ("{serial:06}{check}", "{check}", "serial"),
        ('"建筑工程", ', '"公路工程", ', "specialties"),
        ('"建设工程施工管理" = 60', '"建设工程施工管理" = "60"', "pass_marks"),
        ('programme = "二级建造师"', 'programme = "' + "长" * 81 + '"', "programme"),
        ("[pass_marks]", "[policy]\nnotice_days = 5\n[pass_marks]", "notice_days"),
        ("[pass_marks]", "[policy]\nnotise_days = 15\n[pass_marks]", "notise_days"),
        ("[pass_marks]", "[pass_marks", "TOML"),
    ],
)
def test_an_unusable_definition_names_what_is_wrong(world: RosterWorld, old: str, new: str, said: str) -> None:
    before = world.snapshot()
    with pytest.raises(InputError, match=said):
        define_sitting(world, SYSTEM, _with(old, new))
    assert world.snapshot() == before


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_bytes_bring_the_reader_down(content: bytes) -> None:
    with pytest.raises(DomainError):
        read_definition(content)
