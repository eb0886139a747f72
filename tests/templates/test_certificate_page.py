"""The rendered page: one page, light, standard, readable back, whatever the name."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image

from issuer.rules.copies import MAX_WORD, clean_purpose
from templates.certificate.page import (
    ARCHIVE_FIELD,
    SEAL_FIELD,
    Annotation,
    CertificatePage,
    RenderError,
    UnknownTemplateError,
    lint_page,
    missing_glyphs,
    read_back,
    render,
    template_version,
)
from templates.certificate.photo import TARGET_BYTES
from templates.certificate.preview import main as preview_main
from templates.certificate.specimen import specimen

MAX_FILE = 110 * 1024
LONG_NAME = "古丽巴哈尔·阿卜杜热合曼·买买提明江·阿不都克里木艾尔肯别克"
LONG_SPECIALTY = "水利水电工程（含大坝安全监测、堤防加固与生态修复方向）及其他相关专业工程管理与实务"
EXTREMES = {
    "rare": {"name": "李㛃䶮"},
    "beyond the basic plane": {"name": "王𠮷𣲗"},
    "last of GB 18030": {"name": "龘𪚥𬺰"},
    "compatibility block": {"name": "﨎﨏﨑﨓﨔﨟﨡﨣﨤﨧﨨﨩"},
    "interpunct": {"name": "阿卜杜热依木·买买提明"},
    "thirty characters": {
        "name": LONG_NAME,
        "authority": "示例省人力资源和社会保障厅专业技术人员职业资格考试管理中心",
    },
    "latin": {"name": "SMITH JOHN ALEXANDER", "id_type": "护照", "id_number": "P<GBR123456789"},
    "long latin": {"name": "MARIA DE LOS ANGELES FERNANDEZ GUTIERREZ Y MONTENEGRO DE LA CRUZ"},
    "one character": {"name": "一", "level": "", "specialty": ""},
    "long specialty": {
        "specialty": LONG_SPECIALTY,
        "programme_name": "一级注册消防工程师（技术综合能力方向）职业资格",
    },
    "long number and host": {
        "management_no": "2025-ABCDE-12345-67890-ABCDE-12345-67890",
        "verify_host": "zhengshu.renshekaoshi.example.gov.cn:8443",
    },
    "no portrait": {"photo": None},
    "not a sample": {"sample": False, "template": "default"},
}


def pdftotext(pdf: bytes, folder: Path) -> str:
    path = folder / "page.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    return done.stdout.decode()


def noisy_portrait() -> bytes:
    """A portrait as heavy as they come: the size of a phone's picture, full of detail, the same in every run."""
    grey = np.random.default_rng(7).normal(128, 60, (1260, 900)).clip(0, 255).astype(np.uint8)
    base = Image.fromarray(grey).convert("RGB")
    out = io.BytesIO()
    base.save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.mark.parametrize("change", EXTREMES.values(), ids=EXTREMES)
def test_every_extreme_fits_one_light_page_and_reads_back_exactly(
    page: CertificatePage, change: dict[str, object], tmp_path: Path
) -> None:
    changed = replace(page, **change)
    pdf = render(changed)
    assert lint_page(pdf, changed) == ()
    assert len(pdf) <= MAX_FILE
    text = pdftotext(pdf, tmp_path)
    assert changed.management_no in text
    assert changed.id_number in text
    if len(changed.name) <= 20:
        assert changed.name in text
    else:
        assert changed.name.replace(" ", "") in "".join(read_back(pdf).fields["name"].split())


