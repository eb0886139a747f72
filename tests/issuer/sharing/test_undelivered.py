"""What could not be delivered: staff see who was not told and why, and try again; by page, API and command."""

import json

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from issuer.cli import run
from issuer.errors import NotAllowedError
from issuer.records.ledger import AuditEvent
from issuer.records.watching import WatchMessage
from issuer.sharing import undelivered as service
from issuer.sharing.delivery import deliver
from issuer.sharing.watchers import Asked, begin, confirm
from tests.factories.office import Office
from tests.factories.watching import MAIL, ORGANISATION, fall, last_link
from tests.factories.world import APPROVER, AUDITOR, PROPOSER, World
from tests.services.mail_server import MailServer, mail_server


def refused_world(world: World, mails: MailServer, told: int = 1) -> None:
    """So many addresses have confirmed, and the mailbox refuses what they should be told."""
    changes = {"smtp_url": SecretStr(mails.url), "mail_from": "no-reply@zs.example.cn"}
    world.ctx.settings = world.ctx.settings.model_copy(update=changes)
    for _ in range(told):
        begin(world.ctx, "email", MAIL, ORGANISATION, Asked(token=world.certificates()[0].token))
        deliver(world.ctx)
        confirm(world.ctx, last_link(world.ctx))
    mails.refuse = 550
    fall(world.ctx, world)
    deliver(world.ctx)
    mails.refuse = 0


def test_what_was_given_up_is_listed_and_arrives_after_a_retry(world_copy: World) -> None:
    with mail_server() as mails:
        refused_world(world_copy, mails, told=3)
        ctx = world_copy.ctx
        page = service.undelivered(ctx, AUDITOR, limit=2)
        assert [row.code for row in page.items] == ["mail-refused"] * 2
        rest = service.undelivered(ctx, AUDITOR, before=page.next, limit=2)
        assert (len(rest.items), rest.next) == (1, None)
        one = page.items[0]
        assert (one.organisation, one.place, one.by) == (ORGANISATION, "example.com", "email")
        assert MAIL not in repr(page), "the whole address is nobody's business"
        assert one.management_no == world_copy.certificates()[0].management_no
        with pytest.raises(NotAllowedError):
            service.retry(ctx, AUDITOR)
        with pytest.raises(NotAllowedError):
            service.retry(ctx, APPROVER)
        before = len(mails.letters)
        assert service.retry(ctx, PROPOSER, [one.id]) == 1
        assert service.retry(ctx, PROPOSER, [one.id]) == 0, "it waits already"
        deliver(ctx)
        assert len(mails.letters) == before + 1
        assert service.count_given_up(ctx, AUDITOR) == 2
        assert service.retry(ctx, PROPOSER) == 2
        deliver(ctx)
        assert len(mails.letters) == before + 3
        with ctx.database.read() as session:
            states = set(session.scalars(select(WatchMessage.state)))
            acts = list(session.scalars(select(AuditEvent.details).where(AuditEvent.act == "watch.retry")))
        assert states == {"sent"}
        assert [details["messages"] for details in acts] == [1, 2]


def test_every_code_of_a_failure_is_told_in_words() -> None:
    for code in ("no-answer", "unresolvable", "mail-refused", "answered-503", "answered-410"):
        assert service.why(code).zh not in ("", "未能送达")
    assert "503" in service.why("answered-503").en
    assert service.why("something-new").zh == "未能送达"


def test_page_and_api_show_and_retry(office: Office) -> None:
    with mail_server() as mails:
        refused_world(office.world, mails)
    console = office.desk("issuer")
    assert "1 条通知未送达" in console.get("/console/").text
    page = console.get("/console/undelivered").text
    assert ORGANISATION in page
    assert MAIL not in page
    assert "对方邮件服务器拒收" in page
    auditor = office.desk("auditor")
    assert "重新发送" not in auditor.get("/console/undelivered").text
    api = office.as_("issuer")
    listed = api.get("/api/v1/watches/undelivered").json()["items"]
    assert [row["code"] for row in listed] == ["mail-refused"]
    refused = office.as_("auditor").post("/api/v1/watches/undelivered/retry", json={"ids": None})
    assert refused.status_code == 403
    first = api.post("/api/v1/watches/undelivered/retry", json={"ids": None}, headers={"Idempotency-Key": "a"})
    again = api.post("/api/v1/watches/undelivered/retry", json={"ids": None}, headers={"Idempotency-Key": "a"})
    assert first.json() == again.json() == {"waiting": 1}
    assert api.get("/api/v1/watches/undelivered").json() == {"items": [], "next": None}
    assert "没有未送达的通知" in console.get("/console/undelivered").text


def test_the_command_shows_and_retries(world_copy: World, capsys: pytest.CaptureFixture[str]) -> None:
    with mail_server() as mails:
        refused_world(world_copy, mails)
    world_copy.close()

    def ask(*words: str, code: int = 0) -> dict[str, object]:
        capsys.readouterr()
        assert run(["watching", *words, "--data-dir", str(world_copy.folder), "--json"]) == code
        return json.loads(capsys.readouterr().out or "{}")  # type: ignore[no-any-return]

    assert ask("show")["given_up"] == {"mail-refused": 1}
    (row,) = ask("undelivered")["messages"]  # type: ignore[misc]
    assert row["organisation"] == ORGANISATION  # type: ignore[index]
    ask("retry", code=2)
    assert ask("retry", "--all") == {"waiting": 1}
    assert ask("undelivered") == {"messages": [], "next": None}
