"""Cases against people without an electronic certificate on the console: found, planned, decided, reinstated."""

import re

from tests.factories.candidates import invent
from tests.factories.office import CSRF, Office
from tests.factories.paper_office import make_paper, serial_of

BASIS = "豫人社函〔2024〕25号一（三）：经核实不符合报考条件"


def digest_of(page: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found, page
    return found[1]


def test_r9_from_the_seat_to_the_fallen_paper_and_back(eligible_office: Office) -> None:
    make_paper(eligible_office.world)
    person = invent(1)[0]
    serial = serial_of(eligible_office.world, person.admission_no)
    clerk, chief, second = (eligible_office.desk(name) for name in ("issuer", "approver", "second"))
    sent = {"csrf": CSRF, "sitting": eligible_office.world.sitting, "admission_no": person.admission_no}
    lost = clerk.post("/console/cases/search", data=sent | {"admission_no": "no such"})
    assert lost.status_code == 404 and "没有找到对应的报名记录" in lost.text
    found = clerk.post("/console/cases/search", data=sent)
    assert found.status_code == 303
    about = found.headers["location"]
    assert person.admission_no not in about, "never in an address"
    assert (
        clerk.post("/console/cases/search", data={"csrf": CSRF, "management_no": serial}).headers["location"] == about
    )
    page = clerk.get(about).text
    assert person.name in page and serial in page
    plan = clerk.get(f"{about}?ground=ineligible-in-supervision").text
    asked = {"csrf": CSRF, "ground": "ineligible-in-supervision", "basis": BASIS, "from_beginning": "true"}
    stale = clerk.post(f"{about}/invalidate", data=asked | {"digest": "0" * 64})
    assert stale.status_code == 409 and BASIS in stale.text
    assert chief.post(f"{about}/invalidate", data=asked | {"digest": digest_of(plan)}).status_code == 403
    case = clerk.post(f"{about}/invalidate", data=asked | {"digest": digest_of(plan)}).headers["location"]
    waiting = chief.get(case).text
    assert serial in waiting and "移出保管箱" in waiting
    assert chief.post(f"{case}/approve", data={"csrf": CSRF}).status_code == 303
    assert "报名和成绩已无效" in clerk.get(about).text
    assert "made void" in clerk.get(f"/console/paper/certificates/{serial}").text
    assert serial in clerk.get("/console/cases").text or about in clerk.get("/console/cases").text
    appeal = clerk.post(f"{about}/reinstate", data={"csrf": CSRF, "basis": "行政复议决定撤销原认定"})
    assert chief.post(f"{appeal.headers['location']}/approve", data={"csrf": CSRF}).status_code == 403
    assert second.post(f"{appeal.headers['location']}/approve", data={"csrf": CSRF}).status_code == 303
    assert "报名和成绩有效" in clerk.get(about).text
    assert "恢复效力" in clerk.get(f"/console/paper/certificates/{serial}").text
    assert eligible_office.desk("stranger").get(about).status_code == 403


def test_r10_the_misconduct_record_is_for_few_eyes(eligible_office: Office) -> None:
    clerk, chief, auditor = (eligible_office.desk(name) for name in ("issuer", "approver", "auditor"))
    person = invent(1)[0]
    sent = {"csrf": CSRF, "sitting": eligible_office.world.sitting, "admission_no": person.admission_no}
    about = clerk.post("/console/cases/search", data=sent).headers["location"]
    plan = clerk.get(f"{about}?ground=improper-means").text
    asked = {"csrf": CSRF, "ground": "improper-means", "basis": "替考，第八条", "misconduct_term": "long-term"}
    case = clerk.post(f"{about}/invalidate", data=asked | {"digest": digest_of(plan)}).headers["location"]
    assert "长期" in chief.get(case).text
    chief.post(f"{case}/approve", data={"csrf": CSRF})
    page = auditor.get("/console/misconduct?state=running").text
    assert person.name in page and "替考，第八条" in page and "长期" in page
    assert "没有记录" in auditor.get("/console/misconduct?state=lifted").text
    assert "/console/misconduct" in auditor.get("/console/cases").text
    for stranger in (clerk, eligible_office.desk("reviewer"), eligible_office.desk("operator")):
        assert stranger.get("/console/misconduct").status_code == 403
    assert "/console/misconduct" not in clerk.get("/console/cases").text
