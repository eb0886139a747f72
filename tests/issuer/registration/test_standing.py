"""Where facts stand and what that does to a review: nothing asked twice (R15), nobody eligible in silence (R3)."""

from datetime import date
from pathlib import Path

from sqlalchemy import select

from issuer.access.actor import SYSTEM
from issuer.errors import ConflictError
from issuer.holders.sign_in import Holder
from issuer.records.ledger import AuditEvent
from issuer.records.people import Registration
from issuer.records.registration import Material
from issuer.records.reviews import EligibilityReview
from issuer.registration import materials
from issuer.registration.dossier import Dossier, load_dossiers
from issuer.registration.from_roster import write_facts
from issuer.registration.progress import facts_progress, who_owes
from issuer.review.moves import Moves, Step, move_reviews
from issuer.review.service import apply_decisions, decide_all_eligible
from issuer.review.sitting import open_sitting
from issuer.rules.comparison import FactItem
from issuer.rules.materials import MaterialKind
from issuer.rules.review import ReviewAction
from issuer.rules.terms import ReviewRound, Role
from tests.factories.registration_facts import (
    BODY,
    DECLARED,
    ISSUER,
    FactsWorld,
    a_picture,
    agreeing,
    answer,
)
from tests.factories.small_world import admission_no, staff

CERTIFICATE = MaterialKind.EDUCATION_CERTIFICATE


def dossier(world: FactsWorld, number: int, sitting: str | None = None, on: date | None = None) -> Dossier:
    with world.context.database.read() as session:
        found = open_sitting(session, SYSTEM, sitting or world.sitting)
        return load_dossiers(session, found, [number], on or world.context.clock.today())[number]


def why(world: FactsWorld, number: int, sitting: str | None = None) -> dict[str, str]:
    return {each.item.value: each.why.value for each in dossier(world, number, sitting).judgements}


def hand_in(world: FactsWorld, number: int, kind: MaterialKind = CERTIFICATE) -> int:
    person = world.person(number)
    actor = Holder(person, "csrf").actor
    return materials.hand_in(world.ctx, person, actor, number, kind, "证书.jpg", a_picture())


def find(world: FactsWorld, *steps: Step) -> Moves:
    with world.context.database.write() as session:
        sitting = open_sitting(session, BODY, world.sitting)
        return move_reviews(session, world.context.clock, BODY, sitting, steps)


def eligible(number: int, reason: str | None = None) -> Step:
    return Step(number, ReviewAction.FIND_ELIGIBLE, reason)


def test_asked_only_for_what_no_register_confirms(world: FactsWorld) -> None:
    first, second, third = world.declare(3)
    world.compare([*agreeing([1]), answer(2, 学历="大专", 所学专业="会计", 工作年限="7")])
    assert why(world, first) == {"education": "compared", "major": "compared", "years": "compared"}
    assert why(world, second) == {"education": "differs", "major": "differs", "years": "compared"}
    assert set(why(world, third).values()) == {"not-compared"}
    (asked,) = dossier(world, second).missing
    assert (asked.kind, asked.items) == (CERTIFICATE, (FactItem.EDUCATION, FactItem.MAJOR))
    assert asked.due_on == date(2025, 9, 20)
    assert dossier(world, first).missing == dossier(world, third).missing == ()


