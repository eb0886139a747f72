"""The certificate page with invented people on it, from the console and by command: marked, whole, never sealed."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from issuer.cli import run
from issuer.issuance.template_preview import PEOPLE
from templates.certificate.page import read_back
from tests.factories.office import Office


def test_staff_see_a_programmes_page_with_every_kind_of_name(reading_office: Office) -> None:
    code = reading_office.world.sitting.split("-")[0]
    desk = reading_office.desk("supervisor")
    for key, person in PEOPLE.items():
        page = desk.get("/console/templates", params={"programme": code, "person": key}).text
        assert f"/console/templates/{code}/{key}.png" in page
        assert person.name in page and 'role="alert"' not in page
    pdf = desk.get(f"/console/templates/{code}/long.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    shown = read_back(pdf.content)
    assert shown.fields["name"] == PEOPLE["long"].name
    assert "示例" in shown.text and "不具有法律效力" in shown.text
    assert b"/ByteRange" not in pdf.content, "a sample is never sealed"
    picture = desk.get(f"/console/templates/{code}/rare.png")
    image = Image.open(io.BytesIO(picture.content))
    assert (image.format, image.width > 800, image.height > image.width) == ("PNG", True, True)
    for address in (f"/console/templates/{code}/nobody.png", "/console/templates/NONE/rare.pdf"):
        assert desk.get(address).status_code == 404
    assert reading_office.desk("reviewer").get("/console/templates").status_code == 403
    assert "证书版式" in reading_office.desk("issuer").get("/console/templates?programme=x&person=x").text


def test_a_sample_by_command(reading_office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, png = tmp_path / "page.pdf", tmp_path / "page.png"
    code = reading_office.world.sitting.split("-")[0]

    def ecert(*words: str) -> tuple[int, dict[str, object]]:
        code = run(["template", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    names = [row["name"] for row in ecert("list")[1]["templates"]]  # type: ignore[attr-defined]
    assert {"default", "constructor-2"} <= set(names)
    folder = ("--data-dir", str(reading_office.world.folder))
    done, said = ecert("preview", "--programme", code, "--out", str(out), "--png", str(png), *folder)
    assert (done, said["problems"]) == (0, [])
    assert "示例" in read_back(out.read_bytes()).text
    assert Image.open(png).width > 1000
    assert ecert("preview", "constructor-2", "--name", "王芳", "--out", str(out))[0] == 0
    for words, problem in (
        (("no-such",), "template-unknown"),
        (("default", "--name", "王\ue000"), "glyph-missing"),
        (("default", "--out", str(tmp_path / "no" / "x.pdf")), "cannot-write"),
    ):
        refused, said = ecert("preview", *("--out", str(out), *words) if "--out" not in words else words)
        assert (refused, said["error"]["code"]) == (2, problem), words  # type: ignore[index]
    refused, said = ecert("preview", "default", "--name", "欧阳" * 200, "--out", str(out))
    assert (refused, "name: the page does not show the recorded value" in said["problems"]) == (2, True)  # type: ignore[operator]
