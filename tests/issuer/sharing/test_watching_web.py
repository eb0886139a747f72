"""The door to watching: pages and API for anybody, with limits; nothing a stranger could use against somebody."""

import io
from collections.abc import Iterator

import pytest
import xlsxwriter
from fastapi.testclient import TestClient
from pydantic import SecretStr

from issuer.app import create_issuer_app
from issuer.holders import limits
from issuer.sharing.delivery import deliver
from issuer.sharing.watchers import look
from tests.factories.world import World
from tests.services.mail_server import MailServer, mail_server

ORGANISATION = "示例建设有限公司人事部"


@pytest.fixture
def mails() -> Iterator[MailServer]:
    """A mail server."""
    with mail_server() as server:
        yield server


@pytest.fixture
def browser(world_copy: World, mails: MailServer) -> Iterator[TestClient]:
    """A browser of nobody in particular."""
    changes = {"smtp_url": SecretStr(mails.url), "mail_from": "no-reply@zs.example.cn"}
    world_copy.ctx.settings = world_copy.ctx.settings.model_copy(update=changes)
    yield TestClient(create_issuer_app(world_copy.ctx), follow_redirects=False, raise_server_exceptions=False)


def asked_link(world: World, mails: MailServer) -> str:
    """The link in the mail that asks to confirm."""
    deliver(world.ctx)
    return str(mails.last().get_content()).split("/watch/manage/")[1].split()[0]


def test_from_the_page_to_a_list_and_out_again(browser: TestClient, world_copy: World, mails: MailServer) -> None:
    first, second, third = world_copy.certificates()[:3]
    form = browser.get(f"/watch/{first.token}")
    assert form.status_code == 200
    assert world_copy.people[0].name not in form.text
    asked = browser.post(
        f"/watch/{first.token.lower()}",
        data={"organisation": ORGANISATION, "email": "hr@example.com", "label": "工号0042"},
    )
    assert asked.status_code == 202
    link = asked_link(world_copy, mails)
    assert browser.get(f"/watch/manage/{link}").text.count("确认接收通知") == 1
    assert look(world_copy.ctx, link).state == "pending", "looking at the page, as mail programs do, confirms nothing"
    assert browser.post(f"/watch/manage/{link}/confirm").status_code == 303
    assert "工号0042" in browser.get(f"/watch/manage/{link}").text
    book = io.BytesIO()
    with xlsxwriter.Workbook(book) as workbook:
        sheet = workbook.add_worksheet()
        rows = [("姓名", "管理号"), (world_copy.people[1].name, second.management_no), ("某某", third.management_no)]
        for place, row in enumerate(rows):
            sheet.write_row(place, 0, row)
    files = {"file": ("名单.xlsx", book.getvalue())}
    uploaded = browser.post(f"/watch/manage/{link}/roster", files=files)
    assert (uploaded.text.count("watching</small>"), uploaded.text.count("no such certificate</small>")) == (1, 1)
    again = browser.post(f"/watch/manage/{link}/roster", files=files)
    assert "watched already" in again.text
    assert len(look(world_copy.ctx, link).watches) == 2
    assert browser.post(f"/watch/unsubscribe/{link}", data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert look(world_copy.ctx, link).state == "ended"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"a,b\n1,2\n", "没有找到"),
        ("a.csv", b"\xff\xfe\x00\x00\xff", "无法读取"),
        ("a.xlsx", b"PK\x03\x04 nothing", 'role="alert"'),
        ("a.csv", ("管理号,姓名\n" + "1,某某\n" * 501).encode(), "超过"),
    ],
)
def test_lists_that_cannot_be_used_change_nothing(
    browser: TestClient, world_copy: World, mails: MailServer, name: str, content: bytes, code: str
) -> None:
    token = world_copy.certificates()[0].token
    browser.post(f"/watch/{token}", data={"organisation": ORGANISATION, "email": "hr@example.com"})
    link = asked_link(world_copy, mails)
    browser.post(f"/watch/manage/{link}/confirm")
    answer = browser.post(f"/watch/manage/{link}/roster", files={"file": (name, content)})
    assert answer.status_code in (413, 422)
    assert code in answer.text
    assert len(look(world_copy.ctx, link).watches) == 1


