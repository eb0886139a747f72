"""Paper over HTTP: a certificate's whole way, alarms with their clause, and a repeated key."""

import base64
from collections.abc import Iterator
from io import BytesIO

import pytest
from openpyxl import load_workbook

from tests.factories.office import Office, office_over
from tests.factories.paper_office import make_paper, serial_of
from tests.factories.world import World
from tests.issuer.paper.test_paper_life import signature

PAPER = "/api/v1/paper"
HOME = {"recipient": "=HYPERLINK(1)", "phone": "13800000000", "address": "示例省示例市示例路 1 号"}


@pytest.fixture
def paper_office(eligible_world: World) -> Iterator[Office]:
    make_paper(eligible_world)
    with office_over(eligible_world) as office:
        yield office


def problem(answer: object) -> tuple[int, str, str | None]:
    body = answer.json()  # type: ignore[attr-defined]
    return answer.status_code, body["code"], body.get("clause")  # type: ignore[attr-defined]


def test_by_mail_from_the_booking_to_the_alarm(paper_office: Office) -> None:
    office, world = paper_office, paper_office.world
    clerk = office.as_("reviewer")
    first, second = (serial_of(world, person.admission_no) for person in world.people[:2])
    for serial in (first, second):
        assert clerk.post(f"{PAPER}/certificates/{serial}/book", json=HOME).status_code == 200
    exported = clerk.get(f"{PAPER}/sittings/{world.sitting}/courier.xlsx")
    sheet = load_workbook(BytesIO(exported.content)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert [cell.data_type for cell in sheet[2]][:6] == ["s"] * 6, "no cell is a formula"
    numbers = {row[0]: f"SF000000000{place}" for place, row in enumerate(rows[1:], 1)}
    file = "\n".join(["管理号,地址版本,运单号", *(f"{no},1,{waybill}" for no, waybill in numbers.items())]).encode()
    upload = lambda: clerk.post(  # noqa: E731
        f"{PAPER}/sittings/{world.sitting}/waybills", files={"file": ("courier.csv", file)}
    )
    assert upload().json()["assigned"] == 2
    assert (upload().json()["assigned"], upload().json()["unchanged"]) == (0, 2)
    detail = clerk.get(f"{PAPER}/certificates/{first}").json()
    assert HOME["address"] not in str(detail)
    right = detail["waybill"]
    wrong = next(waybill for waybill in numbers.values() if waybill != right)
    pack = lambda waybill: clerk.post(  # noqa: E731
        f"{PAPER}/scans/pack", json={"certificate": first, "waybill": waybill}
    )
    assert problem(pack(wrong)) == (409, "wrong-envelope", "R12")
    assert pack(right).json()["reference"] == right
    assert clerk.post(f"{PAPER}/scans/post", json={"waybill": right}).json()["state"] == "posted"
    assert problem(clerk.post(f"{PAPER}/certificates/{first}/address", json=HOME)) == (409, "courier-has-it", "R12")
    queues = {queue["queue"]: queue["count"] for queue in clerk.get(f"{PAPER}/queues").json()}
    assert queues == {"awaiting-holder": 6, "to-pack": 1, "in-post": 1}
    listed = clerk.get(f"{PAPER}/certificates", params={"queue": "to-pack"}).json()["items"]
    assert [item["serial"] for item in listed] == [second]
    assert office.as_("stranger").get(f"{PAPER}/certificates").json()["items"] == []
    assert problem(office.as_("stranger").get(f"{PAPER}/certificates/{first}")) == (
        403,
        "outside-own-programmes",
        "R1",
    )


def test_on_site_with_one_key_twice(paper_office: Office) -> None:
    clerk, person = paper_office.as_("issuer"), paper_office.world.people[0]
    serial = serial_of(paper_office.world, person.admission_no)
    body = {"holder_id_no": person.id_no, "signature": base64.b64encode(signature()).decode()}
    hand = lambda key: clerk.post(  # noqa: E731
        f"{PAPER}/certificates/{serial}/collect", json=body, headers={"Idempotency-Key": key}
    )
    assert (
        problem(clerk.post(f"{PAPER}/certificates/{serial}/collect", json={"holder_id_no": "x"}))[1]
        == "proof-missing"
    )
    for unreadable in ("签名", "not base64", "AAAA\u00e9"):
        sent = {"holder_id_no": person.id_no, "signature": unreadable}
        refused = clerk.post(f"{PAPER}/certificates/{serial}/collect", json=sent)
        assert problem(refused)[:2] == (422, "signature-unusable"), unreadable
    assert hand("k1").status_code == 200
    again = hand("k1")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert problem(hand("k2")) == (409, "paper-state", "R12")


def test_stock_is_counted_by_two_accounts(paper_office: Office) -> None:
    programme = paper_office.world.sitting.split("-")[0]
    body = {"programme": programme, "first": "Y001", "last": "Y010"}
    receipt = paper_office.as_("issuer").post(f"{PAPER}/stock/receipts", json=body).json()
    path = f"{PAPER}/stock/receipts/{receipt['id']}/confirm"
    assert problem(paper_office.as_("issuer").post(path, json={"count": 10})) == (409, "two-people", "R16")
    assert problem(paper_office.as_("reviewer").post(path, json={"count": 9})) == (409, "count-differs", "R16")
    assert paper_office.as_("reviewer").post(path, json={"count": 10}).json()["state"] == "confirmed"
    (balance,) = paper_office.as_("auditor").get(f"{PAPER}/stock").json()["balances"]
    assert (balance["received"], balance["in_stock"], balance["used"]) == (30, 22, 8)
    bad = body | {"first": "Y005", "last": "Y001"}
    assert problem(paper_office.as_("issuer").post(f"{PAPER}/stock/receipts", json=bad))[1] == "serial-range"


def test_a_replacement_is_decided_by_another_and_takes_a_new_form(paper_office: Office) -> None:
    office, person = paper_office, paper_office.world.people[2]
    old = serial_of(office.world, person.admission_no)
    body = {
        "sitting_code": office.world.sitting,
        "admission_no": person.admission_no,
        "reason": "遗失",
        "kind": "lost",
    }
    request = office.as_("issuer").post(f"{PAPER}/replacements", json=body).json()["id"]
    path = f"{PAPER}/replacements/{request}"
    assert problem(office.as_("issuer").post(f"{path}/fulfilled"))[1] == "replacement-needs-form"
    assert problem(office.as_("issuer").post(f"{path}/print"))[1] == "replacement-not-approved"
    assert problem(office.as_("issuer").post(f"{path}/decision", json={"approve": True}))[1] == "two-people"
    assert office.as_("reviewer").post(f"{path}/decision", json={"approve": True}).json()["approved_by"] == "reviewer"
    printed = office.as_("issuer").post(f"{path}/print").json()
    assert printed["void"] == old
    was = office.as_("auditor").get(f"{PAPER}/certificates/{old}").json()
    now = office.as_("auditor").get(f"{PAPER}/certificates/{printed['serial']}").json()
    assert (was["state"], was["replaced_by"], now["replaces"]) == ("void", printed["serial"], old)
    assert was["management_no"] == now["management_no"]
    assert serial_of(office.world, person.admission_no) == printed["serial"]
