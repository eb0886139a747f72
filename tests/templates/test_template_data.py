"""A template is data: wording, colours, boxes and the seal's picture, from a folder of the installation's own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from templates.certificate import layout, source, wording
from templates.certificate.fast.assemble import forget, quick_page
from templates.certificate.layout import geometry
from templates.certificate.lint import lint_page, read_back
from templates.certificate.page import render, typeset
from templates.certificate.source import TemplateError, UnknownTemplateError
from templates.certificate.specimen import specimen

SEAL = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 42 42"><circle cx="21" cy="21" r="19" fill="#a00"/></svg>'
)
OWN = """extends = "constructor-2"
[texts]
title = "某省职业资格证书"
[inks]
seal = "#7a1f1f"
[layout.fields]
management_no = [109, 197.6, 71, 6.8]
approved_on = [30, 197.6, 71, 6.8]
[layout.labels]
management_no = [109, 193.6, 71, 4]
approved_on = [30, 193.6, 71, 4]
[seal]
image = "seal.svg"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation's own templates; what was read is forgotten before and after."""
    monkeypatch.setenv(source.FOLDER_SETTING, str(tmp_path))
    _forget()
    yield tmp_path
    _forget()


def _forget() -> None:
    for kept in (source.parts, layout.geometry, wording.template_version):
        kept.cache_clear()
    forget()


def write(folder: Path, toml: str = OWN, seal: str = SEAL) -> None:
    (folder / "own.toml").write_text(toml, encoding="utf-8")
    (folder / "seal.svg").write_text(seal, encoding="utf-8")


def test_texts_boxes_colours_and_the_picture_of_the_seal_come_from_the_template(folder: Path) -> None:
    write(folder)
    assert "own" in wording.template_names()
    page = replace(specimen(), template="own", sample=False)
    pdf = render(page)
    assert lint_page(pdf, page) == ()
    shown = read_back(pdf, "own")
    assert "某省职业资格证书" in shown.text
    assert shown.fields["management_no"] == page.management_no
    # Read by the boxes of the template it extends, the two values stand in each other's place.
    assert read_back(pdf, "constructor-2").fields["approved_on"] == page.management_no
    drawn = typeset(replace(page, template="constructor-2"))
    assert b"image/svg" not in pdf
    assert len(pdf) != len(drawn)


def test_the_quick_way_draws_it_too(folder: Path) -> None:
    write(folder)
    page = replace(specimen(), template="own")
    quick = quick_page(page, typeset)
    assert quick is not None
    assert lint_page(quick, page) == ()


def test_a_template_extends_without_changing_what_it_extends(folder: Path) -> None:
    write(folder)
    assert geometry("own")["fields"]["approved_on"][0] == 30
    assert geometry("constructor-2")["fields"]["approved_on"][0] == 109
    assert geometry("own")["signature"] == geometry()["signature"]


def test_every_part_counts_for_the_version(folder: Path) -> None:
    write(folder)
    first = wording.template_version("own")
    write(folder, seal=SEAL.replace("#a00", "#b00"))
    _forget()
    second = wording.template_version("own")
    write(folder, OWN.replace("197.6, 71", "197.7, 71"), SEAL.replace("#a00", "#b00"))
    _forget()
    assert len({first, second, wording.template_version("own")}) == 3


@pytest.mark.parametrize(
    ("toml", "seal", "why"),
    [
        (OWN.replace("[layout.fields]", "[layout.signature]\nseal = [1, 1, 42, 42]\n[layout.fields]"), SEAL, "seal"),
        (OWN.replace("[layout.fields]", "[layout.pictures]\nseal = [1, 1, 42, 42]\n[layout.fields]"), SEAL, "seal"),
        (OWN.replace("[layout.fields]", "[layout.page]\nwidth = [100]\n[layout.fields]"), SEAL, "moved"),
        (OWN.replace("management_no = [109,", "nonsense = [109,", 1), SEAL, "no box"),
        (OWN.replace("[109, 197.6, 71, 6.8]", "[190, 197.6, 71, 6.8]"), SEAL, "on the page"),
        (OWN.replace("[109, 197.6, 71, 6.8]", '"left"'), SEAL, "numbers"),
        (OWN.replace("seal.svg", "../seal.svg"), SEAL, "beside it"),
        (OWN.replace("seal.svg", "other.svg"), SEAL, "beside it"),
        (OWN, SEAL.replace("<circle", "<script>1</script><circle"), "plain picture"),
        (OWN, SEAL.replace("<circle", '<image href="file:///etc/hostname"/><circle'), "plain picture"),
        (OWN, "GIF89a", "plain picture"),
        ("extends = ", SEAL, "not TOML"),
    ],
)
def test_data_that_cannot_be_used_are_refused_by_name(folder: Path, toml: str, seal: str, why: str) -> None:
    write(folder, toml, seal)
    with pytest.raises(TemplateError, match=why):
        render(replace(specimen(), template="own"))


def test_what_the_installation_brings_cannot_be_replaced_unseen(folder: Path) -> None:
    (folder / "default.toml").write_text('[texts]\ntitle = "假证书"\n', encoding="utf-8")
    assert source.file_of("default").parent == source.HERE
    with pytest.raises(UnknownTemplateError):
        source.file_of("../default")
