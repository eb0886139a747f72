"""The console without a browser: signing in, what each role is shown, forms that act."""

import re
from pathlib import Path

import pytest

from tests.factories.candidates import invent, write_files
from tests.factories.office import CSRF, PASSWORD, USERNAMES, Office

LARGEST = 100_000


def pages(office: Office) -> list[str]:
    number, sitting = office.world.certificates()[0].management_no, office.world.sitting
    return [
        "/console/",
        f"/console/sittings/{sitting}",
        f"/console/sittings/{sitting}/issue",
        "/console/batches/1",
        "/console/batches/1/progress",
        "/console/certificates",
        f"/console/certificates?sitting={sitting}&status=valid",
        f"/console/certificates/{number}",
        f"/console/certificates/{number}/invalidate?ground=false-materials",
        "/console/cases",
        "/console/announcements",
        "/console/late",
        f"/console/samples/{sitting}",
        "/console/paper",
        "/console/audit?check=true",
    ]


@pytest.mark.parametrize("username", [name for name in USERNAMES if name not in ("second", "stranger")])
def test_pages_answer_each_role_with_a_page_or_a_clear_refusal(reading_office: Office, username: str) -> None:
    desk = reading_office.desk(username)
    for address in pages(reading_office):
        answer = desk.get(address)
        assert answer.status_code in (200, 403), (address, answer.status_code)
        assert len(answer.content) < LARGEST, address
        assert "style=" not in answer.text, address
        assert "onclick" not in answer.text, address
        assert answer.headers["cache-control"] == "no-store"
        if answer.status_code == 403:
            assert "没有办理此事项的权限" in answer.text, address


@pytest.mark.parametrize("username", [name for name in USERNAMES if name not in ("second", "stranger")])
def test_navigation_leads_nowhere_that_is_refused(reading_office: Office, username: str) -> None:
    desk = reading_office.desk(username)
    seen, waiting = set[str](), ["/console/"]
    while waiting:
        address = waiting.pop()
        seen.add(address)
        answer = desk.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        if answer.headers["content-type"].startswith("text/html"):
            found = {link.replace("&amp;", "&") for link in re.findall(r'href="(/console/[^"#]*)', answer.text)}
            waiting += sorted(
                link
                for link in found - seen - set(waiting)
                if "/static/" not in link and "before=" not in link and "subject=" not in link
            )
    assert len(seen) > 1 or username == "stranger"


def test_signing_in_leads_on_within_the_console_only(reading_office: Office) -> None:
    browser = reading_office.anybody()
    away = browser.get("/console/cases")
    assert (away.status_code, away.headers["location"]) == (303, "/console/sign-in?next=/console/cases")
    for next_page, goes in (("/console/cases", "/console/cases"), ("//evil.example/console/", "/console/")):
        form = {"username": "auditor", "password": PASSWORD, "next": next_page}
        answer = browser.post("/console/sign-in", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, goes)
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
    assert browser.get("/console/").status_code == 200
    secure = browser.post("/console/sign-in", data=form, headers={"X-Forwarded-Proto": "https"})
    assert "secure" in secure.headers["set-cookie"].lower()


def test_a_wrong_password_and_an_unknown_account_read_the_same(reading_office: Office) -> None:
    browser = reading_office.anybody()
    answers = [
        browser.post("/console/sign-in", data={"username": name, "password": "wrong wrong wrong"}).text.replace(
            name, "X"
        )
        for name in ("supervisor", "nobody-at-all")
    ]
    assert answers[0] == answers[1]
    assert "用户名或密码不正确" in answers[0]


def test_signing_out_ends_the_session(office: Office) -> None:
    desk = office.desk("auditor")
    assert desk.get("/console/").status_code == 200
    assert desk.post("/console/sign-out", data={"csrf": CSRF}).status_code == 303
    desk.cookies.set("ecert_staff", "session-of-auditor")
    assert desk.get("/console/").status_code == 303


def test_a_person_is_found_by_form_and_never_by_address(reading_office: Office) -> None:
    person, desk = reading_office.world.people[2], reading_office.desk("reviewer")
    for form in ({"name": person.name}, {"id_no": person.id_no}):
        found = desk.post("/console/certificates/search", data={"csrf": CSRF, **form})
        assert found.status_code == 200
        assert str(found.url).endswith("/console/certificates/search")
        assert person.name in found.text
        assert person.id_no not in found.text
    number = reading_office.world.certificates()[0].management_no
    by_number = desk.post("/console/certificates/search", data={"csrf": CSRF, "management_no": f" {number} "})
    assert by_number.headers["location"] == f"/console/certificates/{number}"
    nothing = desk.post("/console/certificates/search", data={"csrf": CSRF})
    assert (nothing.status_code, "请填写姓名或证件号码" in nothing.text) == (422, True)