def test_the_api_does_the_same(browser: TestClient, world_copy: World, mails: MailServer) -> None:
    first, second = world_copy.certificates()[:2]
    body = {
        "management_no": first.management_no,
        "name": world_copy.people[0].name,
        "organisation": ORGANISATION,
        "email": "hr@example.com",
    }
    headers = {"Idempotency-Key": "k1"}
    begun = browser.post("/api/v1/watches", json=body, headers=headers)
    assert (begun.status_code, begun.json()["state"]) == (202, "pending")
    repeated = browser.post("/api/v1/watches", json=body, headers=headers)
    assert repeated.json() == begun.json()
    wrong = [body | {"name": "某某"}, body | {"management_no": "0000"}]
    answers = [browser.post("/api/v1/watches", json=one) for one in wrong]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].json() == answers[1].json(), "a wrong name and an unknown number are answered alike"
    bearer = {"Authorization": f"Bearer {asked_link(world_copy, mails)}"}
    early = browser.post("/api/v1/watches/certificates", json={"items": [{"token": second.token}]}, headers=bearer)
    assert (early.status_code, early.json()["code"]) == (409, "watcher-not-confirmed")
    keyed = bearer | {"Idempotency-Key": "c"}
    confirmed, repeated = (browser.post("/api/v1/watches/confirm", headers=keyed) for _ in range(2))
    assert confirmed.json() == repeated.json() == browser.get("/api/v1/watches", headers=bearer).json()
    assert (confirmed.json()["state"], repeated.headers["Idempotent-Replayed"]) == ("active", "true")
    more = browser.post("/api/v1/watches/certificates", json={"items": [{"token": second.token}]}, headers=bearer)
    assert more.json() == {"results": ["watching"]}
    listed = browser.post(
        "/api/v1/watches/roster",
        files={
            "file": ("a.csv", f"管理号;姓名\n{first.management_no};{world_copy.people[0].name}\n".encode("gb18030"))
        },
        headers=bearer,
    )
    assert listed.json() == {"results": ["already"]}
    shown = browser.get("/api/v1/watches", headers=bearer).json()
    assert [line["token"] for line in shown["watches"]] == [second.token, first.token]
    one = browser.post("/api/v1/watches/end", json={"watch": shown["watches"][0]["id"]}, headers=bearer).json()
    assert len(one["watches"]) == 1
    keyed = bearer | {"Idempotency-Key": "e"}
    ended, repeated = (browser.post("/api/v1/watches/end", json={}, headers=keyed) for _ in range(2))
    assert (ended.json(), repeated.headers["Idempotent-Replayed"]) == (repeated.json(), "true")
    assert (ended.json()["state"], ended.json()["watches"]) == ("ended", []), "the answer tells of its own effect"
    other = browser.post("/api/v1/watches/end", json={"watch": 1}, headers=keyed)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")


def test_without_the_secret_nothing_is_shown(browser: TestClient) -> None:
    assert browser.get("/api/v1/watches").status_code == 401
    assert browser.get("/api/v1/watches", headers={"Authorization": "Bearer x.y"}).status_code == 404
    assert browser.post("/api/v1/watches/end", json={}, headers={"Authorization": "Bearer x"}).status_code == 404
    assert browser.get("/watch/manage/x.y").status_code == 404
    assert browser.get("/watch/notatoken").status_code == 422


def test_nobody_s_mailbox_is_filled(
    browser: TestClient, world_copy: World, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WATCHES_TARGET", "2/day")
    address = f"/watch/{world_copy.certificates()[0].token}"
    data = {"organisation": ORGANISATION, "email": "hr@example.com"}
    assert [browser.post(address, data=data).status_code for _ in range(3)] == [202, 202, 429]
    assert browser.post(address, data=data | {"email": "HR@example.com"}).status_code == 429
    assert browser.post(address, data=data | {"email": "other@example.com"}).status_code == 202
    deliver(world_copy.ctx)
    assert len(mails.letters) == 3


def test_a_form_of_another_site_is_refused(browser: TestClient, world_copy: World) -> None:
    address = f"/watch/{world_copy.certificates()[0].token}"
    data = {"organisation": ORGANISATION, "email": "hr@example.com"}
    assert browser.post(address, data=data, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_where_mail_is_not_offered_the_api_says_what_is(world_copy: World) -> None:
    client = TestClient(create_issuer_app(world_copy.ctx), raise_server_exceptions=False)
    body = {"token": world_copy.certificates()[0].token, "organisation": ORGANISATION, "email": "hr@example.com"}
    answer = client.post("/api/v1/watches", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "mail-not-offered")
