"""The same facts on the candidate's page, at the console, over the API and at the command line."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from sqlalchemy import func, select

from issuer.cli import run
from issuer.records.ledger import AuditEvent
from issuer.records.people import Registration
from issuer.records.registration import ComparisonRun, Material
from issuer.records.reviews import EligibilityReview
from tests.factories.office import CSRF, Office, office_over
from tests.factories.registration_desk import compared_world
from tests.factories.registration_facts import TEXT, a_pdf, a_picture
from tests.factories.world import World


@pytest.fixture(scope="module")
def template(eligible_template: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Eight people, some of them compared; the second handed in a certificate. Copied by each test."""
    world = eligible_template.copy(tmp_path_factory.mktemp("compared") / "data")
    compared_world(world)
    yield world
    world.close()


@pytest.fixture
def world(template: World, tmp_path: Path) -> Iterator[World]:
    """A world of one's own of that kind."""
    world = template.copy(tmp_path / "data")
    yield world
    world.close()


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    with office_over(world) as made:
        yield made


def people(world: World) -> list[Registration]:
    return world.registrations()


def holder(office: Office, number: int) -> tuple[TestClient, str]:
    """A signed-in candidate's browser and the value of its forms."""
    who = people(office.world)[number]
    typed = next(each for each in office.world.people if each.admission_no == who.admission_no)
    client = office.anybody()
    facts = {"id_no": typed.id_no, "name": typed.name, "admission_no": typed.admission_no}
    assert client.post("/my/sign-in", data=facts).status_code == 303
    return client, re.findall(r'name="csrf" value="([^"]+)"', client.get("/my/").text)[0]


def test_the_candidate_reads_what_is_asked_until_when_and_why(office: Office) -> None:
    rows = people(office.world)
    client, _ = holder(office, 2)
    home = client.get("/my/").text
    assert "请提交工作年限证明" in home
    assert "暂时不需要做什么" not in home
    page = client.get(f"/my/registrations/{rows[2].id}").text
    assert "登记数据中未查到" in page
    assert "24:00 前" in page
    assert "需要提交：工作年限证明" in page
    settled, _ = holder(office, 0)
    assert "目前不需要提交任何材料" in settled.get(f"/my/registrations/{rows[0].id}").text
    assert settled.get(f"/my/registrations/{rows[2].id}").status_code == 404, "somebody else's"
    assert office.anybody().get(f"/my/registrations/{rows[2].id}").status_code == 303


def test_the_candidate_accepts_uploads_replaces_and_objects(office: Office) -> None:
    row = people(office.world)[2]
    client, csrf = holder(office, 2)
    place = f"/my/registrations/{row.id}"
    page = client.get(place).text
    digest = re.findall(r'name="digest" value="([0-9a-f]{64})"', page)[0]
    accepted = client.post(f"{place}/commitment", data={"csrf": csrf, "version": "2025-1", "digest": digest})
    assert accepted.headers["location"] == f"{place}#commitment"
    assert "已承诺" in client.get(place).text
    send = {"csrf": csrf, "kind": "employment-proof"}
    refused = client.post(f"{place}/materials", data=send, files={"file": ("a.exe", b"MZ...")})
    assert refused.status_code == 422
    assert "文件不是 PDF、JPEG 或 PNG" in refused.text
    assert client.post(f"{place}/materials", data=send).status_code == 422
    assert client.post(f"{place}/materials", data=send, files={"file": ("证明.pdf", a_pdf())}).status_code == 303
    with office.world.ctx.database.read() as session:
        material = session.scalars(select(Material).where(Material.registration_id == row.id)).one()
    files = {"file": ("证明.png", a_picture("PNG"))}
    replaced = client.post(f"{place}/materials", data=send | {"replaces": str(material.id)}, files=files)
    assert replaced.status_code == 303
    page = client.get(place).text
    assert "已替换" in page
    assert "材料已提交，正在核查" in page
    picture = client.get(f"/my/registrations/materials/{material.id + 1}/1.png")
    assert (picture.headers["content-type"], picture.headers["cache-control"]) == ("image/png", "private, no-store")
    stranger, other = holder(office, 0)
    assert stranger.get(f"/my/registrations/materials/{material.id}/1.png").status_code == 404
    assert (
        stranger.post(f"/my/registrations/materials/{material.id}/withdraw", data={"csrf": other}).status_code == 404
    )
    data = {"csrf": csrf, "registration_id": str(row.id), "matter": "years", "text": "社保记录缺少2018年，请复核。"}
    assert client.post("/my/objections", data=data).status_code == 303
    assert "工作年限" in office.desk("reviewer").get("/console/objections").text


