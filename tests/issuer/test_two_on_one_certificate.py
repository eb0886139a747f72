"""Two people act on one electronic certificate at the same moment, real keys and files, on both databases.

One wins and the other is told, or both are done one after the other; the register, the files and the audit trail say
the same afterwards. Ten times each.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from issuer.audit import verify_chain
from issuer.errors import ConflictError
from issuer.invalidation.service import approve, overturn, propose
from issuer.issuance.extension import extend_certificate
from issuer.issuance.intent import Intended, intend
from issuer.issuance.supersede import approve_supersession, refuse_supersession, supersede
from issuer.records.certificates import ECertificate
from issuer.records.corrections import Correction
from issuer.records.ledger import ARCHIVE, SealIntent
from issuer.records.reviews import EligibilityReview
from issuer.review.report import DecisionReport
from issuer.review.service import apply_decisions
from issuer.rules.terms import InvalidationGround, ReviewOutcome, ReviewRound, Role
from tests.factories.small_world import race, staff
from tests.factories.two_people import ROUNDS, one_winner
from tests.factories.world import APPROVER, PROPOSER, World
from tests.services.postgres import postgres_server
from verifier.record.verdict import Verdict

SECOND = staff("sun.approver", Role.AUTHORITY_APPROVER)
GROUND = InvalidationGround.INELIGIBLE_IN_SUPERVISION
BASIS = "示例：日常监管发现不符合报考条件。"
NAMES = "甲乙丙丁戊己庚辛壬癸"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Ten people found eligible, nothing issued yet; the tests below go on from one another, in their order."""
    url = str(request.getfixturevalue("module_postgres_url")) if request.param == "postgresql" else None
    made = World.eligible(tmp_path_factory.mktemp("two-people") / "data", ROUNDS, database_url=url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def module_postgres_url() -> str:
    """One database for the file."""
    return postgres_server().new_database()


def whole(world: World) -> None:
    """What must be so whoever was first: the chain, one live certificate each, files that are what the rows say."""
    with world.ctx.database.read() as session:
        assert verify_chain(session).intact
        live = session.scalars(select(ECertificate).where(ECertificate.slot == "live")).all()
    assert len({row.person_id for row in live}) == len(live)
    checker = world.checker()
    for row in world.certificates():
        by_file, by_token = checker.check_pdf(world.pdf(row)).verdict, checker.check_token(row.token).verdict
        assert by_file is by_token, row.status


def test_find_ineligible_and_issue(world: World, tmp_path: Path) -> None:
    """A certificate is begun and the finding refused, or found ineligible and nothing begun."""
    ctx, begun = world.ctx, 0
    for row, person in zip(world.registrations(), world.people, strict=True):
        file = tmp_path / f"found-{row.id}.csv"
        file.write_text(f"准考证号,核查结果,原因代码\n{person.admission_no},不合格,X\n", encoding="utf-8")
        made, found = race(
            lambda one=row.id: intend(ctx, PROPOSER, world.sitting, [one]),
            lambda file=file: apply_decisions(ctx, PROPOSER, world.sitting, ReviewRound.FIRST, content=file),
        )
        assert isinstance(made, Intended) and isinstance(found, DecisionReport), (made, found)
        with ctx.database.read() as session:
            outcome = session.scalar(
                select(EligibilityReview.outcome).where(EligibilityReview.registration_id == row.id)
            )
        if made.orders:
            assert ([line.code for line in found.findings], outcome) == (["certificate-exists"], "eligible")
            begun += 1
        else:
            assert (found.moved, outcome) == ({"不合格": 1}, ReviewOutcome.INELIGIBLE)
            assert [refused.code for refused in made.refused] == ["not-eligible"]
    with ctx.database.write() as session:  # the rest of this file needs everybody: no service leads back from R9
        for review in session.scalars(select(EligibilityReview)):
            review.outcome = ReviewOutcome.ELIGIBLE
    assert world.issue().published == ROUNDS, f"{begun} had been begun"
    whole(world)


def test_correct_and_refuse_the_correction(world: World) -> None:
    """Approved and made, or rejected and nothing made: never a successor of a rejected correction."""
    ctx = world.ctx
    for row, given in zip(world.certificates(), NAMES, strict=True):
        number = supersede(ctx, PROPOSER, row.management_no, f"赵{given}", "示例：公安机关出具的更正证明。")
        acts: list[Callable[[], object]] = [
            lambda number=number: approve_supersession(ctx, APPROVER, number),
            lambda number=number: refuse_supersession(ctx, SECOND, number),
        ]
        made = one_winner(*acts) == 0
        with ctx.database.read() as session:
            correction = session.get_one(Correction, number)
            successors = session.scalar(select(func.count()).where(ECertificate.supersedes_id == row.id))
            status = session.get_one(ECertificate, row.id).status
        assert (correction.state, successors, status) == (
            ("applied", 1, "superseded") if made else ("rejected", 0, "valid")
        )
    whole(world)


def test_extend_and_invalidate(world: World) -> None:
    """The file is renewed and then falls, or falls and is not renewed; every file stored is one that counts."""
    ctx = world.ctx
    valid = [row for row in world.certificates() if row.status == "valid"]
    assert len(valid) == ROUNDS
    for row in valid:
        case = propose(ctx, PROPOSER, row.management_no, GROUND, BASIS)
        extended, fell = race(
            lambda one=row.management_no: extend_certificate(ctx, PROPOSER, one),
            lambda case=case: approve(ctx, APPROVER, case),
        )
        assert not isinstance(fell, Exception), fell
        assert not isinstance(extended, Exception) or getattr(extended, "code", "") == "not-extendable", extended
        after = world.certificate(row.management_no)
        with ctx.database.read() as session:
            outcomes = session.scalars(
                select(SealIntent.outcome).where(SealIntent.certificate_id == row.id, SealIntent.seal_kid == ARCHIVE)
            ).all()
        renewed = not isinstance(extended, Exception)
        assert outcomes == ["sealed"] if renewed else outcomes in ([], ["lost"])
        assert (after.status, after.file_sha256 != row.file_sha256) == ("invalid", renewed)
        assert world.checker().check_pdf(world.pdf(after)).verdict is Verdict.INVALID
    kept = {row.file_key for row in world.certificates()}
    stored = set(ctx.storage.list("certificates"))
    assert kept <= stored
    whole(world)


def test_reinstate_and_correct(world: World) -> None:
    """A correction begins from the reinstated certificate or not at all; reinstating goes through."""
    ctx = world.ctx
    fallen = [row for row in world.certificates() if row.status == "invalid"]
    assert len(fallen) == ROUNDS
    for row, given in zip(fallen, NAMES, strict=True):
        case = overturn(ctx, PROPOSER, row.management_no, "示例：复核认定原决定有误。")
        reinstated, corrected = race(
            lambda case=case: approve(ctx, SECOND, case),
            lambda one=row.management_no, name=f"钱{given}": supersede(ctx, PROPOSER, one, name, "示例：更正证明。"),
        )
        assert not isinstance(reinstated, Exception), reinstated
        assert isinstance(corrected, int | ConflictError), corrected
        after = world.certificate(row.management_no)
        assert (after.status, after.slot) == ("valid", "live")
        with ctx.database.read() as session:
            waiting = session.scalars(
                select(Correction.id).where(Correction.certificate_id == row.id, Correction.state == "proposed")
            ).all()
        assert waiting == ([corrected] if isinstance(corrected, int) else [])
        if not waiting:
            supersede(ctx, PROPOSER, row.management_no, f"钱{given}", "示例：更正证明。")
    whole(world)


def test_correct_and_propose_to_invalidate(world: World) -> None:
    """One of the two is under way afterwards: a case on a valid certificate, or its successor."""
    ctx = world.ctx
    with ctx.database.read() as session:
        waiting = session.scalars(
            select(Correction).where(Correction.state == "proposed").order_by(Correction.id)
        ).all()
    assert len(waiting) == ROUNDS
    for correction in waiting:
        with ctx.database.read() as session:
            number = session.get_one(ECertificate, correction.certificate_id).management_no
        results = race(
            lambda one=correction.id: approve_supersession(ctx, APPROVER, one),
            lambda number=number: propose(ctx, PROPOSER, number, GROUND, BASIS),
        )
        after = world.certificate(number)
        with ctx.database.read() as session:
            state = session.get_one(Correction, correction.id).state
        assert (state, after.status, after.slot) in (
            ("applied", "superseded", "ended"),
            ("proposed", "valid", "live"),
        ), results
        assert all(isinstance(result, str | int | ConflictError) for result in results), results
        assert not all(isinstance(result, ConflictError) for result in results), results
    whole(world)
