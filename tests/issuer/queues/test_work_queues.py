"""Every open case is in exactly one queue, and the lists, counts and claims agree about it."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.clock import SimulatedClock
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from issuer.queues import claims, review_desk
from issuer.queues.filters import QueueFilter, drop_filter, keep_filter, kept_filters
from issuer.queues.reading import list_cases_of, list_queues
from issuer.records.ledger import AuditEvent
from issuer.records.reviews import ReviewEvent
from issuer.records.work import CaseClaim
from issuer.rules.paper_states import PaperQueue
from issuer.rules.queues import (
    RULES,
    CaseKind,
    CaseState,
    WorkQueue,
    is_open,
    owning_queue,
    queues_of,
    visible_queues,
)
from issuer.rules.terms import ReviewOutcome, ReviewRound, Role
from tests.factories.office import Office, office_over
from tests.factories.review_desk import reopen_review
from tests.factories.world import World

STATES = {
    CaseKind.REVIEW: tuple(ReviewOutcome),
    CaseKind.PAPER: tuple(PaperQueue),
    CaseKind.OBJECTION: ("open", "closed"),
    CaseKind.INVALIDATION: ("proposed", "rejected", "withdrawn", "applied", "overturned"),
    CaseKind.CORRECTION: ("proposed", "approved", "applied", "rejected", "withdrawn", "abandoned"),
    CaseKind.REPLACEMENT: ("accepted", "refused", "fulfilled", "withdrawn", "rejected"),
    CaseKind.DATA_OBJECTION: ("open", "accepted", "declined", "withdrawn"),
}
CASES = st.sampled_from(list(CaseKind)).flatmap(
    lambda kind: st.builds(
        CaseState,
        st.just(kind),
        st.sampled_from([str(state) for state in STATES[kind]]),
        st.sampled_from(list(ReviewRound)),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    )
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(CASES)
def test_an_open_case_is_in_exactly_one_queue_and_a_closed_one_in_none(case: CaseState) -> None:
    found = queues_of(case)
    assert len(found) == (1 if is_open(case) else 0)
    assert owning_queue(case) == (found[0] if found else None)
    if found:
        assert RULES[found[0]].owners
        assert RULES[found[0]].kind is case.kind


def test_no_queue_is_out_of_reach_of_any_case_and_operators_see_none() -> None:
    filled = {
        owning_queue(CaseState(kind, str(state), round, approved, watching))
        for kind, states in STATES.items()
        for state in states
        for round in ReviewRound
        for approved in (False, True)
        for watching in (False, True)
    }
    assert filled - {None} == set(WorkQueue)
    assert visible_queues(frozenset({Role.OPERATOR})) == ()
    assert set(visible_queues(frozenset({Role.AUDITOR}))) == set(WorkQueue)


@pytest.fixture
def under_review(eligible_world: World) -> Iterator[Office]:
    """Staff over a world whose first round is under way."""
    reopen_review(eligible_world)
    with office_over(eligible_world) as office:
        yield office


def actor(office: Office, username: str, role: Role) -> Actor:
    """As the console would see the account."""
    own = frozenset({office.world.sitting.split("-")[0]}) if username == "reviewer" else frozenset[str]()
    return Actor(username, frozenset({role}), "console", own)


def test_counts_lists_and_deadlines_agree(under_review: Office) -> None:
    ctx, reviewer = under_review.world.ctx, actor(under_review, "reviewer", Role.REVIEW_BODY)
    board = {row.queue: row for row in list_queues(ctx, reviewer)}
    counts = {queue: row.count for queue, row in board.items() if row.count}
    assert counts == {
        WorkQueue.FIRST_ROUND: 5,
        WorkQueue.PENDING: 2,
        WorkQueue.DEFENCES: 1,
        WorkQueue.OBJECTIONS: 1,
    }
    for queue, count in counts.items():
        lines = list_cases_of(ctx, reviewer, queue, QueueFilter())
        assert len(lines) == count
        assert min(line.since for line in lines) == board[queue].oldest
        assert board[queue].next_deadline == lines[0].deadline
    assert board[WorkQueue.FIRST_ROUND].next_deadline is not None
    first = list_cases_of(ctx, reviewer, WorkQueue.FIRST_ROUND, QueueFilter(), limit=3)
    rest = list_cases_of(ctx, reviewer, WorkQueue.FIRST_ROUND, QueueFilter(), after=first[-1].id, limit=3)
    assert len({line.id for line in (*first, *rest)}) == 5
    stranger = Actor("stranger", frozenset({Role.REVIEW_BODY}), "console", frozenset({"OTHER"}))
    assert sum(row.count for row in list_queues(ctx, stranger)) == 0
    overdue = QueueFilter.of(due="overdue")
    assert list_cases_of(ctx, reviewer, WorkQueue.FIRST_ROUND, overdue) == []
    with pytest.raises(NotAllowedError):
        list_queues(ctx, Actor("operator", frozenset({Role.OPERATOR}), "console"))
    with pytest.raises(NotAllowedError):
        list_cases_of(ctx, reviewer, WorkQueue.INVALIDATIONS, QueueFilter())


def test_a_claim_shows_who_has_it_expires_and_is_taken_over_with_its_draft(under_review: Office) -> None:
    ctx = under_review.world.ctx
    reviewer, issuer = (
        actor(under_review, "reviewer", Role.REVIEW_BODY),
        actor(under_review, "issuer", Role.AUTHORITY_ISSUER),
    )
    supervisor = actor(under_review, "supervisor", Role.SUPERVISOR)
    case = claims.claim_next(ctx, reviewer, WorkQueue.FIRST_ROUND, QueueFilter())
    assert case is not None
    claims.save_draft(ctx, reviewer, CaseKind.REVIEW, case, "已电话核实学历")
    with pytest.raises(ConflictError, match="reviewer"):
        claims.claim(ctx, issuer, CaseKind.REVIEW, case)
    with pytest.raises(ConflictError, match="reviewer"):
        review_desk.decide(ctx, issuer, case, "find-eligible")
    assert claims.claim_next(ctx, issuer, WorkQueue.FIRST_ROUND, QueueFilter()) != case
    with pytest.raises(NotAllowedError):
        claims.take_over(ctx, issuer, CaseKind.REVIEW, case, to="issuer", reason="请假期间接手")
    with pytest.raises(InputError):
        claims.take_over(ctx, supervisor, CaseKind.REVIEW, case, to="issuer", reason="")
    with pytest.raises(InputError):
        claims.take_over(ctx, supervisor, CaseKind.REVIEW, case, to="auditor", reason="请假期间接手")
    claims.take_over(ctx, supervisor, CaseKind.REVIEW, case, to="issuer", reason="经办人请假")
    held = claims.show_claim(ctx, issuer, CaseKind.REVIEW, case)
    assert (held.holder, held.draft, held.draft_by) == ("issuer", "已电话核实学历", "reviewer")
    assert (held.taken_from, held.taken_by, held.taken_reason) == ("reviewer", "supervisor", "经办人请假")
    with pytest.raises(ConflictError, match="issuer"):
        review_desk.decide(ctx, reviewer, case, "find-eligible")
    with ctx.database.read() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.act == "case.take-over")).one()
        assert (event.actor, event.details["from"], event.details["to"]) == ("supervisor", "reviewer", "issuer")
        assert "请假" not in str(event.details)
    clock = under_review.world.clock
    assert isinstance(clock, SimulatedClock)
    clock.move_to(clock.today(), hour=1)  # it stood at midnight, and a hold lasts half an hour
    assert claims.show_claim(ctx, reviewer, CaseKind.REVIEW, case).holder is None
    with pytest.raises(ConflictError, match="占用已到期"):
        review_desk.decide(ctx, issuer, case, "find-eligible")
    claims.claim(ctx, reviewer, CaseKind.REVIEW, case)
    assert claims.show_claim(ctx, reviewer, CaseKind.REVIEW, case).draft == "已电话核实学历"


def test_a_decision_ends_the_claim_and_says_what_the_candidate_reads(under_review: Office) -> None:
    ctx, reviewer = under_review.world.ctx, actor(under_review, "reviewer", Role.REVIEW_BODY)
    case = claims.claim_next(ctx, reviewer, WorkQueue.FIRST_ROUND, QueueFilter()) or 0
    with pytest.raises(InputError, match="原因"):
        review_desk.decide(ctx, reviewer, case, "find-ineligible", "", "")
    facts = review_desk.show_review(ctx, reviewer, case)
    assert facts.name in [person.name for person in under_review.world.people]
    assert "*" in facts.id_masked
    review_desk.decide(ctx, reviewer, case, "find-ineligible", "years-not-met", "差两个月")
    with ctx.database.read() as session:
        event = session.scalars(
            select(ReviewEvent).where(ReviewEvent.registration_id == case).order_by(ReviewEvent.version.desc())
        ).first()
        assert event is not None
        assert (event.outcome_after, event.reason_code) == ("ineligible", "years-not-met")
        assert event.note == "从事相关工作年限不足。 差两个月"
        claim = session.get_one(CaseClaim, ("review", case))
        assert (claim.holder, claim.draft) == (None, None)
    with pytest.raises(NotFoundError):
        claims.claim(ctx, reviewer, CaseKind.REVIEW, case)


def test_filters_are_kept_shared_and_dropped_by_their_owner_only(under_review: Office) -> None:
    ctx, reviewer = under_review.world.ctx, actor(under_review, "reviewer", Role.REVIEW_BODY)
    issuer = actor(under_review, "issuer", Role.AUTHORITY_ISSUER)
    queue, chosen = WorkQueue.FIRST_ROUND, QueueFilter.of(sitting=under_review.world.sitting, hold="free", due="x")
    assert chosen == QueueFilter(under_review.world.sitting, "", "free", "")
    assert QueueFilter.parse(chosen.query) == chosen
    own = keep_filter(ctx, reviewer, queue, chosen, "可领取", shared=False)
    shared = keep_filter(ctx, reviewer, queue, chosen, "=共享", shared=True)
    assert [row.id for row in kept_filters(ctx, issuer, queue)] == [shared]
    assert {row.id for row in kept_filters(ctx, reviewer, queue)} == {own, shared}
    assert all(row.address.endswith(chosen.query) for row in kept_filters(ctx, reviewer, queue))
    with pytest.raises(NotFoundError):
        drop_filter(ctx, issuer, shared)
    drop_filter(ctx, reviewer, shared)
    assert kept_filters(ctx, issuer, queue) == []
