"""`ecert roster import` and `ecert sitting …` as an operator types them."""

import json
from pathlib import Path

import pytest

from issuer.cli import run
from tests.factories.roster_files import SITTING, invent, write_roster


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("roster-cli") / "data"
    assert run(["init", "--data-dir", str(folder)]) == 0
    return folder


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    capsys.readouterr()
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_an_import_defines_the_sitting_beside_it_takes_its_photos_and_reports(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = invent(6)
    people[2] = people[2].but("specialty_unknown", specialty="航天工程")
    files = write_roster(tmp_path / "in", people)
    place = ("--sitting", SITTING, "--data-dir", str(home))
    code, dry = _json(capsys, "roster", "import", str(files.xlsx), *place, "--dry-run")
    assert (code, dry["imported"], dry["sitting_defined"]) == (0, 5, False)
    code, listed = _json(capsys, "sitting", "list", "--data-dir", str(home))
    assert (code, listed) == (0, {"sittings": []})

    report, mend = tmp_path / "report.json", tmp_path / "mend.xlsx"
    code, done = _json(
        capsys, "roster", "import", str(files.xlsx), *place, "--report", str(report), "--annotated", str(mend)
    )
    assert (code, done["imported"], done["rejected"], done["sitting_defined"]) == (0, 5, 1, True)
    assert done["photos"] == str(files.photos_zip)
    assert json.loads(report.read_text(encoding="utf-8")) == done
    assert mend.is_file()
    code, shown = _json(capsys, "sitting", "show", SITTING, "--data-dir", str(home))
    assert (code, shown["registrations"], shown["medium"]) == (0, 5, "electronic")

    assert run(["roster", "import", str(files.xlsx), *place]) == 0
    said = capsys.readouterr().out
    assert "未变 5" in said
    assert "specialty_unknown" in said


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 900, b"PK\x03\x04zip"])
def test_an_unusable_file_is_one_clear_line_and_exit_2(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "r.xlsx"
    path.write_bytes(content)
    (tmp_path / "sitting.toml").write_text(
        write_roster(tmp_path / "x", 1).sitting_toml.read_text(encoding="utf-8").replace(SITTING, "EJJZ-2031-1"),
        encoding="utf-8",
    )
    capsys.readouterr()
    assert run(["roster", "import", str(path), "--sitting", "EJJZ-2031-1", "--data-dir", str(home)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    assert "Traceback" not in said.err
    assert run(["sitting", "show", "EJJZ-2031-1", "--data-dir", str(home)]) == 2


def test_a_missing_file_or_sitting_is_exit_2(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write_roster(tmp_path / "in", 1)
    for arguments in (
        ["roster", "import", str(tmp_path / "none.xlsx"), "--sitting", SITTING],
        ["roster", "import", str(files.xlsx), "--sitting", "NOPE"],
        ["sitting", "define", str(tmp_path / "none.toml")],
        ["sitting", "define", str(files.xlsx)],
    ):
        assert run([*arguments, "--data-dir", str(home)]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