def test_forms_of_the_candidate_need_the_sessions_value_and_this_site(office: Office) -> None:
    row = people(office.world)[2]
    client, csrf = holder(office, 2)
    for path in ("commitment", "commitment/withdraw", "materials"):
        address = f"/my/registrations/{row.id}/{path}"
        assert client.post(address, data={"csrf": "wrong"}).status_code == 403
        other = client.post(address, data={"csrf": csrf}, headers={"Sec-Fetch-Site": "cross-site"})
        assert other.status_code == 403
    files = {"file": ("a.pdf", bytes(11 * 1024 * 1024))}
    answer = client.post(f"/my/registrations/{row.id}/materials", data={"csrf": csrf}, files=files)
    assert answer.status_code == 413, "refused before it is read"


def test_at_the_desk_materials_comparison_and_decision_stand_side_by_side(office: Office) -> None:
    rows = people(office.world)
    desk = office.desk("reviewer")
    form = {"csrf": CSRF}
    for row in rows[1:3]:
        desk.post(f"/console/work/review/{row.id}/claim", data=form)
    page = desk.get(f"/console/work/review/{rows[1].id}").text
    for part in ("大专", "不一致", "毕业证书.jpg", "/console/materials/1/1.png", 'value="find-eligible"'):
        assert part in page, part
    assert "verified-otherwise" not in page, "handed in: no reason is needed"
    open_one = desk.get(f"/console/work/review/{rows[2].id}").text
    assert 'value="verified-otherwise"' in open_one
    assert "依据：豫人社函〔2024〕25号一（二）第3段〔R3〕" in open_one
    decide = f"/console/work/review/{rows[2].id}/decide"
    silent = desk.post(decide, data=form | {"finding": "find-eligible"})
    assert silent.status_code == 409
    assert "有应提交而未提交的证明材料" in silent.text
    assert (
        desk.post(decide, data=form | {"finding": "find-eligible", "reason": "education-not-met"}).status_code == 422
    )
    done = desk.post(decide, data=form | {"finding": "find-eligible", "reason": "originals-seen", "note": "三月五日"})
    assert done.status_code == 303
    with office.world.ctx.database.read() as session:
        assert session.get_one(EligibilityReview, rows[2].id).reason_code == "originals-seen"
    client, _ = holder(office, 2)
    home = client.get("/my/").text
    for words in ("已现场查验证件原件，符合报考条件。 三月五日", "The originals were seen on site", "第3段〔R3〕"):
        assert words in home, words


def test_a_paper_is_looked_at_safely_and_decided(office: Office) -> None:
    desk = office.desk("reviewer")
    page = desk.get("/console/materials/2?page=2")
    assert "第 2 页，共 2 页" in page.text
    picture = desk.get("/console/materials/2/2.png")
    assert picture.content.startswith(b"\x89PNG")
    assert "default-src 'none'" in picture.headers["content-security-policy"]
    assert desk.get("/console/materials/2/3.png").status_code == 404
    assert office.desk("stranger").get("/console/materials/2/2.png").status_code == 403
    assert office.desk("stranger").get("/console/materials/2").status_code == 403
    declined = desk.post("/console/materials/2/decision", data={"csrf": CSRF, "accepted": "false", "note": "x"})
    assert declined.status_code == 422
    asked = {"csrf": CSRF, "accepted": "false", "note": "第二页不清楚，请重拍。"}
    assert desk.post("/console/materials/2/decision", data=asked).headers["location"].endswith("#materials")
    client, _ = holder(office, 1)
    row = people(office.world)[1]
    assert "第二页不清楚，请重拍。" in client.get(f"/my/registrations/{row.id}").text
    with office.world.ctx.database.read() as session:
        looks = session.scalars(select(AuditEvent).where(AuditEvent.act == "material.look")).all()
    assert [(event.actor, event.details["page"]) for event in looks] == [("reviewer", 2)]


