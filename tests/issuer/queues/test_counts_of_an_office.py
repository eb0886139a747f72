"""Counts and lists of an office in which something of everything goes on are what the rules say case by case."""

from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.paper import keeping, worklists
from issuer.paper.standings import standing_of
from issuer.queues.filters import QueueFilter
from issuer.queues.open_cases import cases, state_of
from issuer.queues.reading import deadline_of, list_cases_of, list_queues
from issuer.records.certificates import ECertificate
from issuer.records.paper import PaperCertificate
from issuer.records.reviews import DefenceStatement
from issuer.review.late import _requests
from issuer.review.progress import progress_of_sittings
from issuer.roster.overview import list_sittings
from issuer.rules.paper_states import PaperQueue, queue_of
from issuer.rules.promises import Promise
from issuer.rules.queues import RULES, CaseKind, CaseState, WorkQueue, owning_queue
from issuer.rules.terms import Role
from tests.factories.model_office import ModelOffice
from tests.factories.world import AUDITOR, World

CITY = "东江"
REVIEWERS = tuple(
    Actor("reviewer", frozenset({Role.REVIEW_BODY}), "console", frozenset(programmes), frozenset(cities))
    for programmes, cities in ((("TEST",), ()), (("PAPER",), ()), (("TEST", "PAPER"), (CITY,)), (("OTHER",), ()))
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The model office, only read here."""
    world = ModelOffice(tmp_path_factory.mktemp("office")).world
    yield world
    world.close()


def one_by_one(world: World, actor: Actor) -> Counter[WorkQueue]:
    """How many cases each queue owns, every single one put to the rules."""
    found: Counter[WorkQueue | None] = Counter()
    with world.ctx.database.read() as session:
        for kind in CaseKind:
            if kind is not CaseKind.PAPER:
                found.update(owning_queue(state_of(kind, row)) for row in session.execute(cases(actor, kind)))
    return Counter({queue: count for queue, count in found.items() if queue})


@pytest.mark.parametrize("actor", [AUDITOR, *REVIEWERS], ids=["auditor", "one", "paper", "city", "stranger"])
def test_counts_and_the_oldest_are_those_of_the_cases(office: World, actor: Actor) -> None:
    wanted = one_by_one(office, actor)
    board = [row for row in list_queues(office.ctx, actor) if RULES[row.queue].kind is not CaseKind.PAPER]
    assert {row.queue: row.count for row in board} == {row.queue: wanted[row.queue] for row in board}
    for row in board:
        lines = list_cases_of(office.ctx, actor, row.queue, QueueFilter(), limit=1000)
        assert len(lines) == row.count
        assert row.oldest == min((line.since for line in lines), default=None)
        days = [line.deadline for line in lines if line.deadline]
        assert row.next_deadline == min(days, default=None)
        with office.ctx.database.read() as session:
            assert all(line.deadline == deadline_of(session, row.queue, line.sitting) for line in lines)


def test_the_office_has_work_in_most_queues(office: World) -> None:
    filled = {row.queue for row in list_queues(office.ctx, AUDITOR) if row.count}
    assert {RULES[queue].kind for queue in filled} >= set(CaseKind) - {CaseKind.CORRECTION}
    assert {WorkQueue.FIRST_ROUND, WorkQueue.PENDING, WorkQueue.DEFENCES} <= filled
    assert sum(one_by_one(office, REVIEWERS[2]).values()) > 0


def test_paper_is_counted_and_listed_as_each_sheet_stands(office: World) -> None:
    ctx = office.ctx
    with ctx.database.read() as session:
        sheets = session.scalars(select(PaperCertificate).where(PaperCertificate.slot == "live")).all()
        stands = Counter(queue_of(standing_of(ctx, session, sheet)) for sheet in sheets)
    counted = {row.queue: row.count for row in worklists.queues(ctx, AUDITOR)}
    assert counted == {queue: count for queue, count in stands.items() if queue is not PaperQueue.DONE}
    for queue in (queue for queue, rule in RULES.items() if rule.kind is CaseKind.PAPER):
        lines = list_cases_of(ctx, AUDITOR, queue, QueueFilter(), limit=1000)
        owned = [one for one in stands if owning_queue(CaseState(CaseKind.PAPER, one)) is queue]
        assert Counter(line.paper_queue for line in lines) == {str(one): stands[one] for one in owned}


@pytest.mark.parametrize("actor", [AUDITOR, *REVIEWERS], ids=["auditor", "one", "paper", "city", "stranger"])
def test_boxes_and_sittings_are_counted_within_reach(office: World, actor: Actor) -> None:
    ctx = office.ctx
    seen = {row.code: row for row in list_sittings(ctx, actor)}
    people = [row for row in office.registrations() if not actor.cities or row.city in actor.cities]
    sat = Counter(row.sitting_code for row in people)
    assert {code: row.registrations for code, row in seen.items()} == {code: sat[code] for code in seen}
    within = {row.id for row in people}
    with ctx.database.read() as session:
        made = session.scalars(select(ECertificate).where(ECertificate.state == "published")).all()
        paper = session.scalars(select(PaperCertificate).where(PaperCertificate.state.not_in(("spoiled", "void"))))
        issued = Counter(row.sitting_code for row in (*made, *paper) if row.registration_id in within)
        boxed = {
            code: Counter(label for paper, label in keeping.kept(session, code) if paper.registration_id in within)
            for code in seen
        }
    assert {code: row.certificates for code, row in seen.items()} == {code: issued[code] for code in seen}
    lines = {line.sitting: dict(line.boxes) for line in keeping.due_list(ctx, actor)}
    assert lines == {code: dict(count) for code, count in boxed.items() if count}


def test_requests_are_counted_alike_from_every_table_that_says_their_sitting(office: World) -> None:
    cities = frozenset(row.city for row in office.registrations())
    everywhere = Actor("reviewer", frozenset({Role.REVIEW_BODY}), "console", frozenset({"TEST", "PAPER"}), cities)
    sat = {row.id: row.sitting_code for row in office.registrations()}
    with office.ctx.database.read() as session:
        found = {code: sorted(rows) for code, rows in _requests(session, AUDITOR).items()}
        assert found == {code: sorted(rows) for code, rows in _requests(session, everywhere).items()}
        undecided = session.scalars(select(DefenceStatement).where(DefenceStatement.decided_at.is_(None))).all()
        waiting = Counter(sat[row.registration_id] for row in undecided)
    told = {code: sum(row[2] for row in rows if row[0] is Promise.DEFENCE) for code, rows in found.items()}
    assert {code: count for code, count in told.items() if count} == waiting
    for code, standing in progress_of_sittings(office.ctx, AUDITOR, sorted(set(sat.values()))).items():
        assert standing.open_defences == waiting[code]
