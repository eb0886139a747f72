"""A register's file against what people declared: every answer, every fault of a row, and the same file twice."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from issuer.access.actor import Actor
from issuer.errors import InputError, NotAllowedError
from issuer.records.ledger import AuditEvent
from issuer.records.people import Person, Registration
from issuer.records.registration import ComparisonResultRow, ComparisonRun
from issuer.registration.comparing import compare_sitting
from issuer.registration.from_roster import write_facts
from issuer.registration.ports import Answer, Question, SourceUnreachableError
from issuer.registration.report import annotated_file, compare_file
from issuer.rules.comparison import FactItem
from issuer.rules.terms import Role
from tests.factories.registration_facts import (
    BODY,
    DECLARED,
    ISSUER,
    STRANGER,
    FactsWorld,
    agreeing,
    answer,
    id_no_of,
    source_csv,
)
from tests.factories.small_world import admission_no, staff


def standing(world: FactsWorld) -> dict[tuple[int, str], tuple[str, str | None]]:
    """(registration, item) → (outcome, the register's value) of the answers that hold."""
    with world.context.database.read() as session:
        rows = session.scalars(select(ComparisonResultRow).where(ComparisonResultRow.superseded_by.is_(None)))
        return {(row.registration_id, row.item): (row.outcome, row.found) for row in rows}


def test_each_value_is_held_against_what_was_declared(world: FactsWorld) -> None:
    first, second, third = world.declare(3)
    report = world.compare(
        [
            answer(1, 学历="研究生", 所学专业="土木工程", 工作年限="10"),
            answer(2, 学历="大专", 所学专业="会计学", 工作年限="5.5"),
            answer(3, 学历="", 所学专业="土木工程（独立本科段）", 工作年限="6年"),
        ]
    )
    assert standing(world) == {
        (first, "education"): ("match", "研究生"),
        (first, "major"): ("match", "土木工程"),
        (first, "years"): ("match", "10"),
        (second, "education"): ("differs", "大专"),
        (second, "major"): ("differs", "会计学"),
        (second, "years"): ("differs", "5.5"),
        (third, "education"): ("not-found", None),
        (third, "major"): ("match", "土木工程（独立本科段）"),
        (third, "years"): ("match", "6年"),
    }
    assert report.outcomes()["education"] == {"match": 1, "differs": 1, "not-found": 1}
    with world.context.database.read() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.act == "registration.compare")).one()
    assert (event.clause, event.details["counts"]["years/match"]) == ("R3", 2)
    assert "会计学" not in str(event.details)


def test_verdicts_by_id_number_with_and_without_values(world: FactsWorld) -> None:
    ids = world.declare(4)
    words = ("一致", "不一致", "查无", "未能比对")
    rows = [
        {"证件号码": id_no_of(world, number), "姓名": "张三", "学历比对结果": word}
        for number, word in zip(ids, words, strict=True)
    ]
    report = world.compare(rows)
    assert [standing(world)[number, "education"][0] for number in ids] == [
        "match",
        "differs",
        "not-found",
        "unreachable",
    ]
    assert report.comparison.items == (FactItem.EDUCATION,)


def test_rows_that_cannot_be_placed_are_told_and_change_nothing(world: FactsWorld, tmp_path: Path) -> None:
    world.declare(4)
    rows = [
        answer(1, 姓名="李四", 学历="本科"),
        answer(2, 证件号码="P00000003", 学历="本科"),
        answer(3, 学历比对结果="大概一致"),
        {"准考证号": "", "学历": "本科"},
        answer(4, 学历="本科"),
        answer(4, 学历="大专"),
        answer(99, 学历="本科"),
    ]
    report = world.compare(rows)
    assert {finding.row: finding.code for finding in report.findings} == {
        2: "name_differs",
        3: "person_differs",
        4: "verdict_unknown",
        5: "nobody_named",
        6: "contradiction",
        7: "contradiction",
    }
    assert (report.refused, report.elsewhere, report.rows, report.comparison.run_id) == (6, 1, 7, None)
    assert standing(world) == {}
    out = tmp_path / "back.xlsx"
    assert annotated_file(report, out) == 7
    sheet = load_workbook(out).active
    assert sheet is not None
    lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert lines[0][-3:] == ["学历结论", "问题", "处理办法"]
    assert "name differs" in str(lines[1][-2])
    assert "不在本考次" in str(lines[7][-2])


def test_the_same_file_twice_changes_nothing_and_another_supersedes(world: FactsWorld) -> None:
    world.declare(2)
    assert world.compare(agreeing([1, 2])).comparison.run_id == 1
    again = world.compare(agreeing([1, 2]))
    assert (again.comparison.run_id, again.comparison.unchanged) == (None, 6)
    later = world.compare([answer(1, 学历="大专"), answer(2, 学历="大学本科")])
    assert (later.comparison.run_id, sum(later.comparison.new.values()), later.comparison.unchanged) == (2, 1, 1)
    with world.context.database.read() as session:
        assert session.scalar(select(func.count(ComparisonResultRow.id))) == 7, "what was said before stays"
        assert session.scalar(select(func.count(ComparisonRun.id))) == 2
        assert session.scalar(select(func.count()).where(AuditEvent.act == "registration.compare")) == 2


