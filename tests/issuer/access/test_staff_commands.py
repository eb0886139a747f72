"""`ecert staff` over a world: accounts, passwords, tokens, and what the audit trail keeps of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from issuer.access.service import actor_of_token
from issuer.access.sign_in import sign_in
from issuer.cli import run
from issuer.clock import SystemClock
from issuer.errors import NotAllowedError
from issuer.records.ledger import AuditEvent
from issuer.rules.terms import Role
from tests.factories.world import World

PASSWORD = "correct horse battery staple"


@pytest.fixture
def folder(world_copy: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that commands may open, and the password in the environment."""
    monkeypatch.setenv("ECERT_STAFF_PASSWORD", PASSWORD)
    world_copy.close()
    return world_copy.folder


def ecert(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> Any:
    capsys.readouterr()
    code = run(["staff", *arguments, "--data-dir", str(folder), "--json"])
    out = json.loads(capsys.readouterr().out)
    assert code == (2 if "error" in out else 0)
    return out


def test_an_account_signs_in_until_it_is_closed(
    folder: Path, world_copy: World, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ecert(capsys, folder, "add", "chen", "--role", "authority-approver", "--display-name", "陈")
    assert made == {"username": "chen", "roles": ["authority-approver"]}
    assert ecert(capsys, folder, "add", "chen", "--role", "auditor")["error"]["code"] == "username-taken"
    ctx = world_copy.ctx
    assert sign_in(ctx.database, ctx.clock, "chen", PASSWORD).username == "chen"
    assert ecert(capsys, folder, "close", "chen") == {"username": "chen", "active": False}
    with pytest.raises(NotAllowedError):
        sign_in(ctx.database, ctx.clock, "chen", PASSWORD)
    ecert(capsys, folder, "open", "chen")
    listed = ecert(capsys, folder, "list")["accounts"]
    assert [(row["username"], row["active"]) for row in listed] == [("chen", True)]


def test_a_token_is_shown_once_and_ends_when_revoked(
    folder: Path, world_copy: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ecert(capsys, folder, "add", "bot", "--role", "authority-issuer", "--role", "auditor")
    made = ecert(capsys, folder, "token", "bot", "--label", "nightly", "--days", "7", "--role", "auditor")
    listed = ecert(capsys, folder, "tokens")
    assert made["token"] not in json.dumps(listed)
    assert [(row["id"], row["live"]) for row in listed["tokens"]] == [(made["id"], True)]
    ctx = world_copy.ctx
    with ctx.database.read() as session:
        actor = actor_of_token(session, ctx.clock, made["token"])
        assert actor is not None
        assert actor.roles == {Role.AUDITOR}
    assert ecert(capsys, folder, "token-revoke", made["id"])["live"] is False
    assert ecert(capsys, folder, "token-revoke", made["id"])["error"]["code"] == "token-unknown"
    assert ecert(capsys, folder, "token-revoke", "")["error"]["code"] == "token-unknown"
    with ctx.database.read() as session:
        assert actor_of_token(session, ctx.clock, made["token"]) is None
        trail = select(AuditEvent).where(AuditEvent.act.startswith("staff.")).order_by(AuditEvent.sequence)
        events = session.scalars(trail).all()
    assert [event.act for event in events] == ["staff.add", "staff.token", "staff.token-revoke"]
    assert made["token"] not in str([event.details for event in events])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "w", "--role", "auditor"), "username-unusable"),
        (("add", "wang li", "--role", "auditor"), "username-unusable"),
        (("add", "wang", "--role", "review-body"), "review-body-without-programme"),
        (("add", "wang", "--role", "auditor", "--password-file", "missing"), "password-file"),
        (("close", "nobody"), "account-unknown"),
        (("token", "nobody", "--label", "x"), "account-unknown"),
    ],
)
def test_refusals_are_clear(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: str
) -> None:
    assert ecert(capsys, folder, *arguments)["error"]["code"] == code


def test_a_short_password_is_refused_and_a_new_one_lifts_the_lock(
    folder: Path, world_copy: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ecert(capsys, folder, "add", "zhou", "--role", "auditor")
    short, fresh = tmp_path / "short", tmp_path / "fresh"
    short.write_text("tiny\n", encoding="utf-8")
    fresh.write_text("another long password\n", encoding="utf-8")
    assert (
        ecert(capsys, folder, "password", "zhou", "--password-file", str(short))["error"]["code"]
        == "password-too-short"
    )
    ctx = world_copy.ctx
    for _ in range(5):
        with pytest.raises(NotAllowedError):
            sign_in(ctx.database, ctx.clock, "zhou", "wrong")
    with pytest.raises(NotAllowedError, match="尝试次数过多"):
        sign_in(ctx.database, ctx.clock, "zhou", PASSWORD)
    ecert(capsys, folder, "password", "zhou", "--password-file", str(fresh))
    assert sign_in(ctx.database, ctx.clock, "zhou", "another long password").username == "zhou"


def test_an_identity_is_linked_and_unlinked_and_sessions_are_ended(
    folder: Path, world_copy: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ecert(capsys, folder, "add", "chen", "--role", "auditor")
    assert ecert(capsys, folder, "link-oidc", "chen", "--subject", "s-1")["error"]["code"] == "oidc-issuer-unset"
    monkeypatch.setenv("ECERT_OIDC_ISSUER", "https://id.example")
    subject = folder.parent / "subject.txt"
    subject.write_text("s-1\n", encoding="utf-8")
    linked = ecert(capsys, folder, "link-oidc", "chen", "--subject-file", str(subject))
    assert linked == {"username": "chen", "issuer": "https://id.example"}
    assert ecert(capsys, folder, "link-oidc", "chen", "--subject", "s-2")["error"]["code"] == "oidc-linked"
    assert ecert(capsys, folder, "link-oidc", "nobody", "--subject", "s-3")["error"]["code"] == "account-unknown"
    ctx = world_copy.ctx
    for _ in range(2):
        # Now, as the commands have it: the world's own clock stands at midnight, and sessions last some hours only.
        sign_in(ctx.database, SystemClock(), "chen", PASSWORD)
    (first, _) = ecert(capsys, folder, "sessions", "chen")["sessions"]
    assert first["means"] == "password" and len(first["session"]) == 16
    assert ecert(capsys, folder, "end-sessions", "chen") == {"username": "chen", "ended": 2}
    assert ecert(capsys, folder, "sessions", "chen")["sessions"] == []
    assert ecert(capsys, folder, "unlink-oidc", "chen") == {"username": "chen", "links": 1}
    with ctx.database.read() as session:
        trail = select(AuditEvent).order_by(AuditEvent.sequence)
        events = {event.act: event for event in session.scalars(trail)}
    assert events["staff.link-oidc"].details["issuer"] == "https://id.example"
    assert all("s-1" not in str(event.details) for event in events.values())
    assert events["staff.end-sessions"].details["sessions"] == 2
