"""Invalidation by list names e-certificates, paper certificates, and registrations that led to neither (R9)."""

from pathlib import Path

from sqlalchemy import select

from issuer.invalidation import mass
from issuer.invalidation.mass_file import Defaults
from issuer.invalidation.mass_report import items_of
from issuer.records.paper import PaperCertificate
from issuer.records.people import Registration
from issuer.records.sittings import Sitting
from issuer.rules.terms import InvalidationGround
from tests.factories.paper_office import make_paper
from tests.factories.world import APPROVER, PROPOSER, World

BASIS = "监督检查发现不符合报考条件"
DEFAULTS = Defaults(InvalidationGround.INELIGIBLE_IN_SUPERVISION, BASIS)


def listing(folder: Path, *lines: str) -> Path:
    path = folder / "list.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def void(world: World) -> list[bool]:
    with world.ctx.database.read() as session:
        query = select(Registration.void_since).order_by(Registration.id)
        return [since is not None for since in session.scalars(query)]


def carried_out(world: World, path: Path) -> int:
    plan = mass.plan_many(world.ctx, PROPOSER, path, DEFAULTS)
    act = mass.propose_many(world.ctx, PROPOSER, path, DEFAULTS, plan.digest, background=False)
    assert act is not None
    mass.work(world.ctx, act)
    mass.decide_many(world.ctx, APPROVER, act, "approve", background=False)
    mass.work(world.ctx, act)
    return act


def test_r9_admission_numbers_where_nothing_was_issued(eligible_world: World, tmp_path: Path) -> None:
    world = eligible_world
    first, second, third = (row.admission_no for row in world.registrations()[:3])
    path = listing(tmp_path, "准考证号,考次", f"{first},{world.sitting}", f"{second},", f"{third},NO-SUCH", "999999,")
    plan = mass.plan_many(world.ctx, PROPOSER, path, DEFAULTS)
    assert [(line.effect, line.about) for line in plan.lines] == [
        ("invalidate", "score-report"),
        ("invalidate", "score-report"),
        ("refused", ""),
        ("refused", ""),
    ]
    assert {line.finding.code for line in plan.lines if line.finding} == {"certificate-not-found"}
    assert plan.touched.subjects == 4
    act = carried_out(world, path)
    assert [(item.management_no, item.result) for item in items_of(world.ctx, APPROVER, act)] == [
        (first, "done"),
        (second, "done"),
    ]
    assert void(world) == [True, True, *[False] * 6]
    again = mass.plan_many(world.ctx, PROPOSER, path, DEFAULTS)
    assert again.counts == {"invalidate": 0, "unchanged": 2, "refused": 2}
    assert world.issue().published == 6, "nothing is made for who fell"


def test_r9_paper_certificates_by_management_number_and_by_serial(eligible_world: World, tmp_path: Path) -> None:
    world = eligible_world
    make_paper(world)
    with world.ctx.database.read() as session:
        first, second, *_ = session.scalars(select(PaperCertificate).order_by(PaperCertificate.id)).all()
    path = listing(tmp_path, "管理号", first.management_no, second.serial.lower())
    plan = mass.plan_many(world.ctx, PROPOSER, path, DEFAULTS)
    assert [(line.effect, line.about, line.registration_id) for line in plan.lines] == [
        ("invalidate", "paper", first.registration_id),
        ("invalidate", "paper", second.registration_id),
    ]
    carried_out(world, path)
    with world.ctx.database.read() as session:
        states = session.scalars(select(PaperCertificate.state).order_by(PaperCertificate.id)).all()
    assert list(states[:3]) == ["void", "void", "available"]


def test_one_admission_number_in_two_sittings_is_told_apart_by_the_sitting(
    eligible_world: World, tmp_path: Path
) -> None:
    world = eligible_world
    with world.ctx.database.write() as session:
        one, other = session.scalars(select(Registration).order_by(Registration.id).limit(2)).all()
        sitting = session.get_one(Sitting, world.sitting)
        columns = {column.name: getattr(sitting, column.name) for column in Sitting.__table__.columns}
        session.add(Sitting(**columns | {"code": "OTHER-1"}))
        session.flush()
        other.sitting_code, other.admission_no = "OTHER-1", one.admission_no
        number = one.admission_no
    path = listing(tmp_path, "准考证号,考次", f"{number},", f"{number},OTHER-1")
    lines = mass.plan_many(world.ctx, PROPOSER, path, DEFAULTS).lines
    assert lines[0].finding is not None and lines[0].finding.code == "admission-no-ambiguous"
    assert (lines[1].effect, lines[1].registration_id) == ("invalidate", other.id)
