"""Erasure over HTTP: what may be erased is asked, proposed by one and decided by another, once for each key."""

from datetime import timedelta

from issuer.access.service import issue_api_token
from issuer.clock import SimulatedClock
from tests.factories.office import USERNAMES, Office

YEARS = timedelta(days=5 * 366 + 400)
KEY = {"Idempotency-Key": "one"}


def test_erasure_takes_two_programs_and_a_day_on_which_law_allows_it(office: Office) -> None:
    world = office.world
    registration = world.registrations()[0]
    person, photo = registration.person_id, registration.photo_key
    issuer, approver, auditor = (office.as_(name) for name in ("issuer", "approver", "auditor"))
    asked = {"person": person, "reason": "purpose-reached", "note": "本人申请删除"}
    early = issuer.post("/api/v1/erasures", json=asked)
    assert (early.status_code, early.json()["code"]) == (409, "nothing-to-erase")
    assert auditor.get(f"/api/v1/erasures/plan/{person}").json()["kinds"] == []
    assert isinstance(world.clock, SimulatedClock)
    world.clock.move_to(world.clock.today() + YEARS, hour=9)
    office = _again(office)
    issuer, approver, auditor = (office.as_(name) for name in ("issuer", "approver", "auditor"))
    plan = auditor.get(f"/api/v1/erasures/plan/{person}").json()
    assert plan["kinds"] and {each["kind"] for each in plan["kept"]}.isdisjoint(plan["kinds"])
    made = issuer.post("/api/v1/erasures", json=asked, headers=KEY)
    assert made.status_code == 201, made.text
    assert issuer.post("/api/v1/erasures", json=asked, headers=KEY).json() == made.json()
    assert issuer.post("/api/v1/erasures", json=asked).json()["code"] == "erasure-open"
    number = made.json()["id"]
    waiting = auditor.get("/api/v1/erasures", params={"state": "proposed", "person": person}).json()["items"]
    assert [(row["id"], row["person"], row["proposed_by"]) for row in waiting] == [(number, person, "issuer")]
    assert "本人申请" not in str(waiting)
    address = f"/api/v1/erasures/{number}/decide"
    assert issuer.post(address, json={"approve": True}).status_code == 403
    assert approver.post(address, json={"approve": False}).status_code == 422
    done = approver.post(address, json={"approve": True}, headers=KEY)
    assert (done.status_code, done.json()) == (200, {"id": number, "state": "done"})
    assert approver.post(address, json={"approve": True}, headers=KEY).json() == done.json()
    assert approver.post(address, json={"approve": True}).json()["code"] == "erasure-decided"
    assert photo is not None and not world.ctx.storage.exists(photo)
    assert world.registrations()[0].photo_key is None


def test_who_may_not_and_what_is_unknown(office: Office) -> None:
    for name in ("reviewer", "supervisor", "operator"):
        assert office.as_(name).get("/api/v1/erasures").status_code == 403, name
        assert office.as_(name).get("/api/v1/erasures/plan/1").status_code == 403, name
    auditor = office.as_("auditor")
    assert auditor.post("/api/v1/erasures", json={"person": 1, "reason": "time-over", "note": "x"}).status_code == 403
    assert auditor.get("/api/v1/erasures/plan/999999").status_code == 404
    assert auditor.get("/api/v1/erasures", params={"person": 2**40}).json() == {"items": []}
    issuer = office.as_("issuer")
    bad = {"person": 1, "reason": "no-such-ground", "note": "x"}
    assert issuer.post("/api/v1/erasures", json=bad).status_code == 422
    assert office.as_("approver").post("/api/v1/erasures/9999/decide", json={"approve": True}).status_code == 404


def _again(office: Office) -> Office:
    """The same application with tokens that have not ended."""
    with office.world.ctx.database.write() as session:
        clock = office.world.ctx.clock
        fresh = {name: issue_api_token(session, clock, username=name, label="later", days=30) for name in USERNAMES}
    return Office(office.world, office.app, fresh)