def test_a_heavy_portrait_stays_within_the_budget(page: CertificatePage) -> None:
    pdf = render(replace(page, photo=noisy_portrait(), name=LONG_NAME))
    assert len(pdf) <= MAX_FILE
    with pikepdf.open(io.BytesIO(pdf)) as document:
        (picture,) = (o for o in document.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image")
        assert len(picture.read_raw_bytes()) <= TARGET_BYTES
        assert picture.Width * 413 == picture.Height * 295


def test_it_is_pdf_ua_by_an_independent_judge(pdf: bytes, tmp_path: Path) -> None:
    path, report = tmp_path / "page.pdf", tmp_path / "report.json"
    path.write_bytes(pdf)
    judge = Path(sys.executable).parent / "outloud"
    done = subprocess.run([str(judge), str(path), "--json", str(report)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(report.read_text())
    assert "0 error(s), 0 warning(s)" in done.stdout


def test_it_claims_both_standards_a_language_and_a_title(pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        metadata = document.open_metadata()
        assert metadata["pdfaid:part"] == "3"
        assert metadata["pdfaid:conformance"] == "A"
        assert metadata["pdfuaid:part"] == "1"
        assert str(document.Root.Lang).lower().startswith("zh")
        assert metadata["dc:title"] == "示例省专业技术人员职业资格证书（电子证书）"
        assert document.Root.MarkInfo.Marked


def test_the_credential_is_attached_as_it_is(page: CertificatePage, pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        attached = document.attachments["credential.cbor"]
        assert attached.get_file().read_bytes() == page.credential
        assert attached.get_file().mime_type == "application/cwt"
        (associated,) = document.Root.AF
        assert associated.AFRelationship == "/Data"


def test_pictures_have_words_and_the_portrait_has_no_metadata(page: CertificatePage) -> None:
    marked = Image.new("RGB", (600, 840), "#88aacc")
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "taken at home"
    marked.save(out, "JPEG", exif=exif, comment=b"private remark")
    pdf = render(replace(page, photo=out.getvalue()))
    with pikepdf.open(io.BytesIO(pdf)) as document:
        alternatives = [str(o.Alt) for o in document.objects if isinstance(o, pikepdf.Dictionary) and "/Alt" in o]
        assert len(alternatives) == 3
        assert any("二维码" in alternative for alternative in alternatives)
        assert any("样章" in alternative for alternative in alternatives)
    assert b"taken at home" not in pdf
    assert b"private remark" not in pdf


def test_the_same_page_gives_the_same_bytes_and_another_name_does_not(page: CertificatePage, pdf: bytes) -> None:
    assert render(page) == pdf
    assert render(replace(page, name="李㛃")) != pdf


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "李㛃奀"),
        ("name", "李㛃"),
        ("name", "李㛃䶮 "),
        ("id_number", "990101199003074527"),
        ("management_no", "20259904000128X"),
        ("specialty", "市政公用工"),
        ("programme_name", "一级建造师"),
        ("gender", "男"),
        ("authority", "示例省人力资源和社会保障局"),
        ("verify_host", "zs.example.org.co"),
    ],
)
def test_the_lint_names_a_field_that_differs_and_not_its_content(
    page: CertificatePage, pdf: bytes, field: str, value: str
) -> None:
    problems = lint_page(pdf, replace(page, **{field: value}))
    assert len(problems) == 1
    assert problems[0].startswith(f"{field}:")
    assert value not in problems[0]


def test_the_lint_sees_changed_dates_and_a_second_page(page: CertificatePage, pdf: bytes) -> None:
    other = replace(page, approved_on=page.issued_on, issued_on=page.approved_on)
    assert [problem.split(":")[0] for problem in lint_page(pdf, other)] == ["approved_on", "issued_on"]
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.add_blank_page()
        out = io.BytesIO()
        document.save(out)
    assert lint_page(out.getvalue(), page)[0].startswith("pages:")
    with pytest.raises(ValueError, match="not a readable PDF"):
        read_back(b"%PDF-1.7 nothing")


def test_a_text_too_long_for_its_box_does_not_pass(page: CertificatePage) -> None:
    too_long = replace(page, name="买" * 400)
    try:
        assert lint_page(render(too_long), too_long)
    except RenderError:
        return


@pytest.mark.parametrize(
    "purpose",
    [
        "W" * MAX_WORD,
        "@" * MAX_WORD,
        f"{'W' * MAX_WORD} {'W' * 19}",
        " ".join(["W" * 20] * 2),
        f"用途{'M' * MAX_WORD}",
    ],
)
def test_a_purpose_that_the_rule_allows_fits_its_box(page: CertificatePage, purpose: str) -> None:
    copy = replace(page, annotation=Annotation(clean_purpose(purpose), date(2026, 5, 1)))
    assert lint_page(render(copy), copy) == ()


def test_a_character_without_a_glyph_is_refused_without_naming_anybody(page: CertificatePage) -> None:
    with pytest.raises(RenderError) as refused:
        render(replace(page, name="王\ue123"))
    assert "王" not in str(refused.value)
    assert missing_glyphs("王\ue123") == ("\ue123",)


def test_sample_marks_and_titles(page: CertificatePage) -> None:
    sample = read_back(render(page)).text
    assert "示例省专业技术人员职业资格证书" in sample
    assert "示例文件" in sample
    plain = read_back(render(replace(page, sample=False))).text
    assert "河南省专业技术人员职业资格证书" in plain
    assert "（电子证书）" in plain
    assert "示例文件" not in plain
    own = read_back(render(replace(page, title="试行证书"))).text
    assert "试行证书" in own


def test_signature_boxes_lie_on_the_page_and_apart() -> None:
    for left, bottom, right, top in (SEAL_FIELD, ARCHIVE_FIELD):
        assert 0 < left < right < 595.28
        assert 0 < bottom < top < 841.89
    assert abs((SEAL_FIELD[2] - SEAL_FIELD[0]) - 42 * 72 / 25.4) < 0.1
    assert ARCHIVE_FIELD[3] < SEAL_FIELD[1]


def test_template_versions_tell_templates_apart_and_unknown_ones_are_refused(page: CertificatePage) -> None:
    versions = {template_version("default"), template_version("constructor-2")}
    assert len(versions) == 2
    assert all(len(version) == 64 for version in versions)
    for name in ("layout", "../default", "nothing", ""):
        with pytest.raises(UnknownTemplateError):
            template_version(name)
    with pytest.raises(UnknownTemplateError):
        render(replace(page, template="nothing"))


def test_braces_in_data_are_only_data() -> None:
    odd = specimen(authority="{name}厅", name="{authority}")
    assert lint_page(render(odd), odd) == ()


def test_preview_writes_a_page_and_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, png = tmp_path / "p.pdf", tmp_path / "p.png"
    assert preview_main(["--out", str(out), "--png", str(png)]) == 0
    assert out.read_bytes().startswith(b"%PDF-1.7")
    with Image.open(png) as picture:
        assert picture.size == (1191, 1684)
    assert preview_main(["--out", str(out), "--name", "\ue000"]) == 2
    assert preview_main(["--out", str(out), "--template", "nothing"]) == 2
    assert capsys.readouterr().err.count("preview:") == 2
