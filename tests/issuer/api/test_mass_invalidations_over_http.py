"""Invalidation by list over the API and from the console: checked, proposed, approved by somebody else."""

import io
import json
import re
import time
from typing import Any

from openpyxl import load_workbook

from tests.factories.office import CSRF, Office

BASIS = "豫人社函〔2024〕25号一（三）：不符合报考条件"


def listing(office: Office, count: int, *more: str) -> bytes:
    numbers = [row.management_no for row in office.world.certificates()][:count]
    return "\n".join(["管理号", *numbers, *more]).encode()


def send(office: Office, username: str, content: bytes, key: str | None = None, **form: str) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return office.as_(username).post(
        "/api/v1/invalidations/lists",
        data={"ground": "R9", "basis": BASIS, **form},
        files={"file": ("list.csv", content)},
        headers=headers,
    )


def settled(office: Office, number: int, *states: str) -> dict[str, Any]:
    limit = time.monotonic() + 200
    while True:
        now = office.as_("auditor").get(f"/api/v1/invalidations/lists/{number}").json()
        if now["state"] in states:
            return dict(now)
        assert time.monotonic() < limit, now
        time.sleep(0.05)


def verdicts(office: Office) -> list[str]:
    checker = office.world.checker()
    return [str(checker.check_token(row.token).verdict) for row in office.world.certificates()]


def test_a_list_goes_from_plan_to_every_check_by_two_people(office: Office) -> None:
    content = listing(office, 5, "NO-SUCH-99")
    plan = send(office, "reviewer", content, dry_run="true").json()
    assert (plan["id"], plan["invalidate"], plan["refused"], plan["touched"]["subjects"]) == (None, 5, 1, 10)
    moved = send(office, "reviewer", content, digest="0" * 16)
    assert (moved.status_code, moved.json()["code"]) == (409, "plan-moved")
    begun = [send(office, "reviewer", content, "list", digest=plan["digest"]) for _ in range(2)]
    number = begun[0].json()["id"]
    assert (begun[0].status_code, begun[1].json()["id"], begun[1].headers["Idempotent-Replayed"]) == (
        202,
        number,
        "true",
    )
    assert settled(office, number, "proposed")["counts"]["proposed"] == 5
    assert set(verdicts(office)) == {"valid"}
    for username in ("reviewer", "issuer", "supervisor"):
        answer = office.as_(username).post(f"/api/v1/invalidations/lists/{number}/approve")
        assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")
    approved = office.as_("approver").post(f"/api/v1/invalidations/lists/{number}/approve")
    assert (approved.status_code, approved.json()["state"]) == (202, "running")
    told = office.as_("approver").get(f"/api/v1/invalidations/lists/{number}/events").text
    assert json.loads(told.rsplit("data: ", 1)[1])["counts"]["done"] == 5
    assert settled(office, number, "done")["finished"] == 5
    assert verdicts(office) == ["invalid"] * 5 + ["valid"] * 3
    rows = office.as_("auditor").get(f"/api/v1/invalidations/lists/{number}/rows", params={"limit": 3}).json()
    assert [row["result"] for row in rows["items"]] == ["done"] * 3 and rows["next"] == 4
    book = office.as_("auditor").get(f"/api/v1/invalidations/lists/{number}/outcome.xlsx").content
    assert load_workbook(io.BytesIO(book)).worksheets[0].max_row == 6
    assert office.as_("stranger").get(f"/api/v1/invalidations/lists/{number}").status_code == 404
    assert office.as_("operator").get("/api/v1/invalidations/lists").status_code == 403
    assert [row["id"] for row in office.as_("supervisor").get("/api/v1/invalidations/lists").json()["items"]] == [
        number
    ]
    again = send(office, "reviewer", content, dry_run="true").json()
    assert (again["invalidate"], again["unchanged"]) == (0, 5)
    assert send(office, "reviewer", content, digest=again["digest"]).json()["id"] is None


def test_a_list_is_withdrawn_over_the_api(office: Office) -> None:
    content = listing(office, 2)
    digest = send(office, "issuer", content, dry_run="true").json()["digest"]
    number = send(office, "issuer", content, digest=digest).json()["id"]
    settled(office, number, "proposed")
    path = f"/api/v1/invalidations/lists/{number}/withdraw"
    other = office.as_("reviewer").post(path, json={"note": "不是我的清单"})
    assert (other.status_code, other.json()["code"]) == (409, "not-the-proposer")
    assert office.as_("issuer").post(path, json={"note": "清单有误"}).status_code == 202
    assert settled(office, number, "withdrawn")["decision_note"] == "清单有误"
    assert set(verdicts(office)) == {"valid"}


def test_from_the_console_a_list_is_seen_before_it_is_proposed(office: Office) -> None:
    desk, content = office.desk("issuer"), listing(office, 3, "NO-SUCH-99", "=1+1")
    empty = desk.post("/console/lists/check", data={"csrf": CSRF})
    assert (empty.status_code, "没有选择清单文件" in empty.text) == (422, True)
    form = {"csrf": CSRF, "ground": "ineligible-in-supervision", "basis": BASIS}
    page = desk.post("/console/lists/check", data=form, files={"file": ("list.csv", content)}).text
    assert "提议认定 3 份无效" in page and "NO-SUCH-99" in page
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    address = re.search(r'href="(/console/lists/checked/[^"]+\.xlsx)"', page)
    assert address is not None
    book = desk.get(address[1])
    values = [cell for row in load_workbook(io.BytesIO(book.content)).worksheets[0].iter_rows() for cell in row]
    assert {cell.data_type for cell in values if cell.value is not None} == {"s"}
    assert "=1+1" in {cell.value for cell in values}
    assert office.desk("reviewer").get(address[1]).status_code == 404, "another account's file"
    stale = desk.post("/console/lists", data=kept | {"csrf": CSRF, "digest": "0" * 16})
    assert (stale.status_code, "情况已变化" in stale.text, "提议认定 3 份无效" in stale.text) == (409, True, True)
    begun = desk.post("/console/lists", data=kept | {"csrf": CSRF})
    assert begun.status_code == 303
    number = int(begun.headers["location"].rsplit("/", 1)[1])
    settled(office, number, "proposed")
    own = desk.get(f"/console/lists/{number}").text
    assert "撤回整份清单" in own and "/approve" not in own
    approver = office.desk("approver")
    assert "批准，3 份证书无效" in approver.get(f"/console/lists/{number}").text
    silent = approver.post(f"/console/lists/{number}/reject", data={"csrf": CSRF, "note": ""})
    assert (silent.status_code, 'role="alert"' in silent.text) == (409, True)
    assert approver.post(f"/console/lists/{number}/approve", data={"csrf": CSRF}).status_code == 303
    settled(office, number, "done")
    assert verdicts(office).count("invalid") == 3
    for username in ("auditor", "supervisor", "approver"):
        page = office.desk(username).get("/console/lists").text
        assert "已执行" in page and "逐行检查" not in page
    assert BASIS in office.desk("auditor").get(f"/console/lists/{number}/progress").text
    assert office.desk("auditor").get(f"/console/lists/{number}/outcome.xlsx").status_code == 200
    assert office.desk("operator").get("/console/lists").status_code == 403