def test_nobody_is_found_eligible_in_silence_by_any_way(world: FactsWorld, tmp_path: Path) -> None:
    ids = world.declare(4)
    first, second, third, fourth = ids
    world.compare([*agreeing([1]), *(answer(number, 工作年限="1") for number in (2, 3, 4))])
    done = find(world, *(eligible(number) for number in ids))
    assert set(done.moved) == {first}
    assert {refusal.code for refusal in done.refused.values()} == {"materials-open"}
    assert {refusal.clause for refusal in done.refused.values()} == {"R3"}
    file = tmp_path / "decisions.csv"
    rows = [f"{admission_no(2)},合格,", f"{admission_no(3)},合格,originals-seen"]
    file.write_text("\n".join(["准考证号,核查结果,原因代码", *rows]), encoding="utf-8")
    report = apply_decisions(world.context, BODY, world.sitting, ReviewRound.FIRST, content=file)
    assert {finding.row: finding.code for finding in report.findings} == {2: "materials-open"}
    assert report.moved == {"合格": 1}
    everybody = decide_all_eligible(world.context, BODY, world.sitting, ReviewRound.FIRST)
    assert (everybody.rows, everybody.refused, everybody.moved) == (2, 2, {"合格": 0})
    assert set(find(world, Step(fourth, ReviewAction.HOLD_PENDING)).moved) == {fourth}, "waiting needs no reason"
    assert set(find(world, eligible(second, "verified-otherwise")).moved) == {second}
    with world.context.database.read() as session:
        assert session.get_one(EligibilityReview, third).reason_code == "originals-seen"


def test_uncompared_items_block_where_the_policy_says_so(world: FactsWorld) -> None:
    first, second = world.declare(2)
    assert set(find(world, eligible(first)).moved) == {first}
    world.policy(comparison_items=["education"], uncompared_blocks=True)
    refusal = find(world, eligible(second)).refused[second]
    assert (refusal.code, refusal.clause) == ("comparison-open", "R3")
    world.compare([answer(2, 学历="本科")])
    assert set(find(world, eligible(second)).moved) == {second}


def test_found_eligible_on_what_was_handed_in_accepts_it(world: FactsWorld) -> None:
    (number,) = world.declare(1)
    world.compare([answer(1, 学历="大专", 所学专业="土木工程", 工作年限="6")])
    material = hand_in(world, number)
    assert dossier(world, number).missing == ()
    assert set(find(world, eligible(number)).moved) == {number}
    with world.context.database.read() as session:
        row = session.get_one(Material, material)
        assert (row.state, row.decided_by) == ("accepted", "body")
        event = session.scalars(select(AuditEvent).where(AuditEvent.act == "material.accept")).one()
    assert (event.subject, event.clause) == (f"registration:{number}", "R3")


def test_nothing_is_asked_twice_across_sittings(world: FactsWorld) -> None:
    by_data, by_paper, refused, other = world.declare(4)
    world.compare(
        [
            *agreeing([1]),
            answer(2, 学历="", 所学专业="土木工程", 工作年限="6"),
            answer(3, 学历="", 所学专业="土木工程", 工作年限="6"),
            *agreeing([4]),
        ]
    )
    hand_in(world, by_paper)
    find(world, eligible(by_paper))
    materials.judge(world.ctx, BODY, hand_in(world, refused), accepted=False, note="看不清，请重新提交。")
    code = "EJJZ-2026-1"
    again = {number: world.again(number, code) for number in (by_data, by_paper, refused)}
    changed = world.again(other, code, DECLARED | {FactItem.MAJOR: "工程管理", FactItem.YEARS: "7"})
    world.context.clock.move_to(date(2026, 9, 10))  # type: ignore[attr-defined]
    assert set(why(world, again[by_data], code).values()) == {"known-compared"}
    assert why(world, again[by_paper], code)["education"] == "known-material"
    assert why(world, again[refused], code)["education"] == "not-compared", "a declined paper proves nothing"
    assert why(world, changed, code) == {
        "education": "known-compared",
        "major": "not-compared",
        "years": "not-compared",
    }, "another declaration is another fact"
    known = dossier(world, again[by_paper], code).judgements[0].known
    assert known is not None
    assert known.sitting == world.sitting
    world.compare([{"准考证号": f"42{by_data:010}", "学历": "", "所学专业": "会计", "工作年限": ""}], sitting=code)
    assert why(world, again[by_data], code) == {
        "education": "known-compared",
        "major": "differs",
        "years": "known-compared",
    }, "disagreement now outweighs what was known, ignorance does not"
    world.policy(comparison_items=["education"], known_fact_days=30)
    assert why(world, again[by_paper], code) == {"education": "not-compared"}, "and it counts for its days"


