"""Every POST of the API takes an Idempotency-Key that covers all that was asked and stands or falls with its effect.

The description of the API is walked: each POST is sent with bodies made from its own schema. What a service would
do is replaced by one audit event, so that effects can be counted whatever state the service would want; keys,
digests and transactions are the real ones.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from httpx import Response
from sqlalchemy import func, select

from issuer.api import idempotency
from issuer.audit import record_event
from issuer.errors import ConflictError, UnavailableError, Words
from issuer.records.ledger import AuditEvent, IdempotencyKey
from tests.factories.office import USERNAMES, Office
from tests.issuer.api.test_api_permissions import declared, every_route

ACT = "test.effect"
NOT_COVERED = {"dry_run"}
"""A dry run writes nothing, and so takes no key."""


@pytest.fixture
def counted(reading_office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The application, in which every service is replaced by one audit event."""
    real = idempotency.once

    def once(
        ctx: Any, actor: Any, key: str | None, route: str, asked: Any, act: Callable[[], Any], status_code: int = 200
    ) -> Any:
        def effect() -> dict[str, Any]:
            with ctx.database.write() as session:
                record_event(session, ctx.clock, actor, ACT, route)
            return {"route": route, "said": "测试"}

        return real(ctx, actor, key, route, asked, effect, status_code)

    users = [m for name, m in sys.modules.items() if name.startswith("issuer.") and getattr(m, "once", None) is real]
    assert len(users) > 6
    for module in users:
        monkeypatch.setattr(module, "once", once)
    return reading_office


def posts(office: Office) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, a username that may call it, its description) of every POST of the staff API."""
    described = office.app.openapi()  # type: ignore[attr-defined]
    may = {}
    for route in every_route(office.app.routes):  # type: ignore[attr-defined]
        if isinstance(route, APIRoute) and "POST" in (route.methods or ()):
            roles = declared(route.dependant) or ()
            may[route.path] = next((name for name, role in USERNAMES.items() if role in roles), "")
    for path, methods in described["paths"].items():
        if "post" not in methods:
            continue
        if may[path]:
            yield path, may[path], methods["post"]


def resolved(office: Office, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema a reference leads to; of several, the first that is not null."""
    while True:
        if "$ref" in schema:
            parts = office.app.openapi()["components"]["schemas"]  # type: ignore[attr-defined]
            schema = parts[schema["$ref"].rsplit("/", 1)[1]]
        elif options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            schema = next(each for each in options if each.get("type") != "null")
        else:
            return schema