def test_the_proposer_is_told_that_somebody_else_decides(office: Office) -> None:
    number = office.world.certificates()[0].management_no
    issuer, approver = office.desk("issuer"), office.desk("approver")
    form = issuer.get(f"/console/certificates/{number}/invalidate?ground=ineligible-in-supervision").text
    digest = form.split('name="digest" value="')[1].split('"')[0]
    sent = {"csrf": CSRF, "ground": "ineligible-in-supervision", "basis": "示例依据", "digest": digest}
    stale = issuer.post(f"/console/certificates/{number}/invalidate", data=sent | {"digest": "0" * 64})
    assert (stale.status_code, "情况已有变化" in stale.text) == (409, True)
    proposed = issuer.post(f"/console/certificates/{number}/invalidate", data=sent)
    case = proposed.headers["location"]
    own = issuer.get(case).text
    assert "这是您提出的，须由另一人审批" in own
    assert f"{case}/approve" not in own
    assert issuer.post(f"{case}/approve", data={"csrf": CSRF}).status_code == 403
    assert f"{case}/approve" in approver.get(case).text
    assert case in approver.get("/console/").text
    assert approver.post(f"{case}/reject", data={"csrf": CSRF, "note": ""}).status_code == 409
    assert approver.post(f"{case}/approve", data={"csrf": CSRF}).status_code == 303
    assert "已生效" in issuer.get(case).text
    assert office.world.certificate(number).status == "invalid"
    appeal = issuer.post(f"/console/certificates/{number}/reinstate", data={"csrf": CSRF, "basis": "复议撤销"})
    assert "原认定由您批准" in approver.get(appeal.headers["location"]).text
    assert office.desk("second").post(appeal.headers["location"] + "/approve", data={"csrf": CSRF}).status_code == 303
    assert office.world.certificate(number).status == "valid"


def test_a_roster_is_checked_and_its_bad_rows_fetched(office: Office, tmp_path: Path) -> None:
    roster, _ = write_files(tmp_path / "source", invent(3))
    desk, sitting = office.desk("issuer"), office.world.sitting
    files = {"file": (roster.name, roster.read_bytes())}
    checked = desk.post(f"/console/sittings/{sitting}/roster", data={"csrf": CSRF, "mode": "check"}, files=files)
    assert (checked.status_code, "没有写入任何数据" in checked.text) == (200, True)
    bad = {"file": ("x.csv", "准考证号,姓名\n,".encode())}
    refused = desk.post(f"/console/sittings/{sitting}/roster", data={"csrf": CSRF}, files=bad)
    assert refused.status_code in (200, 422)
    assert 'class="note' in refused.text
    nothing = {"file": ("empty.xlsx", b"")}
    empty = desk.post(f"/console/sittings/{sitting}/roster", data={"csrf": CSRF}, files=nothing)
    assert (empty.status_code, 'role="alert"' in empty.text) == (422, True)


def test_a_batch_is_planned_then_issued(eligible_office: Office) -> None:
    desk, sitting = eligible_office.desk("issuer"), eligible_office.world.sitting
    plan = desk.get(f"/console/sittings/{sitting}/issue").text
    digest = plan.split('name="digest" value="')[1].split('"')[0]
    stale = desk.post(f"/console/sittings/{sitting}/issue", data={"csrf": CSRF, "digest": "0" * 16})
    assert (stale.status_code, "情况已变化" in stale.text) == (409, True)
    begun = desk.post(f"/console/sittings/{sitting}/issue", data={"csrf": CSRF, "digest": digest})
    assert begun.status_code == 303
    page = desk.get(begun.headers["location"]).text
    assert "签发批次" in page


def test_paper_at_the_counter_is_refused_with_its_clause(office: Office) -> None:
    number = office.world.certificates()[0].management_no
    desk = office.desk("reviewer")
    refused = desk.post("/console/paper/replacements", data={"csrf": CSRF, "management_no": number, "reason": "遗失"})
    assert (refused.status_code, "R14" in refused.text) == (409, True)
    assert "不予受理" in desk.get("/console/paper/replacements").text


def test_an_unexpected_error_shows_a_reference_and_nothing_else(
    reading_office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("张三 410000199001011234")

    monkeypatch.setattr("issuer.console.audit.list_events", fails)
    answer = reading_office.desk("auditor").get("/console/audit")
    assert (answer.status_code, "程序内部错误" in answer.text) == (500, True)
    assert "张三" not in answer.text
    assert "410000199001011234" not in caplog.text