def test_a_trial_writes_nothing_and_a_whole_file_speaks_for_those_it_leaves_out(world: FactsWorld) -> None:
    _, left_out = world.declare(2)
    trial = world.compare(agreeing([1]), dry_run=True)
    assert (trial.comparison.run_id, trial.outcomes()["years"]) == (None, {"match": 1})
    assert standing(world) == {}
    world.compare(agreeing([1]))
    assert (left_out, "years") not in standing(world), "a file says nothing of those it leaves out"
    world.compare(agreeing([1]), complete=True)
    assert standing(world)[left_out, "years"] == ("not-found", None), "unless it speaks for everybody"


def test_a_value_with_nothing_declared_is_no_answer_a_verdict_is(world: FactsWorld) -> None:
    (number,) = world.register(1)
    assert world.compare([answer(1, 学历="本科")]).comparison.undeclared == 1
    assert standing(world) == {}
    world.compare([answer(1, 学历="本科", 学历比对结果="一致")])
    assert standing(world) == {(number, "education"): ("match", "本科")}


@dataclass(frozen=True)
class Service:
    """A register on a network, as a source; `up` tells whether it answers."""

    up: bool
    name: str = "employment"
    version: str = "live"
    digest: str = ""
    items: tuple[FactItem, ...] = (FactItem.YEARS,)

    def answers(self, questions: Sequence[Question]) -> Iterable[Answer]:
        if not self.up:
            raise SourceUnreachableError("no answer")
        return [Answer(each.registration_id, FactItem.YEARS, each.declared[FactItem.YEARS]) for each in questions]


def test_a_register_that_does_not_answer_takes_no_answer_away(world: FactsWorld) -> None:
    first, second = world.declare(2)
    down = compare_sitting(world.context, ISSUER, world.sitting, Service(up=False))
    assert not down.reachable
    assert standing(world)[first, "years"] == ("unreachable", None)
    compare_sitting(world.context, ISSUER, world.sitting, Service(up=True))
    compare_sitting(world.context, ISSUER, world.sitting, Service(up=False))
    assert standing(world)[second, "years"] == ("match", "6")


@pytest.mark.parametrize(
    ("actor", "code"),
    [
        (STRANGER, "outside-own-programmes"),
        (staff("auditor", Role.AUDITOR), "role-missing"),
        (
            staff("city", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}), cities=frozenset({"郑州"})),
            "outside-own-city",
        ),
    ],
)
def test_who_may_compare(world: FactsWorld, tmp_path: Path, actor: Actor, code: str) -> None:
    world.declare(1)
    file = source_csv(tmp_path / "f.csv", agreeing([1]))
    with pytest.raises(NotAllowedError) as refused:
        compare_file(world.context, actor, world.sitting, "education", file)
    assert refused.value.code == code
    assert compare_file(world.context, BODY, world.sitting, "education", file).comparison.run_id == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "comparison-empty"),
        ("准考证号,姓名\n1,2\n".encode(), "comparison-header-missing"),
        ("准考证号,学历\n".encode(), "comparison-no-rows"),
        (b"\x00\x01\x02 no text", "roster-unreadable"),
        (b"PK\x03\x04 no zip", "roster-unreadable"),
    ],
)
def test_files_that_are_none(world: FactsWorld, tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        compare_file(world.context, ISSUER, world.sitting, "education", path)
    assert refused.value.code == code


def test_a_programme_that_compares_nothing_refuses_the_file(world: FactsWorld) -> None:
    world.policy()
    world.declare(1)
    with pytest.raises(InputError) as refused:
        world.compare(agreeing([1]))
    assert (refused.value.code, refused.value.clause) == ("nothing-to-compare", "R3")


def crowd(world: FactsWorld, count: int) -> Iterator[dict[str, str]]:
    """Many people with their declarations, written in bulk; a register that agrees with each."""
    now = world.context.clock.now()
    with world.context.database.write() as session:
        people = [
            Person(id_type="passport", id_index=f"{n:064}", id_no=f"P{n:08}", created_at=now) for n in range(count)
        ]
        session.add_all(people)
        session.flush()
        rows = [
            Registration(
                sitting_code=world.sitting,
                person_id=person.id,
                admission_no=admission_no(number),
                name="张三",
                name_index="0" * 64,
                basis="commitment",
                row_digest="0" * 64,
                imported_at=now,
            )
            for number, person in enumerate(people)
        ]
        session.add_all(rows)
        session.flush()
        write_facts(session, [(row.id, DECLARED) for row in rows], now)
    for number in range(count):
        yield answer(number, 学历="本科", 所学专业="土木工程", 工作年限="6")


def test_many_people_cost_a_bounded_number_of_statements(world: FactsWorld) -> None:
    """The cost of a person, in statements rather than seconds: a run over 400 needs no more than one over 15."""
    from sqlalchemy import event

    rows = list(crowd(world, 400))
    seen: list[str] = []
    event.listen(world.context.database.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    report = world.compare(rows)
    assert report.outcomes()["major"] == {"match": 400}
    assert len(seen) < 30, len(seen)
