"""Invalidation, reinstatement, correction and paper replacement over the API."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from issuer.records.certificates import Invalidation
from issuer.records.paper import PaperReplacementRequest
from tests.factories.candidates import invent
from tests.factories.office import Office


def propose(office: Office, number: str, *, key: str | None = None, **more: object) -> object:
    body = {"management_no": number, "ground": "false-materials", "basis": "示例依据", **more}
    headers = {"Idempotency-Key": key} if key else {}
    return office.as_("issuer").post("/api/v1/invalidations", json=body, headers=headers)


def verdict(office: Office, number: str) -> str:
    return str(office.world.checker().check_token(office.world.certificate(number).token).verdict)


def test_two_people_invalidate_and_every_check_turns(office: Office) -> None:
    number = office.world.certificates()[0].management_no
    plan = office.as_("issuer").get(
        "/api/v1/invalidations/plan", params={"management_no": number, "ground": "false-materials"}
    )
    assert (plan.status_code, plan.json()["clause"], plan.json()["status_then"]) == (200, "R10", "invalid")
    case = propose(office, number).json()["id"]  # type: ignore[attr-defined]
    assert verdict(office, number) == "valid"
    by_proposer = office.as_("issuer").post(f"/api/v1/invalidations/{case}/approve")
    assert (by_proposer.status_code, by_proposer.json()["code"]) == (403, "role-missing")
    approved = office.as_("approver").post(f"/api/v1/invalidations/{case}/approve")
    assert (approved.status_code, approved.json()["state"]) == (200, "applied")
    assert verdict(office, number) == "invalid"
    late = office.as_("second").post(f"/api/v1/invalidations/{case}/reject", json={"note": "晚了"})
    assert late.status_code == 409
    shown = office.as_("auditor").get(f"/api/v1/certificates/{number}").json()
    assert [line["status"] for line in shown["history"]] == ["valid", "invalid"]


def test_somebody_with_both_roles_still_cannot_decide_on_their_own_proposal(office: Office) -> None:
    from issuer.records.access import ApiToken, StaffAccount

    with office.world.ctx.database.write() as session:
        account = session.get_one(StaffAccount, "issuer")
        account.roles = ["authority-approver", "authority-issuer"]
        for token in session.scalars(select(ApiToken).where(ApiToken.username == "issuer")):
            token.scopes = account.roles
    number = office.world.certificates()[0].management_no
    case = propose(office, number).json()["id"]  # type: ignore[attr-defined]
    refused = office.as_("issuer").post(f"/api/v1/invalidations/{case}/approve")
    assert (refused.status_code, refused.json()["clause"]) == (403, "R10")
    assert verdict(office, number) == "valid"


def test_a_repeated_post_gets_the_first_answer_and_acts_once(office: Office) -> None:
    number = office.world.certificates()[0].management_no
    first = propose(office, number, key="k-1")
    again = propose(office, number, key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)  # type: ignore[attr-defined]
    assert first.json() == again.json()  # type: ignore[attr-defined]
    assert again.headers["Idempotent-Replayed"] == "true"  # type: ignore[attr-defined]
    other = propose(office, number, key="k-1", suspend=True)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")  # type: ignore[attr-defined]
    with office.world.ctx.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Invalidation)) == 1
    case = first.json()["id"]  # type: ignore[attr-defined]
    approver = office.as_("approver")
    answers = [
        approver.post(f"/api/v1/invalidations/{case}/approve", headers={"Idempotency-Key": "k-2"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


def test_reinstatement_needs_somebody_who_did_not_invalidate(office: Office) -> None:
    number = office.world.certificates()[0].management_no
    case = propose(office, number).json()["id"]  # type: ignore[attr-defined]
    office.as_("approver").post(f"/api/v1/invalidations/{case}/approve")
    back = office.as_("issuer").post(
        "/api/v1/invalidations/reinstatements", json={"management_no": number, "basis": "复议决定撤销"}
    )
    assert back.status_code == 201
    same = office.as_("approver").post(f"/api/v1/invalidations/{back.json()['id']}/approve")
    assert same.status_code in (403, 409)
    other = office.as_("second").post(f"/api/v1/invalidations/{back.json()['id']}/approve")
    assert other.status_code == 200
    assert verdict(office, number) == "valid"
    assert len(office.as_("auditor").get("/api/v1/invalidations").json()["items"]) == 2


def test_a_corrected_name_supersedes(office: Office) -> None:
    number = office.world.certificates()[0].management_no
    body = {"management_no": number, "new_name": "更正名", "basis": "户籍更正"}
    proposed = office.as_("issuer").post("/api/v1/corrections", json=body)
    assert proposed.status_code == 201
    done = office.as_("approver").post(f"/api/v1/corrections/{proposed.json()['id']}/approve")
    assert done.status_code == 200
    assert verdict(office, number) == "superseded"
    assert verdict(office, done.json()["management_no"]) == "valid"
    assert office.as_("auditor").get("/api/v1/corrections").json()["items"][0]["new_name"] is None


def test_paper_is_refused_with_its_clause_and_the_refusal_is_kept(office: Office) -> None:
    number = office.world.certificates()[0].management_no
    refused = office.as_("issuer").post(
        "/api/v1/paper/replacements",
        json={"management_no": number, "reason": "遗失"},
        headers={"Idempotency-Key": "paper-1"},
    )
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    body = refused.json()
    assert (body["clause"], body["code"], body["status"]) == ("R14", "e-certificate-already-made", 409)
    assert body["detail"] and body["detail_en"] and body["remedy"]
    kept = office.as_("auditor").get("/api/v1/paper/replacements").json()["items"]
    assert [(row["state"], row["clause"]) for row in kept] == [("refused", "R14")]


def test_many_paper_requests_at_once_are_all_refused(office: Office) -> None:
    number = office.world.certificates()[0].management_no
    client = office.as_("issuer")

    def ask(_: int) -> int:
        body = {"management_no": number, "reason": "遗失"}
        return client.post("/api/v1/paper/replacements", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(16))) == {409}
    with office.world.ctx.database.read() as session:
        states = set(session.scalars(select(PaperReplacementRequest.state)))
    assert states == {"refused"}


def test_the_same_key_at_the_same_moment_acts_once(office: Office) -> None:
    number = office.world.certificates()[0].management_no
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: propose(office, number, key="race"), range(4)))
    assert {answer.status_code for answer in answers} == {201}  # type: ignore[attr-defined]
    assert len({answer.json()["id"] for answer in answers}) == 1  # type: ignore[attr-defined]


def test_r9_a_case_against_somebody_without_a_certificate(eligible_office: Office) -> None:
    asked = {
        "sitting": eligible_office.world.sitting,
        "admission_no": invent(1)[0].admission_no,
        "ground": "ineligible-in-review",
        "basis": "豫人社函〔2024〕25号一（三）：不符合报考条件",
    }
    clerk, chief = eligible_office.as_("issuer"), eligible_office.as_("approver")
    made = clerk.post("/api/v1/invalidations", json=asked)
    assert made.status_code == 201, made.text
    case = chief.post(f"/api/v1/invalidations/{made.json()['id']}/approve").json()
    assert (case["about"], case["management_no"], case["admission_no"]) == (
        "score-report",
        None,
        asked["admission_no"],
    )
    plan = clerk.get(
        "/api/v1/invalidations/plan", params={"registration_id": case["registration_id"], "ground": "R9"}
    ).json()
    assert (plan["status_now"], plan["registration_void"]) == ("invalid", True)
    unnamed = clerk.post("/api/v1/invalidations", json={"ground": "R9", "basis": "事实清楚"})
    assert (unnamed.status_code, unnamed.json()["code"]) == (422, "subject-not-named")
