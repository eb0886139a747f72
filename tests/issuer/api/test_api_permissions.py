"""Nothing is open by accident: every endpoint declares its roles, and each role meets exactly those."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from issuer.app import create_issuer_app
from issuer.rules.terms import Role
from tests.factories.office import USERNAMES, Office

OPEN_TO_ANYBODY = {
    ("GET", "/help/{problem}"),
    ("GET", "/announcements"),
    ("GET", "/announcements/{number}"),
    ("GET", "/announcements/{number}.pdf"),
    ("GET", "/console"),
    ("GET", "/console/sign-in"),
    ("POST", "/console/sign-in"),
    ("GET", "/console/sign-in/code"),
    ("POST", "/console/sign-in/code"),
    ("POST", "/console/sign-in/enrol"),
    ("POST", "/console/sign-in/passkey"),
    ("POST", "/console/sign-in/code/passkey"),
    ("POST", "/console/sign-in/enrol/passkey"),
    ("GET", "/console/sign-in/oidc"),
    ("GET", "/console/sign-in/oidc/back"),
}
"""Signing in, and an address that only leads on. The static files are a mount, not a route."""
HOLDERS = {
    ("GET", "/my"),
    ("GET", "/my/"),
    ("POST", "/my/sign-in"),
    ("POST", "/my/sign-out"),
    ("GET", "/my/certificates/{management_no}.pdf"),
    ("GET", "/my/certificates/{management_no}"),
    ("POST", "/my/certificates/{management_no}/copies"),
    ("GET", "/my/copies/{copy_id}.pdf"),
    ("POST", "/my/copies/{copy_id}/withdraw"),
    ("POST", "/my/watches/{watch_id}/end"),
    ("POST", "/my/objections"),
    ("POST", "/my/objections/{objection_id}/withdraw"),
    ("POST", "/my/paper-replacements"),
    ("GET", "/my/paper/{registration_id}"),
    ("POST", "/my/paper/{registration_id}/address"),
    ("POST", "/my/paper/{registration_id}/cancel"),
    ("POST", "/my/paper/{registration_id}/code"),
    ("POST", "/my/defences"),
    ("GET", "/my/registrations/{registration_id}"),
    ("POST", "/my/registrations/{registration_id}/commitment"),
    ("POST", "/my/registrations/{registration_id}/commitment/withdraw"),
    ("POST", "/my/registrations/{registration_id}/materials"),
    ("GET", "/my/registrations/materials/{material_id}/{number}.png"),
    ("POST", "/my/registrations/materials/{material_id}/withdraw"),
    ("GET", "/my/data"),
    ("POST", "/my/data/export"),
    ("POST", "/my/data/erase"),
    ("POST", "/my/hearings"),
    ("GET", "/my/hearings/{number}"),
    ("GET", "/my/hearings/{number}/record.pdf"),
    ("POST", "/my/hearings/{number}/answer"),
    ("POST", "/my/hearings/{number}/take-back"),
}
"""For holders: who they are is checked by the session; tests/issuer/holders holds that."""
WATCHERS = {
    ("GET", "/watch/{token}"),
    ("POST", "/watch/{token}"),
    ("GET", "/watch/manage/{link}"),
    ("POST", "/watch/manage/{link}/confirm"),
    ("POST", "/watch/manage/{link}/end"),
    ("POST", "/watch/manage/{link}/roster"),
    ("GET", "/watch/unsubscribe/{link}"),
    ("POST", "/watch/unsubscribe/{link}"),
    ("POST", "/api/v1/watches"),
    ("GET", "/api/v1/watches"),
    ("POST", "/api/v1/watches/confirm"),
    ("POST", "/api/v1/watches/certificates"),
    ("POST", "/api/v1/watches/roster"),
    ("POST", "/api/v1/watches/end"),
}
"""For anybody who watches a certificate: the secret in the link says who; tests/issuer/sharing holds that."""
NOT_ENDPOINTS = {"/console/static", "/console/openapi.json"}
"""Style, script and the description of the API: the same for everybody."""
ENDS_THE_SESSION = {"/console/sign-out", "/console/account/sessions/end-all"}
SAMPLES = {
    "announcement_id": "1",
    "case_id": "1",
    "correction_id": "1",
    "objection_id": "1",
    "record_id": "1",
    "request_id": "1",
    "registration_id": "1",
    "material_id": "1",
    "programme": "NONE",
    "page": "1",
    "number": "1",
    "batch": "1",
    "management_no": "NONE",
    "sitting": "NONE",
    "code": "NONE",
    "name": "none",
    "state": "fulfilled",
    "token": "NONE",
    "copy_id": "1",
    "watch_id": "1",
    "link": "none.none",
    "queue": "first-round",
    "kind": "review",
    "person_id": "1",
    "problem": "basis-missing",
    "username": "nobody",
    "passkey_id": "1",
}


def declared(dependant: Dependant) -> tuple[Role, ...] | None:
    """The roles an endpoint's dependencies declare."""
    for inner in dependant.dependencies:
        roles = getattr(inner.call, "declared_roles", None) or declared(inner)
        if roles:
            return tuple(roles)
    return None