def test_the_console_compares_publishes_and_gives_the_rows_back(office: Office) -> None:
    world = office.world
    row = people(world)[3]
    desk = office.desk("issuer")
    place = f"/console/registrations/{world.sitting}"
    page = desk.get(place).text
    assert row.admission_no in page
    content = f"准考证号,学历\n{row.admission_no},本科\n".encode()
    form = {"csrf": CSRF, "source": "education", "version": "2025-09-30"}
    trial = desk.post(f"{place}/comparisons", data=form, files={"file": ("f.csv", content)})
    assert "没有写入任何数据" in trial.text
    done = desk.post(f"{place}/comparisons", data=form | {"mode": "import"}, files={"file": ("f.csv", content)})
    assert "比对已完成" in done.text
    back = re.findall(r"/console/registrations/\S+/returned/\S+\.xlsx", done.text)[0]
    sheet = load_workbook(io.BytesIO(desk.get(back).content)).active
    assert sheet is not None
    assert [cell.value for cell in sheet[2]][:3] == [row.admission_no, "本科", "一致 agrees"]
    assert office.desk("operator").get(back).status_code == 404, "for its sender alone"
    bad = desk.post(f"{place}/comparisons", data=form | {"source": "坏"}, files={"file": ("f.csv", content)})
    assert bad.status_code == 422
    text = {"csrf": CSRF, "version": "2025-2", "in_force_from": "2099-01-01", **TEXT}
    assert desk.post(f"{place}/texts", data=text).status_code == 303
    again = desk.post(f"{place}/texts", data=text | {"text_zh": "本人承诺另一番内容，全部属实。"})
    assert again.status_code == 409
    assert "另一番内容" in again.text, "what was typed is not lost"
    signed = {"csrf": CSRF, "signed_on": world.ctx.clock.today().isoformat()}
    reviewer = office.desk("reviewer")
    assert reviewer.post(f"/console/work/review/{row.id}/commitment", data=signed).status_code == 303
    assert "现场签署" in reviewer.get(f"/console/work/review/{row.id}").text


