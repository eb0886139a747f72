"""Who gets no certificate, and what is left of one that was stopped half-way."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

import issuer.issuance.preflight
import issuer.issuance.press
from issuer.audit import verify_chain
from issuer.context import Context
from issuer.errors import ConflictError, NotAllowedError, NotFoundError
from issuer.issuance.batches import cancel_batch
from issuer.issuance.facts import load_examination, qualification_of
from issuer.issuance.lock import exclusive
from issuer.issuance.service import issue_sitting, preview_issue
from issuer.records.certificates import Batch, BatchItem, ECertificate
from issuer.records.holdings import lock_holding
from issuer.records.ledger import SealIntent
from issuer.records.people import Registration, Score
from issuer.records.reviews import EligibilityReview, Objection
from issuer.records.sittings import Sitting
from tests.factories.world import AUDITOR, PROPOSER, World
from verifier.record.verdict import Verdict


def change(world: World, table: type, registration_id: int, **values: object) -> None:
    """Change one registration's row in a table behind the services' back."""
    key = table.id if table is Registration else table.registration_id
    with world.ctx.database.write() as session:
        session.execute(update(table).where(key == registration_id).values(values))


def object_to(world: World, registration_id: int) -> int:
    """An open objection to one registration."""
    with world.ctx.database.write() as session:
        row = Objection(
            sitting_code=world.sitting,
            registration_id=registration_id,
            text="示例异议",
            raised_at=world.clock.now(),
            raised_by="somebody",
        )
        session.add(row)
        session.flush()
        return row.id


def test_the_law_is_asked_for_each_person(eligible_world: World) -> None:
    first, second, third, fourth, fifth, *rest = (row.id for row in eligible_world.registrations())
    change(eligible_world, EligibilityReview, first, outcome="ineligible")
    change(eligible_world, EligibilityReview, second, outcome="deemed-waived")
    change(eligible_world, Score, third, passed=False)
    change(eligible_world, Registration, fourth, void_since=eligible_world.clock.now())
    object_to(eligible_world, fifth)
    report = eligible_world.issue()
    assert report.published == len(rest)
    assert [(each.registration, each.code, each.clause) for each in report.refused] == [
        (first, "not-eligible", "R4"),
        (second, "deemed-waived", "R7"),
        (third, "not-passed", "R4"),
        (fourth, "registration-void", "R9"),
        (fifth, "objection-open", "R5"),
    ]
    assert len(eligible_world.certificates("draft")) == 0


def test_nothing_is_issued_while_the_notice_stands(eligible_world: World) -> None:
    with eligible_world.ctx.database.write() as session:
        sitting = session.get_one(Sitting, eligible_world.sitting)
        sitting.notice_closes_on = eligible_world.clock.today()
    report = eligible_world.issue()
    assert report.published == 0
    assert {each.code for each in report.refused} == {"notice-not-closed"}


def test_a_character_without_a_glyph_is_refused_before_a_number_is_spent(
    eligible_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer.issuance.preflight, "missing_glyphs", lambda text: ("𠮷",) if "𠮷" in text else ())
    report = eligible_world.issue()
    (refused,) = report.refused
    assert refused.code == "glyph-missing"
    with eligible_world.ctx.database.read() as session:
        assert session.scalars(select(ECertificate).where(ECertificate.state != "published")).all() == []


def test_an_objection_raised_while_sealing_stops_publication_for_good(eligible_world: World) -> None:
    number = eligible_world.registrations()[0].id

    def raise_it(step: str) -> None:
        if step == "recorded":
            object_to(eligible_world, number)

    report = issue_sitting(eligible_world.ctx, PROPOSER, eligible_world.sitting, 1, observe=raise_it)
    assert [(each.registration, each.code) for each in report.refused] == [(number, "objection-open")]
    (abandoned,) = eligible_world.certificates("abandoned")
    assert eligible_world.checker().check_token(abandoned.token).verdict is Verdict.NOT_FOUND
    assert abandoned.file_sha256 is not None and abandoned.file_key is None, "sealed, and its file is gone"
    kept = eligible_world.ctx.storage.list("certificates")
    assert kept == tuple(sorted(row.file_key or "" for row in eligible_world.certificates()))

    with eligible_world.ctx.database.write() as session:
        session.execute(update(Objection).values(resolved_at=eligible_world.clock.now(), upheld=False))
    assert eligible_world.issue().published == 1
    numbers = [row.management_no for row in eligible_world.certificates()]
    assert abandoned.management_no not in numbers
    assert len(numbers) == 8


def test_a_draft_whose_review_has_turned_is_abandoned_before_a_key_is_used(eligible_world: World) -> None:
    class Stop(Exception):
        pass

    def stop(step: str) -> None:
        if step == "intended":
            raise Stop

    with pytest.raises(Stop):
        issue_sitting(eligible_world.ctx, PROPOSER, eligible_world.sitting, 1, observe=stop)
    number = eligible_world.registrations()[0].id
    change(eligible_world, EligibilityReview, number, outcome="ineligible")
    report = eligible_world.issue()
    assert (report.published, [each.code for each in report.refused]) == (7, ["not-eligible"])
    (abandoned,) = eligible_world.certificates("abandoned")
    with eligible_world.ctx.database.read() as session:
        intents = session.scalars(select(SealIntent).where(SealIntent.certificate_id == abandoned.id)).all()
    assert [intent.sealed_sha256 for intent in intents] == [None]


def test_a_page_that_shows_another_name_is_never_published(
    eligible_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = issuer.issuance.press.render

    def mixed_up(page: object) -> bytes:
        import dataclasses

        return draw(dataclasses.replace(page, name="李四"))  # type: ignore[type-var]

    monkeypatch.setattr(issuer.issuance.press, "render", mixed_up)
    report = eligible_world.issue()
    assert report.published == 0
    assert {each.code for each in report.refused} == {"page-differs-from-record"}
    monkeypatch.undo()
    drafts = {row.token for row in eligible_world.certificates("draft")}
    assert eligible_world.issue().published == 8
    assert {row.token for row in eligible_world.certificates()} == drafts


def test_a_seal_the_public_check_refuses_is_never_published(
    eligible_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = eligible_world.ctx.room()
    seal = room.seal_pdf
    monkeypatch.setattr(room, "seal_pdf", lambda pdf, *, level: seal(pdf, level=level) + b"\n% one line more\n")
    report = eligible_world.issue()
    assert report.published == 0
    assert {each.code for each in report.refused} == {"seal-check-failed"}


def test_an_open_paper_request_holds_the_certificate_back(eligible_world: World) -> None:
    registration = eligible_world.registrations()[0]
    with eligible_world.ctx.database.write() as session:
        qualification = qualification_of(load_examination(session, eligible_world.sitting), registration)
        lock_holding(session, registration.person_id, qualification).paper_replacement_open = True
    report = eligible_world.issue()
    assert [(each.code, each.clause) for each in report.refused] == [("paper-replacement-open", "R14")]


def test_a_plan_is_held_to_its_digest(eligible_world: World) -> None:
    plan = preview_issue(eligible_world.ctx, PROPOSER, eligible_world.sitting)
    assert (len(plan.new), plan.refused) == (8, ())
    number = eligible_world.registrations()[0].id
    change(eligible_world, EligibilityReview, number, outcome="ineligible", version=9)
    with pytest.raises(ConflictError, match="moved"):
        issue_sitting(eligible_world.ctx, PROPOSER, eligible_world.sitting, 1, expected_digest=plan.digest)
    with eligible_world.ctx.database.read() as session:
        assert session.scalars(select(Batch)).all() == []
    fresh = preview_issue(eligible_world.ctx, PROPOSER, eligible_world.sitting)
    report = issue_sitting(eligible_world.ctx, PROPOSER, eligible_world.sitting, 1, expected_digest=fresh.digest)
    assert report.published == 7


def test_a_cancelled_batch_stops_and_the_next_one_goes_on(eligible_world: World) -> None:
    def cancel(step: str) -> None:
        if step == "recorded":
            cancel_batch(eligible_world.ctx, PROPOSER, 1)

    report = issue_sitting(eligible_world.ctx, PROPOSER, eligible_world.sitting, 1, observe=cancel)
    assert (report.cancelled, report.published) == (True, 0)
    with eligible_world.ctx.database.read() as session:
        assert set(session.scalars(select(BatchItem.result))) == {"cancelled"}
    assert eligible_world.issue().published == 8


def test_two_issues_of_one_sitting_do_not_run_at_once(eligible_world: World) -> None:
    ctx = eligible_world.ctx
    with (
        exclusive(ctx.settings, ctx.database, f"sitting/{eligible_world.sitting}"),
        pytest.raises(ConflictError, match="running"),
    ):
        eligible_world.issue()
    outcomes: list[object] = []

    def run(context: Context) -> None:
        try:
            outcomes.append(issue_sitting(context, PROPOSER, eligible_world.sitting, 1).published)
        except ConflictError as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=run, args=(ctx,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome for outcome in outcomes if isinstance(outcome, int)) == 8
    assert len(eligible_world.certificates()) == 8


def test_only_the_issuing_authority_issues(eligible_world: World) -> None:
    with pytest.raises(NotAllowedError):
        issue_sitting(eligible_world.ctx, AUDITOR, eligible_world.sitting, 1)
    with pytest.raises(NotFoundError):
        issue_sitting(eligible_world.ctx, PROPOSER, "NO-SUCH-SITTING", 1)


def test_every_step_stands_in_the_audit_trail(issued_world: World) -> None:
    from issuer.records.ledger import AuditEvent

    with issued_world.ctx.database.read() as session:
        assert verify_chain(session).intact
        acts = list(session.scalars(select(AuditEvent.act).where(AuditEvent.act.like("certificate.%"))))
    assert {act: acts.count(act) for act in set(acts)} == {
        "certificate.intent": 8,
        "certificate.seal": 8,
        "certificate.publish": 8,
    }


def test_numbers_of_the_world_are_the_pattern_s(issued_world: World) -> None:
    from issuer.rules.numbering import parse_pattern

    pattern = parse_pattern("{year}{region:02}{specialty:02}{serial:06}{check}")
    assert all(pattern.accepts(row.management_no) for row in issued_world.certificates())


def test_a_clock_behind_the_approval_refuses(eligible_world: World) -> None:
    with eligible_world.ctx.database.write() as session:
        session.get_one(Sitting, eligible_world.sitting).approved_on = eligible_world.clock.today() + timedelta(
            days=1
        )
    assert {each.code for each in eligible_world.issue().refused} == {"approval-in-future"}


def test_a_name_the_qr_cannot_hold_is_refused_before_a_number_is_spent(eligible_world: World) -> None:
    first, second, *_ = eligible_world.registrations()
    change(eligible_world, Registration, first.id, name="艾" * 40)
    change(eligible_world, Registration, second.id, name="阿卜杜热依木·买买提明·伊斯拉木·穆萨")
    report = eligible_world.issue()
    assert [(each.registration, each.code) for each in report.refused] == [(first.id, "name-too-long-for-qr")]
    assert eligible_world.certificates("draft") == []


def test_a_seal_on_another_page_is_never_published(
    eligible_world: World, issued_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    anothers = issued_world.pdf(issued_world.certificates()[0])
    monkeypatch.setattr(eligible_world.ctx.room(), "seal_pdf", lambda pdf, *, level: anothers)
    report = eligible_world.issue()
    assert report.published == 0
    assert {each.code for each in report.refused} == {"page-differs-from-record"}