def endpoints(app: Any) -> Iterator[tuple[str, str, tuple[Role, ...] | None]]:
    """(method, path, declared roles) of every route."""
    for route in every_route(app.routes):
        for method in sorted(route.methods - {"HEAD"}):
            yield method, route.path, declared(route.dependant)


def every_route(routes: Any) -> Iterator[APIRoute]:
    """All endpoints, those of included routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif inner := getattr(route, "original_router", None):
            yield from every_route(inner.routes)
        else:
            assert route.path in NOT_ENDPOINTS, route.path


def test_every_endpoint_declares_who_may_call_it(reading_office: Office) -> None:
    found = list(endpoints(reading_office.app))
    undeclared = {(method, path) for method, path, roles in found if roles is None}
    assert undeclared == OPEN_TO_ANYBODY | HOLDERS | WATCHERS
    assert len(found) > 60


def test_every_declared_path_is_routed_to_the_private_side(reading_office: Office) -> None:
    from issuer.app import belongs_to_issuer

    for _, path, _ in endpoints(reading_office.app):
        assert belongs_to_issuer(path.format_map(SAMPLES)), path


def test_each_role_may_post_exactly_where_it_is_declared(reading_office: Office) -> None:
    clients = {name: reading_office.as_(name) for name in USERNAMES if name not in ("second", "stranger")}
    tried = 0
    for method, path, roles in endpoints(reading_office.app):
        if method != "POST" or not path.startswith("/api/") or roles is None:
            continue
        address = path.format_map(SAMPLES)
        assert reading_office.anybody().post(address).status_code == 401, path
        for name, client in clients.items():
            answer = client.post(address)
            refused = answer.status_code == 403 and answer.json()["code"] == "role-missing"
            assert refused == (USERNAMES[name] not in roles), (path, name, answer.text)
            tried += 1
    assert tried > 100


def test_each_role_may_send_exactly_its_own_forms(reading_office: Office) -> None:
    desks = {name: reading_office.desk(name) for name in USERNAMES if name not in ("second", "stranger")}
    for method, path, roles in endpoints(reading_office.app):
        if method != "POST" or not path.startswith("/console/") or roles is None or path in ENDS_THE_SESSION:
            continue
        address = path.format_map(SAMPLES)
        assert reading_office.anybody().post(address).status_code == 401, path
        for name, desk in desks.items():
            answer = desk.post(address, data={"csrf": "csrf-of-the-test"})
            refused = "当前账号没有办理此事项的权限" in answer.text
            assert refused == (USERNAMES[name] not in roles), (path, name, answer.status_code)
            assert answer.status_code == 403 if refused else answer.status_code != 401


@pytest.mark.parametrize("value", ["", "wrong"])
def test_a_form_without_the_sessions_value_changes_nothing(office: Office, value: str) -> None:
    number = office.world.certificates()[0].management_no
    desk = office.desk("issuer")
    answer = desk.post(
        f"/console/certificates/{number}/correct", data={"csrf": value, "new_name": "新", "basis": "x"}
    )
    assert (answer.status_code, "页面已过期" in answer.text) == (403, True)
    by_cookie = desk.post(
        "/api/v1/invalidations",
        json={"management_no": number, "ground": "false-materials", "basis": "x"},
        headers={"X-CSRF-Token": value} if value else {},
    )
    assert (by_cookie.status_code, by_cookie.json()["code"]) == (403, "csrf")


def test_a_form_from_another_site_is_refused(office: Office) -> None:
    desk = office.desk("issuer")
    answer = desk.post(
        "/console/sign-out", data={"csrf": "csrf-of-the-test"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert (answer.status_code, "其他网站" in answer.text) == (403, True)


def test_a_review_body_sees_its_own_programmes_only(reading_office: Office) -> None:
    number = reading_office.world.certificates()[0].management_no
    stranger, reviewer = reading_office.as_("stranger"), reading_office.as_("reviewer")
    for address in (f"/api/v1/certificates/{number}", f"/api/v1/certificates/{number}/pdf"):
        assert reviewer.get(address).status_code == 200
        refused = stranger.get(address)
        assert (refused.status_code, refused.json()["clause"]) == (403, "R1")
    assert stranger.get("/api/v1/certificates").json()["items"] == []
    assert len(reviewer.get("/api/v1/certificates").json()["items"]) == 8
    assert stranger.get("/api/v1/sittings").json()["items"] == []
    name = reading_office.world.people[0].name
    assert stranger.post("/api/v1/certificates/search", json={"name": name}).json()["items"] == []
    assert len(reviewer.post("/api/v1/certificates/search", json={"name": name}).json()["items"]) >= 1


def test_the_description_names_the_problems_of_every_endpoint(reading_office: Office) -> None:
    description = create_issuer_app(reading_office.world.ctx).openapi()
    assert set(description["components"]["schemas"]["Problem"]["properties"]) >= {"code", "clause", "remedy"}
    for path, methods in description["paths"].items():
        for method, described in methods.items():
            assert {"401", "403"} <= set(described["responses"]), (method, path)
            good = [code for code in described["responses"] if code.startswith("2")]
            assert "schema" in str(described["responses"][good[0]]) or path.endswith(
                ("pdf", "xlsx", "template", "png")
            ), path


def test_who_may_change_what(reading_office: Office) -> None:
    posts = {path: set(roles) for method, path, roles in endpoints(reading_office.app) if method == "POST" and roles}
    for path, roles in posts.items():
        if path.endswith(("/approve", "/reject")):
            assert roles == {Role.AUTHORITY_APPROVER}, path
        if "/batches" in path or path.endswith("/issue"):
            assert roles == {Role.AUTHORITY_ISSUER}, path
    own = "/console/account/"  # everybody's own second factor
    by_auditors = {path for path, roles in posts.items() if Role.AUDITOR in roles and not path.startswith(own)}
    assert {path.rpartition("/")[2] for path in by_auditors} == {"search", "sign-out"}
    by_supervisors = {path for path, roles in posts.items() if Role.SUPERVISOR in roles and not path.startswith(own)}
    assert {path.rpartition("/")[2] for path in by_supervisors} == {
        *("search", "sign-out", "objections"),
        *("take-over", "filters", "drop"),
        *("seed", "draw", "targets", "{number}"),  # samples for checks (R15)
        *("end", "end-all"),  # somebody's sessions
    }
    by_operators = {path for path, roles in posts.items() if Role.OPERATOR in roles and not path.startswith(own)}
    assert {path.rpartition("/")[2] for path in by_operators} == {
        *("sign-out", "sittings", "rosters", "roster"),
        "comparisons",
        "retry",  # messages that did not arrive
        *("end", "end-all", "reset-second-factor"),  # somebody's sessions and lost second factor
    }