def test_the_api_answers_the_same_and_a_repeat_gets_the_first_answer(office: Office) -> None:
    world = office.world
    rows = people(world)
    issuer, reviewer, auditor = (office.as_(name) for name in ("issuer", "reviewer", "auditor"))
    files = {"file": ("f.csv", f"准考证号,学历\n{rows[4].admission_no},本科\n".encode())}
    form, key = {"sitting": world.sitting, "source": "education"}, {"Idempotency-Key": "once"}
    first = issuer.post("/api/v1/registrations/comparisons", data=form, files=files, headers=key)
    assert (first.status_code, first.json()["outcomes"]) == (200, {"education": {"match": 1}})
    again = issuer.post("/api/v1/registrations/comparisons", data=form, files=files, headers=key)
    assert (again.headers["Idempotent-Replayed"], again.json()) == ("true", first.json())
    assert issuer.get(first.json()["annotated"]).content.startswith(b"PK")
    with world.ctx.database.read() as session:
        assert session.scalar(select(func.count(ComparisonRun.id))) == 2
    counts = auditor.get(f"/api/v1/registrations/sittings/{world.sitting}").json()
    assert counts["outcomes"]["education"] == {"match": 3, "differs": 1}
    one = reviewer.get(f"/api/v1/registrations/{rows[1].id}").json()
    assert one["items"][0]["why"] == "differs"
    assert [(each["kind"], each["missing"]) for each in one["asked"]] == [("education-certificate", False)]
    assert "大专" not in json.dumps(one, ensure_ascii=False), "no values, no names"
    assert office.as_("stranger").get(f"/api/v1/registrations/{rows[1].id}").json()["clause"] == "R1"
    assert reviewer.get("/api/v1/registrations/999").status_code == 404
    assert auditor.get("/api/v1/registrations/materials/1/pages/1.png").content.startswith(b"\x89PNG")
    verdict = {"accepted": False, "note": "照片不完整，请重拍。"}
    declined = reviewer.post("/api/v1/registrations/materials/1/decision", json=verdict)
    assert declined.json() == {"id": 1, "state": "declined"}
    assert (
        reviewer.post("/api/v1/registrations/materials/1/decision", json=verdict).json()["code"] == "material-decided"
    )
    programme = world.sitting.split("-")[0]
    texts = reviewer.get(f"/api/v1/registrations/texts/{programme}").json()["items"]
    assert [text["version"] for text in texts] == ["2025-1"]
    new = {"version": "2026-1", "in_force_from": "2099-01-01", **TEXT}
    assert issuer.post(f"/api/v1/registrations/texts/{programme}", json=new).json()["version"] == "2026-1"
    today = world.ctx.clock.today().isoformat()
    signed = reviewer.post(f"/api/v1/registrations/{rows[5].id}/commitment", json={"signed_on": today})
    assert signed.json() == {"id": rows[5].id, "state": "recorded"}


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    capsys.readouterr()
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_command_line_compares_publishes_and_shows(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = people(world)[3]
    programme = world.sitting.split("-")[0]
    world.close()
    place = ("--data-dir", str(world.folder))
    here = ("--sitting", world.sitting, *place)
    education, employment = tmp_path / "e.csv", tmp_path / "w.csv"
    education.write_text(f"准考证号,学历,所学专业\n{row.admission_no},本科,土木工程\n", encoding="gb18030")
    employment.write_text(f"准考证号,工作年限\n{row.admission_no},3\nNOBODY1,3\n", encoding="utf-8")
    sources = ("--source", f"education={education}", "--source", f"employment={employment}")
    out = tmp_path / "out"
    code, done = said(capsys, "registration", "compare", *sources, *here, "--annotated", str(out))
    first, second = done["comparisons"]  # type: ignore[misc]
    assert (code, first["new"], second["new"], second["elsewhere"]) == (0, 2, 1, 1)
    assert Path(second["annotated"]["file"]).stat().st_mode & 0o777 == 0o600
    code, again = said(capsys, "registration", "compare", *sources, *here)
    assert [each["run_id"] for each in again["comparisons"]] == [None, None]  # type: ignore[union-attr]
    code, shown = said(capsys, "registration", "show", *here, "--admission-no", row.admission_no)
    assert [each["why"] for each in shown["items"]] == ["compared", "compared", "differs"]  # type: ignore[index,union-attr]
    code, stands = said(capsys, "registration", "status", *here, "--owing", "3")
    assert len(stands["owing"]) == 3  # type: ignore[arg-type]
    toml = tmp_path / "text.toml"
    words = "\n".join(f'{name} = "{text}"' for name, text in TEXT.items())
    toml.write_text(f'version = "2026-1"\nin_force_from = 2099-01-01\n{words}\n', encoding="utf-8")
    code, text = said(capsys, "registration", "publish-text", str(toml), "--programme", programme, *place)
    assert (code, text["version"]) == (0, "2026-1")
    code, texts = said(capsys, "registration", "texts", "--programme", programme, *place)
    assert [each["version"] for each in texts["texts"]] == ["2026-1", "2025-1"]  # type: ignore[union-attr,index]
    for wrong in (("compare", "--source", "education", *here), ("show", *here, "--admission-no", "NONE")):
        assert run(["registration", *wrong]) == 2
    toml.write_text("version = 1", encoding="utf-8")
    assert run(["registration", "publish-text", str(toml), "--programme", programme, *place]) == 2
    capsys.readouterr()
    for fine in (
        ("compare", *sources, *here),
        ("status", *here),
        ("show", *here, "--admission-no", row.admission_no),
    ):
        assert run(["registration", *fine]) == 0
    assert run(["registration", "texts", "--programme", programme, *place]) == 0
    assert "学历 / education: 一致 / agrees" in capsys.readouterr().out
