"""The holder's pages over HTTP: uniform refusals, limits, forms, files."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from issuer.access.actor import Actor
from issuer.app import create_issuer_app
from issuer.clock import SimulatedClock
from issuer.invalidation import service as invalidation
from issuer.review import service as review
from issuer.review.statements import Candidate as Who
from issuer.rules.terms import Role
from tests.factories.candidates import Candidate
from tests.factories.world import APPROVER, PROPOSER, World


def facts(person: Candidate, **other: str) -> dict[str, str]:
    """What a holder types."""
    return {"id_no": person.id_no, "name": person.name, "admission_no": person.admission_no} | other


@pytest.fixture
def holder(world_copy: World) -> Iterator[TestClient]:
    """A browser at the holder's pages."""
    yield TestClient(create_issuer_app(world_copy.ctx), follow_redirects=False, raise_server_exceptions=False)


def signed_in(client: TestClient, person: Candidate) -> str:
    """Sign in; the CSRF value of the session's forms."""
    answer = client.post("/my/sign-in", data=facts(person))
    assert (answer.status_code, answer.headers["location"]) == (303, "/my/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "Path=/my" in cookie
    page = client.get("/my/").text
    return page.split('name="csrf" value="')[1].split('"')[0]


def test_a_holder_sees_their_own_certificate_and_nobody_elses(holder: TestClient, world_copy: World) -> None:
    person, other = world_copy.people[0], world_copy.people[1]
    signed_in(holder, person)
    page = holder.get("/my/")
    assert person.name in page.text
    assert other.admission_no not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    mine, theirs = _numbers(world_copy, person), _numbers(world_copy, other)
    assert holder.get(f"/my/certificates/{theirs}.pdf").status_code == 404
    assert holder.get(f"/my/certificates/{mine}.pdf").status_code == 200


def test_the_file_comes_whole_in_ranges_and_under_its_chinese_name(holder: TestClient, world_copy: World) -> None:
    person = world_copy.people[0]
    signed_in(holder, person)
    address = f"/my/certificates/{_numbers(world_copy, person)}.pdf"
    whole = holder.get(address)
    assert hashlib.sha256(whole.content).hexdigest() == whole.headers["etag"].strip('"')
    disposition = whole.headers["content-disposition"]
    assert person.name in unquote(disposition.split("filename*=UTF-8''")[1])
    assert disposition.isascii()
    assert whole.headers["accept-ranges"] == "bytes"
    size = len(whole.content)
    first = holder.get(address, headers={"Range": "bytes=0-99"})
    rest = holder.get(address, headers={"Range": "bytes=100-"})
    assert (first.status_code, first.headers["content-range"]) == (206, f"bytes 0-99/{size}")
    assert first.content + rest.content == whole.content
    assert holder.get(address, headers={"Range": "bytes=-5"}).content == whole.content[-5:]
    beyond = holder.get(address, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")


def test_an_invalid_certificate_says_so_before_and_in_the_name_of_its_file(
    holder: TestClient, world_copy: World
) -> None:
    person = world_copy.people[0]
    number = _numbers(world_copy, person)
    case = invalidation.propose(world_copy.ctx, PROPOSER, number, "false-materials", "示例依据")
    invalidation.approve(world_copy.ctx, APPROVER, case)
    signed_in(holder, person)
    page = holder.get("/my/").text
    assert "提供虚假证明材料" in page
    assert "R10" in page
    name = unquote(holder.get(f"/my/certificates/{number}.pdf").headers["content-disposition"])
    assert "已无效" in name


@pytest.mark.parametrize("wrong", ["name", "admission_no", "id_no"])
def test_a_refused_sign_in_never_says_what_was_wrong(holder: TestClient, world_copy: World, wrong: str) -> None:
    person, other = world_copy.people[0], world_copy.people[1]
    bad = holder.post("/my/sign-in", data=facts(person, **{wrong: facts(other)[wrong]}))
    unknown = holder.post("/my/sign-in", data=facts(person, id_no="P00000000", name="无", admission_no="0"))
    assert bad.status_code == unknown.status_code == 403
    assert bad.text == unknown.text
    assert "set-cookie" not in bad.headers
    assert person.id_no not in bad.text


def test_refusals_do_the_same_work_whatever_was_wrong(holder: TestClient, world_copy: World) -> None:
    """Counted in statements: a measured time would tell of the machine's load as well."""
    person, other = world_copy.people[0], world_copy.people[1]
    asked = {
        "wrong name": facts(person, name=other.name),
        "wrong ID": facts(person, id_no=other.id_no),
        "nobody": facts(person, admission_no="0"),
    }
    work: dict[str, list[str]] = {}
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    engine = world_copy.ctx.database.engine  # this world's: threads of others may be at work
    event.listen(engine, "before_cursor_execute", note)
    try:
        for kind, data in asked.items():
            statements.clear()
            assert holder.post("/my/sign-in", data=data).status_code == 403
            work[kind] = list(statements)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert work["nobody"]
    assert work["wrong name"] == work["wrong ID"] == work["nobody"]


def test_too_many_tries_are_429_with_a_time_to_come_back(holder: TestClient, world_copy: World) -> None:
    person = world_copy.people[0]
    answers = [holder.post("/my/sign-in", data=facts(person, name="别人")) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [403] * 6 + [429]
    assert "尝试次数过多" in answers[-1].text
    assert int(answers[-1].headers["retry-after"]) > 0
    right = holder.post("/my/sign-in", data=facts(person))
    assert right.status_code == 429
    assert holder.post("/my/sign-in", data=facts(world_copy.people[1])).status_code == 303


def test_paper_is_refused_with_its_clause_on_the_page(holder: TestClient, world_copy: World) -> None:
    csrf = signed_in(holder, world_copy.people[0])
    registration = str(world_copy.registrations()[0].id)
    form = {"csrf": csrf, "registration_id": registration, "reason": "遗失"}
    refused = holder.post("/my/paper-replacements", data=form)
    assert refused.status_code == 409
    assert "R14" in refused.text
    assert 'role="alert"' in refused.text
    other = str(world_copy.registrations()[1].id)
    assert holder.post("/my/paper-replacements", data=form | {"registration_id": other}).status_code == 404


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/my/paper-replacements", {"registration_id": "1", "reason": "遗失"}),
        ("/my/defences", {"registration_id": "1", "sitting_code": "TEST-2025-1", "text": "申辩"}),
        ("/my/sign-out", {}),
    ],
)
def test_forms_need_the_sessions_value_and_the_same_site(
    holder: TestClient, world_copy: World, address: str, form: dict[str, str]
) -> None:
    without = holder.post(address, data=form)
    assert (without.status_code, without.headers["location"]) == (303, "/my/")
    csrf = signed_in(holder, world_copy.people[0])
    assert holder.post(address, data=form | {"csrf": "wrong"}).status_code == 403
    crossed = holder.post(address, data=form | {"csrf": csrf}, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403
    assert 'action="/my/sign-out"' in holder.get("/my/").text


def test_a_defence_is_handed_in_once(eligible_world: World) -> None:
    world, person = eligible_world, eligible_world.people[0]
    past = world.ctx.at(SimulatedClock.on(world.clock.today() - timedelta(days=41)))  # the notice still stands
    receiver = Actor("r", frozenset({Role.AUTHORITY_ISSUER}), "cli")
    number = review.raise_objection(past, receiver, world.sitting, Who(admission_no=person.admission_no), "不实")
    review.resolve_objection(past, receiver, number, upheld=True, resolution="查实")
    client = TestClient(create_issuer_app(past), follow_redirects=False)
    csrf = signed_in(client, person)
    registration = next(row for row in world.registrations() if row.admission_no == person.admission_no)
    form = {
        "csrf": csrf,
        "registration_id": str(registration.id),
        "sitting_code": world.sitting,
        "text": "本人工作年限符合条件。",
    }
    assert "提交申辩" in client.get("/my/").text
    assert client.post("/my/defences", data=form).status_code == 303
    assert "申辩处理中" in client.get("/my/").text
    again = client.post("/my/defences", data=form)
    assert (again.status_code, 'role="alert"' in again.text) == (409, True)


def test_signing_out_ends_the_session(holder: TestClient, world_copy: World) -> None:
    csrf = signed_in(holder, world_copy.people[0])
    stolen = holder.cookies["ecert_holder"]
    assert holder.post("/my/sign-out", data={"csrf": csrf}).status_code == 303
    holder.cookies.set("ecert_holder", stolen, path="/my")
    assert "证件号码" in holder.get("/my/").text


def _numbers(world: World, person: Candidate) -> str:
    registration = next(row for row in world.registrations() if row.admission_no == person.admission_no)
    return next(row.management_no for row in world.certificates() if row.registration_id == registration.id)