def value(office: Office, name: str, schema: dict[str, Any], turn: int) -> Any:
    """One of two different good values for a field."""
    schema = resolved(office, schema)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][turn % len(schema["enum"])]
    kind = schema.get("type")
    if kind == "boolean":
        return bool(turn)
    if kind in ("integer", "number"):
        return max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1) + turn
    if kind == "array":
        wanted = max(schema.get("minItems", 1), 1)
        return [value(office, name, schema.get("items", {"type": "string"}), turn + at) for at in range(wanted)]
    if kind == "object":
        return {field: value(office, field, each, turn) for field, each in schema.get("properties", {}).items()}
    if schema.get("format") == "date":
        return f"2026-01-0{turn + 1}"
    if schema.get("format") == "date-time":
        return f"2026-01-0{turn + 1}T08:00:00Z"
    if schema.get("format") == "binary" or schema.get("contentMediaType"):
        return f"file {turn}".encode()
    if "{64}" in schema.get("pattern", ""):
        return f"{turn + 1}" * 64
    text = ("甲乙丙丁" if turn == 0 else "戊己庚辛") if "pattern" not in schema else f"{turn + 1}" * 8
    return (text * (schema.get("minLength", 1) // 4 + 1))[: schema.get("maxLength", 200)]


class Asking:
    """One POST as its description tells it: where every field stands, and two values for each."""

    def __init__(self, office: Office, path: str, username: str, described: dict[str, Any]) -> None:
        self.office, self.path, self.client = office, path, office.as_(username)
        self.parameters = {
            each["name"]: each for each in described.get("parameters", []) if each["in"] in ("path", "query")
        }
        content = described.get("requestBody", {}).get("content", {})
        self.media = next(iter(content), None)
        self.body = resolved(office, content[self.media]["schema"]) if self.media else {}
        properties = self.body.get("properties", {})
        self.fields = {**{name: each["schema"] for name, each in self.parameters.items()}, **properties}

    def send(self, key: str, changed: str | None = None) -> Response:
        """With every field filled in; `changed` has its other value."""
        at = {name: value(self.office, name, each, int(name == changed)) for name, each in self.fields.items()}
        at |= dict.fromkeys(NOT_COVERED & set(at), False)
        placed = {
            where: {name: at.pop(name) for name, each in self.parameters.items() if each["in"] == where}
            for where in ("path", "query")
        }
        more: dict[str, Any] = {}
        if self.media == "application/json":
            more["json"] = at
        elif self.media is not None:
            files = {name: (f"{name}.xlsx", each) for name, each in at.items() if isinstance(each, bytes)}
            more = {"data": {name: each for name, each in at.items() if name not in files}, "files": files or None}
        address = self.path.format_map(placed["path"])
        answer: Response = self.client.post(address, params=placed["query"], headers={"Idempotency-Key": key}, **more)
        return answer


def effects(office: Office) -> int:
    with office.world.ctx.database.read() as session:
        query = select(func.count()).select_from(AuditEvent).where(AuditEvent.act == ACT)
        return session.scalar(query) or 0


def test_every_post_takes_a_key_that_covers_all_that_was_asked(counted: Office) -> None:
    seen = 0
    for number, (path, username, described) in enumerate(posts(counted)):
        names = {each["name"] for each in described.get("parameters", []) if each["in"] == "header"}
        assert "Idempotency-Key" in names, f"{path} takes no Idempotency-Key"
        asking, key = Asking(counted, path, username, described), f"key-{number}"
        before = effects(counted)
        first = asking.send(key)
        assert first.status_code < 300 and first.json().get("said") == "测试", (path, first.text)
        again = asking.send(key)
        assert (again.status_code, again.json()) == (first.status_code, first.json()), path
        assert again.headers["Idempotent-Replayed"] == "true", path
        assert effects(counted) == before + 1, f"{path} acted twice"
        for field in set(asking.fields) - NOT_COVERED:
            other = asking.send(key, changed=field)
            assert other.status_code == 409, f"the key of {path} does not cover {field}: {other.text}"
            assert other.json()["code"] == "idempotency-key-reused", (path, field)
        assert effects(counted) == before + 1, f"{path} acted on another request with a used key"
        assert asking.send(f"{key}-other").status_code == first.status_code, path
        assert effects(counted) == before + 2, path
        seen += 1
    assert seen > 25


def test_every_post_of_anybody_takes_a_key(reading_office: Office) -> None:
    for path, methods in reading_office.app.openapi()["paths"].items():  # type: ignore[attr-defined]
        if "post" in methods:
            names = {each["name"] for each in methods["post"].get("parameters", [])}
            assert "Idempotency-Key" in names, path


def test_the_key_is_committed_with_the_effect_or_neither_is(counted: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    path, username, described = next(each for each in posts(counted) if each[0] == "/api/v1/corrections")
    asking, before = Asking(counted, path, username, described), effects(counted)

    def fails(*_: object) -> None:
        raise RuntimeError("killed between the effect and its key")

    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "_sealed", fails)
        assert asking.send("atomic").status_code == 500
    assert effects(counted) == before
    assert asking.send("atomic").status_code == 201
    assert effects(counted) == before + 1


def test_a_refusal_is_not_kept_and_the_law_is_asked_again(reading_office: Office) -> None:
    ctx = reading_office.world.ctx
    calls: list[int] = []

    class Caller:
        username = "issuer"

    def refuses() -> dict[str, int]:
        calls.append(1)
        if len(calls) == 1:
            raise ConflictError("not-yet", Words("未到时候", "not yet"))
        return {"calls": len(calls)}

    actor = Caller()
    with pytest.raises(ConflictError):
        idempotency.once(ctx, actor, "refused", "test.route", {}, refuses)  # type: ignore[arg-type]
    answer = idempotency.once(ctx, actor, "refused", "test.route", {}, refuses)  # type: ignore[arg-type]
    assert json.loads(bytes(answer.body)) == {"calls": 2}


def test_neither_what_was_asked_nor_the_answer_rests_readable(reading_office: Office) -> None:
    secret = "41000019900101123X"
    reading_office.as_("issuer").post(
        "/api/v1/certificates/search", json={"id_no": secret}, headers={"Idempotency-Key": "search"}
    )
    ctx = reading_office.world.ctx

    class Caller:
        username = "issuer"

    idempotency.once(ctx, Caller(), "basis", "test.route", {"id": secret}, lambda: {"basis": "张三伪造材料"})  # type: ignore[arg-type]
    with ctx.database.read() as session:
        rows = {row.key: row for row in session.scalars(select(IdempotencyKey))}
    kept = json.dumps(rows["basis"].response, ensure_ascii=False)
    assert "张三" not in kept and '"basis' not in kept and list(rows["basis"].response) == ["sealed"]
    plain = hashlib.sha256(json.dumps({"id": secret}, sort_keys=True).encode()).hexdigest()
    assert rows["basis"].request_sha256 != plain, "a plain digest of an ID number can be guessed"
    assert "search" in rows


@pytest.mark.parametrize("key", ["", "x" * 121])
def test_an_unusable_key_is_said_so(counted: Office, key: str) -> None:
    path, username, described = next(each for each in posts(counted) if each[0] == "/api/v1/corrections")
    before = effects(counted)
    asking = Asking(counted, path, username, described)
    answer = asking.send(key)
    assert answer.status_code == 422, answer.text
    assert effects(counted) == before


def test_the_same_key_finishes_a_correction_whose_sealing_failed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = office.world.certificates()[0].management_no
    body = {"management_no": number, "new_name": "更正名", "basis": "户籍更正"}
    correction = office.as_("issuer").post("/api/v1/corrections", json=body).json()["id"]

    def fails(*_: object) -> None:
        raise UnavailableError("time-service", Words("时间戳服务不可用", "the time service is down"))

    with monkeypatch.context() as patched:
        patched.setattr("issuer.issuance.supersede.open_press", fails)
        path, key = f"/api/v1/corrections/{correction}/approve", {"Idempotency-Key": "approve"}
        assert office.as_("approver").post(path, headers=key).status_code == 503
    assert office.world.certificate(number).status == "valid"
    made = [office.as_("approver").post(path, headers=key).json()["management_no"] for _ in range(2)]
    assert made[0] == made[1]
    assert office.world.certificate(made[0]).status == "valid"
    assert office.world.certificate(number).status == "superseded"
