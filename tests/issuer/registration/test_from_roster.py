"""What a roster may tell beside the scores, and that lists without these columns mean what they always meant."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

import issuer.records.registration  # noqa: F401 - its tables must be known before create_all
from issuer.clock import SHANGHAI
from issuer.records.registration import CommitmentAcceptance, DeclaredFact
from issuer.records.reviews import EligibilityReview
from tests.factories.roster_files import HEADS, Invented, invent, write_csv
from tests.issuer.roster.conftest import RosterWorld, codes
from tests.issuer.roster.conftest import world as roster_world  # noqa: F401 - a fixture

MORE = ("学历", "所学专业", "工作年限", "承诺书版本", "承诺时间", "是否本人承诺")
FULL = ("本科", "土木工程", "6", "2025-1", "2025-03-02 09:30", "是")


def roster(world: RosterWorld, rows: Sequence[tuple[Invented, Sequence[Any]]], heads: Sequence[str] = MORE) -> Path:
    lines = [[*person.cells(), *more] for person, more in rows]
    return write_csv(world.folder / f"roster-{len(heads)}.csv", [[*HEADS, *heads], *lines])


def declared(world: RosterWorld) -> dict[tuple[int, str], str]:
    with world.database.read() as session:
        return {(row.registration_id, row.item): row.value for row in session.scalars(select(DeclaredFact))}


def test_declarations_and_the_commitment_come_with_the_row(roster_world: RosterWorld) -> None:  # noqa: F811
    first, second, third = invent(3)
    file = roster(
        roster_world,
        [(first, FULL), (second, ("", "", "", "2025-1", "2025/3/2", "代办")), (third, ("", "", "", "", "", ""))],
    )
    assert codes(roster_world.take(file)) == {}
    ids = {number: row.id for number, row in roster_world.registrations().items()}
    own = ids[first.admission_no]
    assert declared(roster_world) == {(own, "education"): "本科", (own, "major"): "土木工程", (own, "years"): "6"}
    with roster_world.database.read() as session:
        kept = {row.registration_id: row for row in session.scalars(select(CommitmentAcceptance))}
    assert set(kept) == {own, ids[second.admission_no]}
    assert kept[own].accepted_at == datetime(2025, 3, 2, 9, 30, tzinfo=SHANGHAI)
    assert (kept[own].own, kept[ids[second.admission_no]].own) == (True, False)
    assert roster_world.take(file).unchanged == 3


def test_a_commitment_that_cannot_be_read_is_told_and_not_kept(roster_world: RosterWorld) -> None:  # noqa: F811
    people = invent(4)
    said = [("2025-1", ""), ("", "2025-03-02"), ("2025-1", "某日"), ("2025-1", "2035-03-02")]
    rows = [(person, ("什么班", "", "多年", *more, "")) for person, more in zip(people, said, strict=True)]
    report = roster_world.take(roster(roster_world, rows))
    assert report.imported == 4
    wanted = {"education_unknown", "years_form", "commitment_unusable"}
    assert all(wanted <= found for found in codes(report, "note").values())
    with roster_world.database.read() as session:
        assert session.scalars(select(CommitmentAcceptance)).all() == []


def test_a_list_without_the_columns_is_the_same_list_and_takes_nothing_away(
    roster_world: RosterWorld,  # noqa: F811
) -> None:
    (person,) = invent(1)
    bare = roster(roster_world, [(person, ())], heads=())
    digest = None
    for _ in range(2):
        roster_world.take(bare)
        (row,) = roster_world.registrations().values()
        assert digest in (None, row.row_digest)
        digest = row.row_digest
    assert roster_world.take(roster(roster_world, [(person, FULL)])).updated == 1
    assert roster_world.take(bare).updated == 1
    assert len(declared(roster_world)) == 3, "what was declared stays"


def test_what_a_review_looked_at_cannot_be_declared_otherwise_later(roster_world: RosterWorld) -> None:  # noqa: F811
    first, second = invent(2)
    roster_world.take(roster(roster_world, [(first, FULL), (second, ("",) * 6)]))
    with roster_world.database.write() as session:
        for review in session.scalars(select(EligibilityReview)):
            review.version = 1
    later = [(first, ("硕士", *FULL[1:])), (second, FULL)]
    report = roster_world.take(roster(roster_world, later))
    assert codes(report) == {2: {"already_reviewed"}}
    assert [finding.column for finding in report.findings if finding.level == "error"] == ["学历"]
    assert len(declared(roster_world)) == 6, "what nobody had declared may still follow"