def test_a_registration_that_fell_proves_nothing_later(world: FactsWorld) -> None:
    (number,) = world.declare(1)
    world.compare(agreeing([1]))
    with world.context.database.write() as session:
        session.get_one(Registration, number).void_since = world.context.clock.now()
    again = world.again(number, "EJJZ-2026-1")
    assert set(why(world, again, "EJJZ-2026-1").values()) == {"not-compared"}


def test_a_declaration_that_changed_must_be_compared_anew(world: FactsWorld) -> None:
    (number,) = world.declare(1)
    world.compare(agreeing([1]))
    with world.context.database.write() as session:
        write_facts(session, [(number, {FactItem.YEARS: "9"})], world.context.clock.now(), anew=True)
    assert why(world, number) == {"education": "compared", "major": "compared", "years": "not-compared"}
    world.compare(agreeing([1]))
    assert why(world, number)["years"] == "differs"


def test_on_evidence_or_without_commitment_everything_unconfirmed_is_asked(world: FactsWorld) -> None:
    first, second = world.declare(2)
    with world.context.database.write() as session:
        session.get_one(Registration, first).basis = "evidence"
    world.compare([answer(1, 学历="本科")])
    assert why(world, first) == {"education": "compared", "major": "on-evidence", "years": "on-evidence"}
    world.policy(comparison_items=["education", "years"], commitment_required=True)
    assert set(why(world, second).values()) == {"no-commitment"}
    assert {asked.due_on for asked in dossier(world, second).missing} == {date(2025, 9, 11)}


def test_a_declined_paper_is_asked_for_from_that_day(world: FactsWorld) -> None:
    (number,) = world.declare(1)
    world.compare([answer(1, 学历="大专")])
    material = hand_in(world, number)
    world.context.clock.move_to(date(2025, 9, 18))  # type: ignore[attr-defined]
    materials.judge(world.ctx, BODY, material, accepted=False, note="不是本人的证书。")
    (asked,) = dossier(world, number).missing
    assert asked.due_on == date(2025, 9, 28)


def test_progress_counts_within_reach_and_lists_who_owes(world: FactsWorld) -> None:
    world.declare(2)
    ids = world.register(1, city="郑州")
    world.compare([*agreeing([1]), answer(2, 学历="大专", 所学专业="土木工程", 工作年限="6")])
    stands = facts_progress(world.context, ISSUER, world.sitting)
    assert (stands.people, stands.outcomes["education"]) == (3, {"match": 1, "differs": 1})
    owing = who_owes(world.context, BODY, world.sitting)
    assert [(row.admission_no, row.missing) for row in owing] == [
        (admission_no(2), ("education-certificate",)),
        (admission_no(3), ()),
    ]
    assert owing[1].waiting == ("education", "major", "years")
    city = staff("city", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}), cities=frozenset({"郑州"}))
    assert facts_progress(world.context, city, world.sitting).people == 1
    assert [row.registration_id for row in who_owes(world.context, city, world.sitting)] == ids


def test_a_programme_that_compares_nothing_is_as_it_was(world: FactsWorld) -> None:
    world.policy()
    (number,) = world.register(1)
    assert dossier(world, number).judgements == ()
    assert set(find(world, eligible(number)).moved) == {number}
    assert who_owes(world.context, BODY, world.sitting) == []


def test_a_refusal_is_a_conflict_and_says_what_to_do(world: FactsWorld) -> None:
    (number,) = world.declare(1)
    world.compare([answer(1, 学历="大专")])
    refusal = find(world, eligible(number)).refused[number]
    assert isinstance(refusal, ConflictError)
    assert "verified-otherwise" in refusal.words.en


def test_what_nobody_declared_is_no_fact_an_earlier_sitting_proved(world: FactsWorld) -> None:
    (number,) = world.register(1)
    world.compare([answer(1, 学历比对结果="一致")])
    assert why(world, number)["education"] == "compared"
    again = world.again(number, "EJJZ-2026-1", {})
    assert why(world, again, "EJJZ-2026-1")["education"] == "not-compared"
