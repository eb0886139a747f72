"""A case in somebody's hands is decided by nobody else, by spreadsheet, API or page, until it is taken over."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.errors import ConflictError, Words
from issuer.invalidation.service import approve, propose, reject, withdraw
from issuer.issuance.supersede import approve_supersession, refuse_supersession, supersede
from issuer.queues import claims
from issuer.records.holder_requests import DataObjection
from issuer.records.reviews import EligibilityReview, Objection
from issuer.records.work import CaseClaim
from issuer.review.decisions import apply_decisions, decide_all_eligible
from issuer.review.rounds import close_first_round, lapse_supplementary
from issuer.review.statements import Candidate, decide_defence, resolve_objection
from issuer.rules.queues import CaseKind
from issuer.rules.terms import Role
from tests.factories.office import Office
from tests.factories.review_desk import reopen_review

BASIS = "经核实不符合报考条件"


@pytest.fixture
def office(office: Office) -> Office:
    """Five reviews await the first round, two are pending, one defence and one objection are open."""
    reopen_review(office.world)
    return office


def staff(username: str, *roles: Role) -> Actor:
    return Actor(username, frozenset(roles), "api", frozenset({"TEST", "EJJZ"}))


ISSUER = staff("issuer", Role.AUTHORITY_ISSUER)
REVIEWER = staff("reviewer", Role.AUTHORITY_ISSUER)
CHIEF, SECOND = staff("approver", Role.AUTHORITY_APPROVER), staff("second", Role.AUTHORITY_APPROVER)
SUPERVISOR = staff("supervisor", Role.SUPERVISOR)


def held(act: Callable[[], object], by: str) -> None:
    """Refused, naming who has it and until when."""
    with pytest.raises(ConflictError) as refused:
        act()
    assert refused.value.code == "case-held"
    assert by in refused.value.words.zh and "至 " in refused.value.words.zh and "监督" in str(refused.value.remedy)


def outcomes(office: Office) -> list[str]:
    with office.world.ctx.database.read() as session:
        query = select(EligibilityReview.outcome).order_by(EligibilityReview.registration_id)
        return list(session.scalars(query))


def test_rows_of_a_spreadsheet_that_are_in_hand_come_back_and_the_others_go_through(
    office: Office, tmp_path: Path
) -> None:
    world, ctx = office.world, office.world.ctx
    rows = world.registrations()
    claims.claim(ctx, REVIEWER, CaseKind.REVIEW, rows[1].id)
    claims.claim(ctx, ISSUER, CaseKind.REVIEW, rows[2].id)
    path = tmp_path / "decisions.csv"
    lines = [f"{row.admission_no},不合格,years-short" for row in rows[:3]]
    path.write_text("\n".join(["准考证号,核查结果,原因代码", *lines]), encoding="utf-8")
    tried = apply_decisions(ctx, ISSUER, world.sitting, "first", content=path, dry_run=True)
    assert [finding.code for finding in tried.findings] == ["case-held"], "the dry run says so already"
    done = apply_decisions(ctx, ISSUER, world.sitting, "first", content=path)
    (finding,) = done.findings
    assert (finding.row, finding.code) == (3, "case-held") and "reviewer" in finding.message.zh
    assert outcomes(office)[:4] == ["ineligible", "awaiting", "ineligible", "awaiting"]
    with ctx.database.read() as session:
        mine = session.get_one(CaseClaim, ("review", rows[2].id))
        theirs = session.get_one(CaseClaim, ("review", rows[1].id))
    assert (mine.holder, theirs.holder) == (None, "reviewer"), (
        "what was decided is let go, what was not is still held"
    )
    claims.take_over(ctx, SUPERVISOR, CaseKind.REVIEW, rows[1].id, to="issuer", reason="经办人请假")
    again = apply_decisions(ctx, ISSUER, world.sitting, "first", content=path)
    assert again.findings == () and outcomes(office)[1] == "ineligible"


def test_deciding_all_leaves_what_is_in_hand_and_the_calendar_waits_for_nobody(office: Office) -> None:
    world, ctx = office.world, office.world.ctx
    rows = world.registrations()
    claims.claim(ctx, REVIEWER, CaseKind.REVIEW, rows[0].id)
    done = decide_all_eligible(ctx, ISSUER, world.sitting, "first")
    assert [finding.code for finding in done.findings] == ["case-held"] and sum(done.moved.values()) == 4
    assert outcomes(office)[:5] == ["awaiting", *["eligible"] * 4]
    claims.claim(ctx, REVIEWER, CaseKind.REVIEW, rows[5].id)
    world.clock.move_to(world.clock.today() + timedelta(days=366))  # type: ignore[attr-defined]
    assert close_first_round(ctx, ISSUER, world.sitting).moved == 1
    claims.claim(ctx, REVIEWER, CaseKind.REVIEW, rows[5].id)
    assert lapse_supplementary(ctx, ISSUER, world.sitting).moved >= 2
    assert outcomes(office)[5] == "deemed-waived"


def test_no_decision_of_any_kind_passes_a_claim_until_it_is_taken_over(office: Office) -> None:
    world, ctx = office.world, office.world.ctx
    certificates, rows = world.certificates(), world.registrations()
    with ctx.database.write() as session:
        objection = session.scalars(select(Objection)).one().id
        data = DataObjection(
            person_id=rows[0].person_id,
            registration_id=rows[0].id,
            matter="name",
            text="姓名用字有误",
            state="open",
            filed_at=ctx.clock.now(),
        )
        session.add(data)
        session.flush()
        wrong = data.id
    case = propose(ctx, ISSUER, certificates[0].management_no, "ineligible-in-supervision", BASIS)
    correction = supersede(ctx, ISSUER, certificates[1].management_no, "改名示例", BASIS)
    api = office.as_("issuer")
    who = Candidate(registration_id=rows[7].id)

    def over_http(address: str, body: dict[str, object]) -> Callable[[], object]:
        def act() -> object:
            answer = api.post(address, json=body)
            if answer.status_code == 409 and answer.json()["code"] == "case-held":
                told = answer.json()
                assert "reviewer" in told["detail"] and "until" in told["detail_en"]
                raise ConflictError("case-held", Words(told["detail"], told["detail_en"]), remedy=Words("监督", ""))
            assert answer.status_code < 300, answer.text
            return None

        return act

    defence = {"admission_no": rows[7].admission_no, "accepted": True, "note": "经复核申辩成立"}
    tries: list[tuple[CaseKind, int, Actor, list[Callable[[], object]]]] = [
        (
            CaseKind.REVIEW,
            rows[7].id,
            REVIEWER,
            [
                lambda: decide_defence(ctx, ISSUER, world.sitting, who, accepted=True, note="经复核申辩成立"),
                over_http(f"/api/v1/reviews/{world.sitting}/defences/decide", defence),
            ],
        ),
        (
            CaseKind.OBJECTION,
            objection,
            REVIEWER,
            [
                lambda: resolve_objection(ctx, ISSUER, objection, upheld=False, resolution="查无实据"),
                over_http(
                    f"/api/v1/reviews/objections/{objection}/resolve", {"upheld": False, "resolution": "查无实据"}
                ),
            ],
        ),
        (
            CaseKind.DATA_OBJECTION,
            wrong,
            REVIEWER,
            [over_http(f"/api/v1/objections/{wrong}/answer", {"accepted": False, "answer": "经核对无误"})],
        ),
        (
            CaseKind.INVALIDATION,
            case,
            SECOND,
            [lambda: reject(ctx, CHIEF, case, "证据不足不予认定"), lambda: approve(ctx, CHIEF, case)],
        ),
        (
            CaseKind.CORRECTION,
            correction,
            SECOND,
            [
                lambda: approve_supersession(ctx, CHIEF, correction),
                lambda: refuse_supersession(ctx, CHIEF, correction),
            ],
        ),
    ]
    for kind, number, holder, acts in tries:
        claims.claim(ctx, holder, kind, number)
        for act in acts:
            held(act, holder.username)
        claims.take_over(ctx, SUPERVISOR, kind, number, to="", reason="经办人请假")
        acts[-1]()


def test_the_proposer_may_always_take_their_own_back(office: Office) -> None:
    ctx = office.world.ctx
    case = propose(ctx, ISSUER, office.world.certificates()[0].management_no, "ineligible-in-supervision", BASIS)
    claims.claim(ctx, SECOND, CaseKind.INVALIDATION, case)
    assert withdraw(ctx, ISSUER, case, "提议有误撤回").state == "withdrawn"


def test_taking_putting_back_and_taking_over_by_the_api(office: Office) -> None:
    case = office.world.registrations()[0].id
    address = f"/api/v1/work/review/{case}"
    reviewer, issuer, supervisor = (office.as_(name) for name in ("reviewer", "issuer", "supervisor"))
    assert issuer.get(address).json()["holder"] is None
    kept = {"Idempotency-Key": "claim"}
    first = issuer.post(f"{address}/claim", headers=kept).json()
    assert first["holder"] == "issuer" and issuer.post(f"{address}/claim", headers=kept).json() == first
    refused = reviewer.post(f"{address}/claim")
    assert (refused.status_code, refused.json()["code"]) == (409, "case-held")
    assert issuer.post(f"{address}/take-over", json={"reason": "我要接管"}).status_code == 403
    taken = supervisor.post(f"{address}/take-over", json={"to": "reviewer", "reason": "经办人请假"})
    assert (taken.status_code, taken.json()["holder"], taken.json()["taken_from"]) == (200, "reviewer", "issuer")
    assert issuer.post(f"{address}/release").status_code == 409
    assert reviewer.post(f"{address}/release").json()["holder"] is None
